/*
 * Files: a folder served as it was when the service started.
 *
 *	zg_static(&app, "/assets", "public", NULL);
 *
 * At boot a table is made of all files in the folder and the folders in it, and each
 * file is opened. A request's path is looked up in that table and nowhere else, so
 * that no path, however it is written, leads out of the folder; and no file is opened
 * while requests are served.
 *
 * A file that is written to in place is noticed at its next request: length, date and
 * entity tag are always those of the bytes that are sent. A file that comes new, or
 * takes the place of another, is served after a restart; until then the old one is.
 *
 * Threads    Folders are registered before zg_app_main(), from one thread.
 * Limits     ZG_STATIC_FOLDERS_MAX folders; --static-files over all of them, each of
 *            which holds a descriptor; --static-memory-size for small ones' contents.
 */
#ifndef ZEROG_FILES_H
#define ZEROG_FILES_H

#include <zerog/attributes.h>

ZG_BEGIN_DECLS

struct zg_app;

#define ZG_STATIC_FOLDERS_MAX 8
#define ZG_STATIC_PATH_SIZE 200 /* bytes of a file's path from its folder, at most */
#define ZG_STATIC_DEPTH_MAX 16 /* folders within folders */

struct zg_static_options {
	const char *cache_control; /* borrowed for the app's life: the field's value. NULL stands
				    * for "no-cache": kept, and asked for again each time */
};

/**
 * zg_static() - serve the files of a folder
 * @app:      initialised
 * @prefix:   "/assets", or "" for the root; borrowed for the app's life. Routes of other handlers
 *            under it win where they are more specific
 * @folder:   its path, from where the service is started; borrowed for the app's life
 * @options:  read during the call; NULL for none
 *
 * GET and HEAD of "/assets/a/b.css" are answered with public/a/b.css, "/assets/a/" with
 * public/a/index.html, "/assets/a" with a redirect to it. ETag and Last-Modified with their
 * conditions, a range, and If-Range are as of RFC 9110. Where "b.css.br", "b.css.zst" or "b.css.gz"
 * lie beside the file and are not older, they are sent to a client that accepts them.
 *
 * Names that begin with a dot are left out. A symbolic link may lead to a file in the same folder;
 * one that leads out of it, or to a folder, keeps the service from starting, as a folder does that
 * is not there: zg_app_main() names it.
 */
void zg_static(struct zg_app *app, const char *prefix, const char *folder,
	       const struct zg_static_options *options);

ZG_END_DECLS

#endif
