/*
 * The names that are armed, and the takes of each, under one lock.
 *
 * A pool has a mark that says whether its name is armed, so this is asked only
 * where it is. The mark follows the table: whoever changes the table has the
 * registry ask for every name again, and whatever is made asks when it registers.
 *
 * The registry's lock is taken before this one, never after it.
 */
#include "mem/watch/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "mem/watch/registry.h"

struct fault {
	char name[ZG_FAULT_NAME_SIZE_MAX + 1]; /* empty: this row is free */
	uint64_t take_number; /* the first take that fails */
	enum zg_fault_span span;
	bool is_met; /* something of this name is there, or was */
	struct zg_fault_counts counts;
};

static pthread_mutex_t fault_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct fault fault_table[ZG_FAULTS_MAX];
static uint64_t fault_total;

/* The row of a name; NULL when it is not armed. With the lock held. */
static struct fault *fault_find(const char *name)
{
	for (size_t row = 0; row < ZG_FAULTS_MAX; row++)
		if (fault_table[row].name[0] != '\0' && strcmp(fault_table[row].name, name) == 0)
			return &fault_table[row];
	return NULL;
}

static struct fault *fault_find_free(void)
{
	for (size_t row = 0; row < ZG_FAULTS_MAX; row++)
		if (fault_table[row].name[0] == '\0')
			return &fault_table[row];
	return NULL;
}

static bool fault_is_valid(const struct fault *fault)
{
	return fault->name[0] != '\0' && fault->take_number > 0 &&
	       (fault->span == ZG_FAULT_ONCE || fault->span == ZG_FAULT_FROM_THEN_ON);
}

/* Puts faults into the table: all of them, or none. */
static int fault_put(const struct fault *faults, size_t count)
{
	struct fault before[ZG_FAULTS_MAX];
	int result = 0;

	pthread_mutex_lock(&fault_mutex);
	memcpy(before, fault_table, sizeof(before));
	for (size_t index = 0; index < count && result == 0; index++) {
		struct fault *row = fault_find(faults[index].name);

		zg_assert(fault_is_valid(&faults[index]));
		if (row == NULL)
			row = fault_find_free();
		if (row == NULL)
			result = -ENOSPC;
		else
			*row = faults[index];
	}
	if (result < 0)
		memcpy(fault_table, before, sizeof(before));
	pthread_mutex_unlock(&fault_mutex);
	if (result == 0)
		zgi_watch_arm();
	return result;
}

int zg_fault_arm(const char *name, uint64_t take_number, enum zg_fault_span span)
{
	struct fault fault = {.take_number = take_number, .span = span};
	size_t size;

	zg_assert(name != NULL);
	size = strlen(name);
	if (size > ZG_FAULT_NAME_SIZE_MAX)
		return -EINVAL;
	memcpy(fault.name, name, size + 1);
	if (!fault_is_valid(&fault))
		return -EINVAL;
	return fault_put(&fault, 1);
}

void zg_fault_disarm(const char *name)
{
	pthread_mutex_lock(&fault_mutex);
	if (name == NULL) {
		memset(fault_table, 0, sizeof(fault_table));
	} else {
		struct fault *row = fault_find(name);

		if (row != NULL)
			*row = (struct fault){0};
	}
	pthread_mutex_unlock(&fault_mutex);
	zgi_watch_arm();
}

static bool fault_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct zg_slice fault_trim(struct zg_slice text)
{
	while (text.size > 0 && fault_is_blank(text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size > 0 && fault_is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool fault_read_number(struct zg_slice text, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t index = 0; index < text.size; index++) {
		if (text.data[index] < '0' || text.data[index] > '9')
			return false;
		if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
		    __builtin_add_overflow(number, (uint64_t)(text.data[index] - '0'), &number))
			return false;
	}
	*ret_number = number;
	return text.size > 0;
}

/* One item of a list: NAME:N or NAME:N+. The colon is the last: a name may have some of its own. */
static bool fault_read_item(struct zg_slice item, struct fault *ret_fault)
{
	const char *colon = memrchr(item.data, ':', item.size);
	struct fault fault = {.span = ZG_FAULT_ONCE};
	struct zg_slice name;
	struct zg_slice number;

	if (colon == NULL)
		return false;
	name = fault_trim((struct zg_slice){item.data, (size_t)(colon - item.data)});
	number = fault_trim(
		(struct zg_slice){colon + 1, item.size - (size_t)(colon + 1 - item.data)});
	if (number.size > 0 && number.data[number.size - 1] == '+') {
		fault.span = ZG_FAULT_FROM_THEN_ON;
		number = fault_trim((struct zg_slice){number.data, number.size - 1});
	}
	if (name.size > ZG_FAULT_NAME_SIZE_MAX || !fault_read_number(number, &fault.take_number))
		return false;
	memcpy(fault.name, name.data, name.size);
	*ret_fault = fault;
	return fault_is_valid(&fault);
}

int zg_fault_arm_list(const char *list, struct zg_text *ret_error)
{
	struct fault faults[ZG_FAULTS_MAX];
	size_t count = 0;
	int result = 0;

	zg_assert(list != NULL);
	for (const char *start = list; start != NULL;) {
		const char *comma = strchr(start, ',');
		size_t size = comma != NULL ? (size_t)(comma - start) : strlen(start);
		struct zg_slice item = fault_trim((struct zg_slice){start, size});

		if (count == ZG_FAULTS_MAX) {
			result = -ENOSPC;
			break;
		}
		if (!fault_read_item(item, &faults[count])) {
			zg_text_print(ret_error,
				      "\"%.*s\" is no fault: write NAME:N for the N-th take of a "
				      "pool, from 1, or NAME:N+ for all from the N-th on",
				      (int)item.size, item.data);
			return -EINVAL;
		}
		count++;
		start = comma != NULL ? comma + 1 : NULL;
	}
	if (result == 0)
		result = fault_put(faults, count);
	if (result == -ENOSPC)
		zg_text_print(ret_error, "more than %d names would be armed: arm fewer at once",
			      ZG_FAULTS_MAX);
	return result;
}

int zg_fault_environment(struct zg_text *ret_error)
{
	char buffer[256];
	struct zg_text error;
	const char *list = getenv(ZG_FAULT_ENVIRONMENT);
	int result;

	if (list == NULL || list[0] == '\0')
		return 0;
	zg_text_init(&error, buffer, sizeof(buffer));
	result = zg_fault_arm_list(list, &error);
	if (result < 0) {
		zg_text_print(ret_error, ZG_FAULT_ENVIRONMENT ": %s", buffer);
		return result;
	}
	return 1;
}

/* The first name that is armed and that nothing has had. */
static bool fault_find_unmet(char ret_name[static ZG_FAULT_NAME_SIZE_MAX + 1])
{
	bool is_found = false;

	pthread_mutex_lock(&fault_mutex);
	for (size_t row = 0; row < ZG_FAULTS_MAX && !is_found; row++) {
		if (fault_table[row].name[0] == '\0' || fault_table[row].is_met)
			continue;
		memcpy(ret_name, fault_table[row].name, sizeof(fault_table[row].name));
		is_found = true;
	}
	pthread_mutex_unlock(&fault_mutex);
	return is_found;
}

struct fault_listing {
	struct zg_text *text; /* borrowed */
	const char *names[ZG_FAULTS_MAX]; /* borrowed: each is listed once */
	size_t count;
};

static void fault_list_name(const struct zg_watched *watched, void *user)
{
	struct fault_listing *listing = user;
	struct zg_usage usage = {.name = ""};

	if (watched->class_of->arm == NULL || listing->count == ZG_FAULTS_MAX)
		return;
	watched->class_of->measure(watched, &usage);
	for (size_t index = 0; index < listing->count; index++)
		if (strcmp(listing->names[index], usage.name) == 0)
			return;
	zg_text_print(listing->text, "%s\"%s\"", listing->count == 0 ? "; there are " : ", ",
		      usage.name);
	listing->names[listing->count++] = usage.name;
}

int zg_fault_check_names(struct zg_text *ret_error)
{
	char name[ZG_FAULT_NAME_SIZE_MAX + 1];
	struct fault_listing listing = {.text = ret_error};

	if (!fault_find_unmet(name))
		return 0;
	zg_text_print(ret_error, "a fault is armed for \"%s\", but nothing has that name", name);
	zgi_watch_visit(fault_list_name, &listing);
	return -ENOENT;
}

int zg_fault_read(const char *name, struct zg_fault_counts *ret_counts)
{
	const struct fault *row;

	zg_assert(name != NULL);
	pthread_mutex_lock(&fault_mutex);
	row = fault_find(name);
	if (row != NULL)
		*ret_counts = row->counts;
	pthread_mutex_unlock(&fault_mutex);
	return row != NULL ? 0 : -ENOENT;
}

uint64_t zg_fault_total(void)
{
	return __atomic_load_n(&fault_total, __ATOMIC_RELAXED);
}

bool zgi_fault_is_due(const char *name)
{
	struct fault *row;
	bool is_due = false;

	if (name == NULL)
		return false;
	pthread_mutex_lock(&fault_mutex);
	row = fault_find(name);
	if (row != NULL) {
		row->counts.take_count++;
		is_due = row->span == ZG_FAULT_ONCE ? row->counts.take_count == row->take_number
						    : row->counts.take_count >= row->take_number;
		row->counts.fault_count += is_due;
	}
	if (is_due)
		__atomic_fetch_add(&fault_total, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&fault_mutex);
	return is_due;
}

bool zgi_fault_is_armed(const char *name)
{
	struct fault *row;

	if (name == NULL)
		return false;
	pthread_mutex_lock(&fault_mutex);
	row = fault_find(name);
	if (row != NULL)
		row->is_met = true;
	pthread_mutex_unlock(&fault_mutex);
	return row != NULL;
}
