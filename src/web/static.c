/*
 * Answers with files. What is sent is decided on what the file is now (fstat), so
 * that length, date and tag are never those of other bytes; what it was at boot says
 * whether its bytes in memory, and its siblings, are still of it.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include <zerog/app.h>
#include <zerog/files.h>

#include "base/assert.h"
#include "base/counter.h"
#include "http/writer.h"
#include "web/exchange.h"
#include "web/static_table.h"

#define STATIC_TAG_SIZE 64
#define STATIC_INDEX "index.html"

/* A file, or one of its siblings, as it is now. */
struct static_choice {
	const struct zgi_static_file *file;
	enum zgi_http_coding coding; /* ZGI_HTTP_CODING_COUNT: as it is */
	bool has_siblings; /* another client may be sent another coding */
	bool is_changed; /* it is no longer what it was at boot */
	struct stat status;
	char tag[STATIC_TAG_SIZE];
	struct zgi_http_representation representation;
};

static int static_stat(struct static_choice *choice, const struct zgi_static_file *file)
{
	if (fstat(file->fd, &choice->status) < 0)
		return -errno;
	choice->file = file;
	choice->is_changed = (uint64_t)choice->status.st_size != file->size ||
			     choice->status.st_mtim.tv_sec != file->modified_s ||
			     choice->status.st_mtim.tv_nsec != file->modified_ns;
	return 0;
}

static struct zg_slice static_field(const struct zg_exchange *x, struct zg_slice name)
{
	struct zg_slice value = {NULL, 0};

	(void)!zg_request_field(x, name, &value);
	/* An empty field is one that was sent. */
	if (value.size == 0 && value.data != NULL)
		value.data = "";
	return value;
}

/* The file itself, or the sibling that the client would rather have. */
static int static_choose(const struct zg_exchange *x, const struct zgi_static_file *file,
			 struct static_choice *choice)
{
	uint32_t available = 0;
	int result = static_stat(choice, file);

	choice->coding = ZGI_HTTP_CODING_COUNT;
	if (result < 0 || choice->is_changed)
		return result;
	for (uint32_t coding = 0; coding < ZGI_HTTP_CODING_COUNT; coding++)
		if (file->siblings[coding] != ZGI_STATIC_NONE)
			available |= 1U << coding;
	choice->has_siblings = available != 0;
	choice->coding =
		zgi_http_coding_choose(static_field(x, ZG_SLICE("Accept-Encoding")), available);
	if (choice->coding == ZGI_HTTP_CODING_COUNT)
		return 0;
	return static_stat(choice, &zgi_static_table.files[file->siblings[choice->coding]]);
}

static void static_represent(struct static_choice *choice)
{
	const struct zg_slice coding = zgi_http_coding_name(choice->coding);
	int size = snprintf(choice->tag, sizeof(choice->tag), "\"%" PRIx64 "-%" PRIx64 "%s%.*s\"",
			    (uint64_t)choice->status.st_mtim.tv_sec * UINT64_C(1000000000) +
				    (uint64_t)choice->status.st_mtim.tv_nsec,
			    (uint64_t)choice->status.st_size, coding.size > 0 ? "-" : "",
			    (int)coding.size, coding.data);

	zg_assert(size > 0 && (size_t)size < sizeof(choice->tag));
	choice->representation = (struct zgi_http_representation){
		.tag = {choice->tag, (size_t)size},
		.modified = choice->status.st_mtim.tv_sec,
		.size = (uint64_t)choice->status.st_size,
	};
}

static void static_select(const struct zg_exchange *x, const struct static_choice *choice,
			  struct zgi_http_selection *ret_selection)
{
	struct zgi_http_conditions conditions = {
		.if_match = static_field(x, ZG_SLICE("If-Match")),
		.if_none_match = static_field(x, ZG_SLICE("If-None-Match")),
		.if_modified_since = static_field(x, ZG_SLICE("If-Modified-Since")),
		.if_unmodified_since = static_field(x, ZG_SLICE("If-Unmodified-Since")),
	};

	/* A range is asked of GET only (RFC 9110, section 14.2). */
	if (zg_request_method(x) == ZG_METHOD_GET) {
		conditions.range = static_field(x, ZG_SLICE("Range"));
		conditions.if_range = static_field(x, ZG_SLICE("If-Range"));
	}
	zgi_http_select(&conditions, &choice->representation, ret_selection);
}

/* The fields that say what is sent; 304 has those that a 200 would have (RFC 9110, section 15.4.5).
 */
static int static_fields(struct zg_exchange *x, const struct static_choice *choice)
{
	const char *cache_control = zgi_static_table.folders[choice->file->folder].cache_control;
	char date[ZGI_HTTP_DATE_SIZE];
	int result;

	zgi_http_date_format(choice->representation.modified, date);
	result = zg_reply_field(x, ZG_SLICE("ETag"), choice->representation.tag);
	/* Without its name, "Date: ", and its line's end. */
	if (result == 0)
		result = zg_reply_field(x, ZG_SLICE("Last-Modified"),
					(struct zg_slice){date + 6, sizeof(date) - 8});
	if (result == 0)
		result = zg_reply_field(x, ZG_SLICE("Cache-Control"),
					(struct zg_slice){cache_control, strlen(cache_control)});
	if (result == 0 && choice->has_siblings)
		result = zg_reply_field(x, ZG_SLICE("Vary"), ZG_SLICE("Accept-Encoding"));
	if (result == 0 && choice->coding != ZGI_HTTP_CODING_COUNT)
		result = zg_reply_field(x, ZG_SLICE("Content-Encoding"),
					zgi_http_coding_name(choice->coding));
	if (result == 0)
		result = zg_reply_field(x, ZG_SLICE("Accept-Ranges"), ZG_SLICE("bytes"));
	return result;
}

static int static_content_range(struct zg_exchange *x, const struct static_choice *choice,
				const struct zgi_http_selection *selection)
{
	char buffer[80];
	struct zg_text text;

	if (selection->status != 206 && selection->status != 416)
		return 0;
	zg_text_init(&text, buffer, sizeof(buffer));
	if (selection->status == 206)
		zg_text_print(&text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, selection->offset,
			      selection->offset + selection->size - 1, choice->representation.size);
	else
		zg_text_print(&text, "bytes */%" PRIu64, choice->representation.size);
	return zg_reply_field(x, ZG_SLICE("Content-Range"), (struct zg_slice){buffer, text.size});
}

static int static_reply(struct zg_exchange *x, const struct zgi_static_file *file)
{
	struct static_choice choice = {0};
	struct zgi_http_selection selection;
	const struct zg_slice type = {file->type, strlen(file->type)};
	int result = static_choose(x, file, &choice);

	if (result < 0)
		return result;
	static_represent(&choice);
	static_select(x, &choice, &selection);
	if (selection.status == 412)
		return zg_reply_text(x, 412, "Precondition Failed\n");
	result = selection.status == 416 ? 0 : static_fields(x, &choice);
	if (result == 0)
		result = static_content_range(x, &choice, &selection);
	if (result < 0)
		return result;
	if (selection.status == 304)
		return zg_reply_empty(x, 304);
	if (selection.status == 416)
		return zg_reply_text(x, 416, "Range Not Satisfiable\n");
	if (choice.file->memory != NULL && !choice.is_changed) {
		zgi_counter_add(&x->web->counters.files_from_memory, 1);
		return zg_reply(
			x, selection.status, type,
			(struct zg_slice){(const char *)choice.file->memory + selection.offset,
					  selection.size});
	}
	zgi_counter_add(&x->web->counters.files_from_descriptor, 1);
	return zg_reply_file(x, selection.status, type,
			     &(struct zg_file_part){.fd = choice.file->fd,
						    .offset = selection.offset,
						    .size = selection.size});
}

/* A folder is asked for without the slash at its end: its pages' links would lead elsewhere. Two
 * slashes in front would name another host. */
static int static_redirect(struct zg_exchange *x)
{
	struct zg_slice path = zg_request_path(x);
	struct zg_slice query = zg_request_query(x);
	size_t size = path.size + 1 + (query.size > 0 ? query.size + 1 : 0);
	void *memory;
	char *end;
	int result;

	if (path.size >= 2 && path.data[1] == '/')
		return zg_reply_text(x, 404, "Not Found\n");
	if (zg_arena_alloc(zg_exchange_arena(x), size, &memory) < 0)
		return -ENOMEM;
	end = memory;
	memcpy(end, path.data, path.size);
	end += path.size;
	*end++ = '/';
	if (query.size > 0) {
		*end++ = '?';
		memcpy(end, query.data, query.size);
	}
	result = zg_reply_field(x, ZG_SLICE("Location"), (struct zg_slice){memory, size});
	return result < 0 ? result : zg_reply_empty(x, 308);
}

/* The folder whose prefix is the longest that the path begins with. There is one, or the route
 * would not have led here. */
static uint32_t static_folder_find(struct zg_slice path)
{
	uint32_t best = 0;
	size_t best_size = 0;

	for (uint32_t index = 0; index < zgi_static_table.folder_count; index++) {
		const char *prefix = zgi_static_table.folders[index].prefix;
		size_t size = strlen(prefix);

		if (size >= best_size && path.size >= size &&
		    memcmp(path.data, prefix, size) == 0 &&
		    (path.size == size || path.data[size] == '/')) {
			best = index;
			best_size = size;
		}
	}
	return best;
}

/* The index of a folder: "", "a/" and, to be redirected, "a". */
static const struct zgi_static_file *static_index_find(uint32_t folder, struct zg_slice path)
{
	char buffer[ZG_STATIC_PATH_SIZE + 1];
	struct zg_text text;
	bool is_folder = path.size == 0 || path.data[path.size - 1] == '/';

	zg_text_init(&text, buffer, sizeof(buffer));
	zg_text_append(&text, path);
	zg_text_append(&text, is_folder ? ZG_SLICE(STATIC_INDEX) : ZG_SLICE("/" STATIC_INDEX));
	if (text.is_truncated)
		return NULL;
	return zgi_static_find(&zgi_static_table, folder, (struct zg_slice){buffer, text.size});
}

static int static_serve(struct zg_exchange *x)
{
	uint32_t folder = static_folder_find(zg_request_path(x));
	struct zg_slice path = {"", 0};
	const struct zgi_static_file *file;
	int result = zg_request_parameter(x, ZG_SLICE("path"), &path);

	if (result < 0)
		return result;
	file = zgi_static_find(&zgi_static_table, folder, path);
	if (file == NULL) {
		file = static_index_find(folder, path);
		if (file != NULL && path.size > 0 && path.data[path.size - 1] != '/')
			return static_redirect(x);
	}
	return file != NULL ? static_reply(x, file) : zg_reply_text(x, 404, "Not Found\n");
}

/* The prefix itself, without a slash behind it. */
static int static_serve_prefix(struct zg_exchange *x)
{
	uint32_t folder = static_folder_find(zg_request_path(x));

	if (static_index_find(folder, (struct zg_slice){"", 0}) == NULL)
		return zg_reply_text(x, 404, "Not Found\n");
	return static_redirect(x);
}

void zg_static(struct zg_app *app, const char *prefix, const char *folder,
	       const struct zg_static_options *options)
{
	struct zgi_static_table *table = &zgi_static_table;
	struct zgi_static_folder *entry = &table->folders[table->folder_count];
	struct zg_text pattern;

	zg_assert(prefix != NULL && folder != NULL);
	if (app->options.static_folders == 0)
		table->folder_count = 0;
	if (table->folder_count == ZG_STATIC_FOLDERS_MAX) {
		zgi_router_refuse(app->router, -EMFILE, prefix);
		return;
	}
	entry = &table->folders[table->folder_count++];
	*entry = (struct zgi_static_folder){
		.prefix = prefix,
		.path = folder,
		.cache_control = options != NULL && options->cache_control != NULL
					 ? options->cache_control
					 : "no-cache",
	};
	zg_text_init(&pattern, entry->pattern, sizeof(entry->pattern));
	zg_text_print(&pattern, "%s/{path...}", prefix);
	app->options.static_folders++;
	zg_get(app, entry->pattern, static_serve);
	if (prefix[0] != '\0')
		zg_get(app, prefix, static_serve_prefix);
}
