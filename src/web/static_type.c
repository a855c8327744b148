/*
 * Content types by the ends of names: what browsers ask for, and little more. What
 * is not listed is a run of bytes, which no browser shows or runs.
 */

#include "web/static_table.h"

#include <stddef.h>

static const struct {
	struct zg_slice extension;
	const char *type;
} static_types[] = {
#define STATIC_TYPE(extension, type)                     \
	{                                                \
		{extension, sizeof(extension) - 1}, type \
	}
	STATIC_TYPE("html", "text/html; charset=utf-8"),
	STATIC_TYPE("htm", "text/html; charset=utf-8"),
	STATIC_TYPE("css", "text/css; charset=utf-8"),
	STATIC_TYPE("js", "text/javascript; charset=utf-8"),
	STATIC_TYPE("mjs", "text/javascript; charset=utf-8"),
	STATIC_TYPE("json", "application/json"),
	STATIC_TYPE("map", "application/json"),
	STATIC_TYPE("webmanifest", "application/manifest+json"),
	STATIC_TYPE("xml", "application/xml"),
	STATIC_TYPE("txt", "text/plain; charset=utf-8"),
	STATIC_TYPE("md", "text/markdown; charset=utf-8"),
	STATIC_TYPE("csv", "text/csv; charset=utf-8"),
	STATIC_TYPE("svg", "image/svg+xml"),
	STATIC_TYPE("png", "image/png"),
	STATIC_TYPE("jpg", "image/jpeg"),
	STATIC_TYPE("jpeg", "image/jpeg"),
	STATIC_TYPE("gif", "image/gif"),
	STATIC_TYPE("webp", "image/webp"),
	STATIC_TYPE("avif", "image/avif"),
	STATIC_TYPE("ico", "image/x-icon"),
	STATIC_TYPE("woff", "font/woff"),
	STATIC_TYPE("woff2", "font/woff2"),
	STATIC_TYPE("ttf", "font/ttf"),
	STATIC_TYPE("otf", "font/otf"),
	STATIC_TYPE("mp3", "audio/mpeg"),
	STATIC_TYPE("ogg", "audio/ogg"),
	STATIC_TYPE("wav", "audio/wav"),
	STATIC_TYPE("mp4", "video/mp4"),
	STATIC_TYPE("webm", "video/webm"),
	STATIC_TYPE("pdf", "application/pdf"),
	STATIC_TYPE("wasm", "application/wasm"),
	STATIC_TYPE("zip", "application/zip"),
	STATIC_TYPE("gz", "application/gzip"),
	STATIC_TYPE("zst", "application/zstd"),
#undef STATIC_TYPE
};

const char *zgi_static_type(struct zg_slice path)
{
	const char *dot = path.size > 0 ? memrchr(path.data, '.', path.size) : NULL;
	struct zg_slice extension = {path.data, 0};

	if (dot != NULL)
		extension = (struct zg_slice){dot + 1, path.size - (size_t)(dot + 1 - path.data)};
	for (size_t index = 0; index < sizeof(static_types) / sizeof(static_types[0]); index++)
		if (zg_slice_equals_nocase(extension, static_types[index].extension))
			return static_types[index].type;
	return "application/octet-stream";
}
