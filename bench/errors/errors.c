/*
 * Each case runs in a child with a time limit, which inherits an allocator that
 * has done nothing yet. What the child writes to its standard error is the
 * allocator's: the cases themselves are silent.
 */
#include "errors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ERRORS_SECONDS_MAX 5
#define ERRORS_MESSAGE_SIZE 160
#define ERRORS_LIVE_COUNT 200
#define ERRORS_ROUND_COUNT 5

struct errors_block {
	uint64_t name;
	unsigned char *memory;
	size_t size;
};

void errors_heed(int result)
{
	if (result < 0)
		_exit(ERRORS_EXIT_TOLD);
}

static void errors_fill(const struct errors_block *block, size_t number)
{
	memset(block->memory, (int)(number & 0xff), block->size);
}

static bool errors_is_whole(const struct errors_block *block, size_t number)
{
	for (size_t index = 0; index < block->size; index++)
		if (block->memory[index] != (number & 0xff))
			return false;
	return true;
}

void errors_go_on(const struct errors_subject *subject)
{
	static const size_t sizes[] = {64, 48, 64, 24};
	static struct errors_block blocks[ERRORS_LIVE_COUNT];

	for (size_t round = 0; round < ERRORS_ROUND_COUNT; round++) {
		for (size_t number = 0; number < ERRORS_LIVE_COUNT; number++) {
			struct errors_block *block = &blocks[number];

			block->size = sizes[number % 4];
			block->name = subject->take(block->size);
			block->memory = subject->memory(block->name, block->size);
			errors_fill(block, number);
		}
		/* A block that has two owners has the contents of the later one. */
		for (size_t number = 0; number < ERRORS_LIVE_COUNT; number++)
			if (!errors_is_whole(&blocks[number], number))
				_exit(ERRORS_EXIT_CORRUPT);
		for (size_t number = 0; number < ERRORS_LIVE_COUNT; number++)
			errors_heed(subject->give(blocks[number].name, blocks[number].size));
	}
}

_Noreturn static void errors_child(const struct errors_subject *subject,
				   const struct errors_case *wrong, int message_fd)
{
	static const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	alarm(ERRORS_SECONDS_MAX);
	if (dup2(message_fd, STDERR_FILENO) < 0)
		_exit(ERRORS_EXIT_UNABLE);
	subject->begin();
	wrong->make(subject);
	errors_go_on(subject);
	_exit(ERRORS_EXIT_UNNOTICED);
}

/* The first line that the allocator wrote, without what JSON would have to escape. */
static void errors_read_message(int fd, char *message)
{
	char text[ERRORS_MESSAGE_SIZE];
	ssize_t size = pread(fd, text, sizeof(text) - 1, 0);
	const char *start;

	text[size > 0 ? size : 0] = '\0';
	start = text + strspn(text, "=\n "); /* ASan begins with a rule */
	snprintf(message, ERRORS_MESSAGE_SIZE, "%.*s", (int)strcspn(start, "\n"), start);
	for (char *at = message; *at != '\0'; at++)
		if (*at < ' ' || *at == '"' || *at == '\\')
			*at = ' ';
}

/* A program that stops itself tells that something is wrong; one that is stopped, because it
 * touched what is not there, has been lucky, and tells nothing. */
static const char *errors_outcome(int status, const char *message)
{
	if (WIFSIGNALED(status)) {
		switch (WTERMSIG(status)) {
		case SIGABRT:
		case SIGTRAP:
		case SIGILL:
			return "caught";
		case SIGALRM:
			return "hung";
		default:
			return message[0] != '\0' ? "caught" : "crashed";
		}
	}
	if (message[0] != '\0' || WEXITSTATUS(status) == ERRORS_EXIT_TOLD)
		return "caught";
	if (WEXITSTATUS(status) == ERRORS_EXIT_CORRUPT)
		return "corrupted";
	return WEXITSTATUS(status) == ERRORS_EXIT_UNNOTICED ? "unnoticed" : "unable";
}

static void errors_run(const struct errors_subject *subject, const struct errors_case *wrong)
{
	char message[ERRORS_MESSAGE_SIZE];
	const char *outcome;
	int fd = memfd_create("message", MFD_CLOEXEC);
	int status;
	pid_t child;

	child = fd < 0 ? -1 : fork();
	if (child == 0)
		errors_child(subject, wrong, fd);
	if (child < 0 || waitpid(child, &status, 0) < 0) {
		fprintf(stderr, "bench errors: starting a case: %s\n", strerror(errno));
		_exit(1);
	}
	errors_read_message(fd, message);
	close(fd);
	outcome = errors_outcome(status, message);
	if (message[0] == '\0' && WIFSIGNALED(status))
		snprintf(message, sizeof(message), "%s", strsignal(WTERMSIG(status)));
	else if (message[0] == '\0' && WEXITSTATUS(status) == ERRORS_EXIT_TOLD)
		snprintf(message, sizeof(message), "the call failed");
	printf("{\"kind\": \"%s\", \"name\": \"%s\", \"outcome\": \"%s\", \"how\": \"%s\"}",
	       wrong->kind, wrong->name, outcome, message);
}

int errors_main(const struct errors_subject *subject)
{
	/* Unbuffered: a child must not inherit what its parent has yet to print, and the parent
	 * must not touch the allocator that its children are to inherit. */
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("[");
	for (const struct errors_case *wrong = errors_cases; wrong->name != NULL; wrong++) {
		printf("%s", wrong == errors_cases ? "" : ", ");
		errors_run(subject, wrong);
	}
	printf("]\n");
	return 0;
}
