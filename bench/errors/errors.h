/*
 * Errors: what an allocator says when its user makes a mistake.
 *
 * A mistake is made with a name: the address that malloc gave, or the handle that
 * a pool gave, each as 64 bits. So every subject sees the same mistakes, and each
 * case is written once.
 */
#ifndef ZEROG_BENCH_ERRORS_ERRORS_H
#define ZEROG_BENCH_ERRORS_ERRORS_H

#include <stddef.h>
#include <stdint.h>

struct errors_subject {
	/* Makes whatever take needs. */
	void (*begin)(void);
	/* The name of a new block; it ends the process when there is none. */
	uint64_t (*take)(size_t size);
	/* 0, or a negative errno: the mistake was told. The user knows the size by the type. */
	int (*give)(uint64_t name, size_t size);
	/* Where to write; NULL: the mistake was told. */
	void *(*memory)(uint64_t name, size_t size);
	/* Another name for the contents of a block; the old one is no more. */
	uint64_t (*move)(uint64_t name, size_t size);
	/* The name of a block that another allocator has made. */
	uint64_t (*foreign)(void);
};

struct errors_case {
	const char *kind; /* "double_free", "invalid_free", "write_after_free" */
	const char *name;
	void (*make)(const struct errors_subject *subject);
};

/* All cases, up to one whose name is NULL. */
extern const struct errors_case errors_cases[];

/* What a case's process ends with, when it ends by itself. */
enum errors_exit {
	ERRORS_EXIT_UNNOTICED = 0, /* all went on as if nothing were wrong */
	ERRORS_EXIT_TOLD = 10, /* the call that was wrong said so */
	ERRORS_EXIT_CORRUPT = 11, /* a block had two owners, or somebody else's contents */
	ERRORS_EXIT_UNABLE = 12, /* the case could not be set up */
};

/* Ends the process when the result of a call tells the mistake. */
void errors_heed(int result);

/* Goes on as a program would: takes, writes, checks and gives a thousand blocks of some sizes. */
void errors_go_on(const struct errors_subject *subject);

/* Runs every case in a process of its own, and prints what came of it as one line of JSON. */
int errors_main(const struct errors_subject *subject);

#endif
