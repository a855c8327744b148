/*
 * An event is rendered once, when it is published, as the bytes that every subscriber
 * is sent. A subscriber copies them under the topic's lock, because the ring goes on
 * while what it was given is still on its way to a slow client.
 */

#include "web/topic.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include <zerog/app.h>
#include <zerog/text.h>

#include "base/assert.h"
#include "web/router.h"

#define TOPIC_MAGIC 0x7a67746fU

struct topic_slot {
	uint32_t size; /* bytes that follow */
	char bytes[];
};

static struct zg_topic *topics[ZG_TOPICS_MAX];
static uint32_t topic_count;

void zg_topic_init(struct zg_topic *topic, struct zg_app *app,
		   const struct zg_topic_options *options)
{
	zg_assert(options->name != NULL);
	*topic = (struct zg_topic){.magic = TOPIC_MAGIC, .options = *options};
	pthread_mutex_init(&topic->mutex, NULL);
	if (app->options.topics == 0)
		topic_count = 0;
	if (topic_count == ZG_TOPICS_MAX) {
		zgi_router_refuse(app->router, -ENFILE, options->name);
		return;
	}
	app->options.topics++;
	topics[topic_count++] = topic;
}

static uint32_t topic_slot_size(uint32_t event_size_max)
{
	/* And the NUL that a text ends with. */
	return ((uint32_t)sizeof(struct topic_slot) + event_size_max + 1 + 63) & ~UINT32_C(63);
}

uint64_t zgi_topics_size(uint32_t count, uint32_t event_count, uint32_t event_size_max)
{
	/* One more, because the place of the next event is not read from. */
	return (uint64_t)count * (event_count + 1) * topic_slot_size(event_size_max);
}

void zgi_topics_open(const struct zgi_topics_room *room)
{
	unsigned char *memory = room->memory;

	for (uint32_t index = 0; index < topic_count; index++) {
		struct zg_topic *topic = topics[index];

		pthread_mutex_lock(&topic->mutex);
		topic->published = 0;
		topic->subscriber_count = 0;
		topic->slots = memory;
		topic->slot_count = room->event_count + 1;
		topic->event_size_max = room->event_size_max;
		topic->slot_size = topic_slot_size(room->event_size_max);
		topic->epoch = room->epoch;
		pthread_mutex_unlock(&topic->mutex);
		memory += (size_t)topic->slot_count * topic->slot_size;
	}
}

void zgi_topics_close(void)
{
	for (uint32_t index = 0; index < topic_count; index++) {
		pthread_mutex_lock(&topics[index]->mutex);
		topics[index]->slots = NULL;
		pthread_mutex_unlock(&topics[index]->mutex);
	}
}

static struct topic_slot *topic_slot(const struct zg_topic *topic, uint64_t number)
{
	return (struct topic_slot *)(void *)(topic->slots +
					     number % topic->slot_count * topic->slot_size);
}

/* The next line; the text moves behind its end, which is LF, CR or both. */
static struct zg_slice topic_line_next(struct zg_slice *text)
{
	size_t size = 0;
	struct zg_slice line;

	while (size < text->size && text->data[size] != '\n' && text->data[size] != '\r')
		size++;
	line = (struct zg_slice){text->data, size};
	if (size + 1 < text->size && text->data[size] == '\r' && text->data[size + 1] == '\n')
		size++;
	size += size < text->size;
	text->data += size;
	text->size -= size;
	return line;
}

static void topic_render(struct zg_text *text, const struct zg_topic *topic, struct zg_slice event,
			 struct zg_slice data)
{
	zg_text_print(text, "id: %" PRIx32 "-%" PRIu64 "\n", topic->epoch, topic->published + 1);
	if (event.size > 0) {
		zg_text_append(text, ZG_SLICE("event: "));
		zg_text_append(text, event);
		zg_text_append(text, ZG_SLICE("\n"));
	}
	do {
		zg_text_append(text, ZG_SLICE("data: "));
		zg_text_append(text, topic_line_next(&data));
		zg_text_append(text, ZG_SLICE("\n"));
	} while (data.size > 0);
	zg_text_append(text, ZG_SLICE("\n"));
}

static int topic_publish_locked(struct zg_topic *topic, struct zg_slice event, struct zg_slice data)
{
	struct topic_slot *slot;
	struct zg_text text;

	if (topic->slots == NULL)
		return -ESTALE;
	/* Nobody reads the next event's place, so that an event that does not fit does no harm. */
	slot = topic_slot(topic, topic->published + 1);
	zg_text_init(&text, slot->bytes, topic->event_size_max + 1);
	topic_render(&text, topic, event, data);
	if (text.is_truncated)
		return -EMSGSIZE;
	slot->size = (uint32_t)text.size;
	topic->published++;
	return 0;
}

int zgi_topic_publish(struct zg_topic *topic, struct zg_slice event, struct zg_slice data)
{
	int result;

	zg_assert(topic->magic == TOPIC_MAGIC);
	for (size_t index = 0; index < event.size; index++)
		if (event.data[index] == '\n' || event.data[index] == '\r')
			return -EINVAL;
	pthread_mutex_lock(&topic->mutex);
	result = topic_publish_locked(topic, event, data);
	pthread_mutex_unlock(&topic->mutex);
	return result;
}

uint64_t zgi_topic_published(struct zg_topic *topic)
{
	uint64_t published;

	pthread_mutex_lock(&topic->mutex);
	published = topic->published;
	pthread_mutex_unlock(&topic->mutex);
	return published;
}

/* The oldest event in the ring, all of whose places but one are read from. */
static uint64_t topic_oldest(const struct zg_topic *topic)
{
	return topic->published >= topic->slot_count ? topic->published - topic->slot_count + 2 : 1;
}

static int topic_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* "5f3e-12" as we have given it out. Return: false when it is none of ours. */
static bool topic_id_read(struct zg_slice id, uint32_t *ret_epoch, uint64_t *ret_number)
{
	uint64_t parts[2] = {0, 0};
	size_t part = 0;

	if (id.size == 0 || id.size > 32)
		return false;
	for (size_t index = 0; index < id.size; index++) {
		int digit = topic_digit(id.data[index]);
		uint64_t base = part == 0 ? 16 : 10;

		if (id.data[index] == '-' && part == 0) {
			part = 1;
			continue;
		}
		if (digit < 0 || (uint64_t)digit >= base ||
		    __builtin_mul_overflow(parts[part], base, &parts[part]) ||
		    __builtin_add_overflow(parts[part], (uint64_t)digit, &parts[part]))
			return false;
	}
	*ret_epoch = (uint32_t)parts[0];
	*ret_number = parts[1];
	return part == 1 && parts[0] <= UINT32_MAX;
}

uint64_t zgi_topic_first(struct zg_topic *topic, struct zg_slice last_id)
{
	uint32_t epoch = 0;
	uint64_t number = 0;
	uint64_t first;

	zg_assert(topic->magic == TOPIC_MAGIC);
	pthread_mutex_lock(&topic->mutex);
	if (topic_id_read(last_id, &epoch, &number)) {
		first = epoch == topic->epoch && number <= topic->published ? number + 1
									    : topic_oldest(topic);
	} else {
		uint64_t count = topic->options.replay_count;

		first = topic->published > count ? topic->published - count + 1 : 1;
		if (first < topic_oldest(topic))
			first = topic_oldest(topic);
	}
	pthread_mutex_unlock(&topic->mutex);
	return first;
}

void zgi_topic_read(struct zg_topic *topic, char *buffer, size_t size, struct zgi_topic_read *read)
{
	read->skipped = 0;
	read->count = 0;
	read->size = 0;
	pthread_mutex_lock(&topic->mutex);
	if (topic->slots != NULL && read->next < topic_oldest(topic)) {
		read->skipped = topic_oldest(topic) - read->next;
		read->next = topic_oldest(topic);
	}
	while (topic->slots != NULL && read->next <= topic->published) {
		const struct topic_slot *slot = topic_slot(topic, read->next);

		if (slot->size > size - read->size)
			break;
		memcpy(buffer + read->size, slot->bytes, slot->size);
		read->size += slot->size;
		read->count++;
		read->next++;
	}
	pthread_mutex_unlock(&topic->mutex);
}
