/*
 * One process measures one subject on one trace, once. What it needs besides is
 * mapped and touched first; what it found is printed as one line of JSON.
 *
 * The least that each operation ever took, over identical replays in processes of
 * their own, is kept in a file between them: what is left is what the allocator
 * does, without what the machine does.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "remote.h"

#define HARNESS_OP_COUNT_MAX 16000000

struct harness_options {
	const struct alloc_subject *subject;
	uint16_t size; /* bytes; 0: mixed */
	uint32_t op_count;
	const char *minima_path; /* NULL: not kept */
	int cpus[2];
	bool is_remote;
};

_Noreturn void alloc_die(const char *what, int error)
{
	fprintf(stderr, "bench alloc: %s: %s\n", what, strerror(error));
	_exit(1);
}

void *alloc_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		alloc_die("mapping memory", errno);
	memset(memory, 0, size);
	return memory;
}

_Noreturn static void harness_misused(const char *program)
{
	fprintf(stderr,
		"usage: %s --subject NAME --ops N [--size BYTES (0: mixed)] [--minima FILE]\n"
		"       [--cpu N] [--cpu-other N] [--remote]\n"
		"       %s --list\n",
		program, program);
	exit(2);
}

static uint32_t harness_number(const char *program, const char *text, uint32_t maximum)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || value > maximum)
		harness_misused(program);
	return (uint32_t)value;
}

static struct harness_options harness_parse(int argc, char **argv,
					    const struct alloc_subject *const *subjects)
{
	struct harness_options options = {.cpus = {0, 1}};

	for (int index = 1; index < argc; index++) {
		const char *flag = argv[index];
		const char *value = index + 1 < argc ? argv[index + 1] : "";

		if (strcmp(flag, "--remote") == 0) {
			options.is_remote = true;
			continue;
		}
		index++;
		if (strcmp(flag, "--minima") == 0)
			options.minima_path = value;
		else if (strcmp(flag, "--size") == 0)
			options.size = (uint16_t)harness_number(argv[0], value, ALLOC_SIZE_MAX);
		else if (strcmp(flag, "--ops") == 0)
			options.op_count = harness_number(argv[0], value, HARNESS_OP_COUNT_MAX);
		else if (strcmp(flag, "--cpu") == 0)
			options.cpus[0] = (int)harness_number(argv[0], value, CPU_SETSIZE - 1);
		else if (strcmp(flag, "--cpu-other") == 0)
			options.cpus[1] = (int)harness_number(argv[0], value, CPU_SETSIZE - 1);
		else if (strcmp(flag, "--subject") != 0)
			harness_misused(argv[0]);
		for (size_t number = 0; subjects[number] != NULL; number++)
			if (strcmp(flag, "--subject") == 0 &&
			    strcmp(value, subjects[number]->name) == 0)
				options.subject = subjects[number];
	}
	if (options.subject == NULL || options.op_count == 0 ||
	    options.op_count % ALLOC_BATCH_SIZE != 0)
		harness_misused(argv[0]);
	return options;
}

static void harness_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		alloc_die("pinning to a CPU", errno);
}

static struct alloc_run harness_run(struct alloc_trace *trace)
{
	return (struct alloc_run){
		.trace = trace,
		.slots = alloc_map(ALLOC_LIVE_COUNT * sizeof(struct alloc_slot)),
		.take_ticks = alloc_map(trace->op_count * sizeof(uint32_t)),
		.give_ticks = alloc_map(trace->op_count * sizeof(uint32_t)),
	};
}

/* Lowers what the file holds of one kind of operation to the readings of this replay. */
static void harness_keep_minima(const uint32_t *ticks, uint32_t *minima, size_t count)
{
	for (size_t index = 0; index < count; index++)
		if (minima[index] == 0 || ticks[index] < minima[index])
			minima[index] = ticks[index];
}

static void harness_print_minima(const char *path, const struct alloc_run *run, double ns_per_tick)
{
	size_t count = run->trace->op_count;
	size_t size = 2 * count * sizeof(uint32_t);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	uint32_t *minima;

	/* What a new file is extended by reads as 0, which no reading is. */
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		alloc_die(path, errno);
	minima = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (minima == MAP_FAILED)
		alloc_die(path, errno);
	harness_keep_minima(run->take_ticks, minima, count);
	harness_keep_minima(run->give_ticks, minima + count, count);
	alloc_figures_print("intrinsic_take", minima, count, ns_per_tick);
	printf(", ");
	alloc_figures_print("intrinsic_give", minima + count, count, ns_per_tick);
	printf(", ");
	close(fd);
}

/* By the thread's own clock, which stands still while others have the CPU. */
static double harness_mean_ns(void (*loop)(struct alloc_run *run), struct alloc_run *run)
{
	uint64_t begin = alloc_clock_ns(CLOCK_THREAD_CPUTIME_ID);

	loop(run);
	return (double)(alloc_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin) /
	       (double)run->trace->op_count;
}

static void harness_measure(const struct harness_options *options, struct alloc_trace *trace)
{
	const struct alloc_subject *subject = options->subject;
	struct alloc_run run = harness_run(trace);
	struct rusage before;
	struct rusage after;
	uint64_t begin_ns = alloc_clock_ns(CLOCK_MONOTONIC);
	uint64_t begin_ticks = alloc_ticks_begin();
	double ns_per_tick;
	double mean_ns;
	double mean_touched_ns;
	double turns_ns;
	double pairs_ns;

	if (!subject->is_batched)
		subject->fill(&run);
	getrusage(RUSAGE_SELF, &before);
	subject->timed(&run);
	getrusage(RUSAGE_SELF, &after);
	mean_ns = harness_mean_ns(subject->replace, &run);
	mean_touched_ns = harness_mean_ns(subject->replace_touched, &run);
	if (!subject->is_batched)
		subject->drain(&run);
	turns_ns = harness_mean_ns(subject->turns, &run);
	pairs_ns = harness_mean_ns(subject->pairs, &run);
	ns_per_tick = (double)(alloc_clock_ns(CLOCK_MONOTONIC) - begin_ns) /
		      (double)(alloc_ticks_end() - begin_ticks);

	printf("{\"mean_ns\": %.3f, \"mean_touched_ns\": %.3f, \"turns_ns\": %.3f, "
	       "\"pairs_ns\": %.3f, \"failures\": %llu, \"takes\": %zu, \"minor_faults\": %ld, "
	       "\"involuntary_switches\": %ld, \"step_ns\": %.2f, ",
	       mean_ns, mean_touched_ns, turns_ns, pairs_ns, (unsigned long long)run.failure_count,
	       5 * trace->op_count, after.ru_minflt - before.ru_minflt,
	       after.ru_nivcsw - before.ru_nivcsw,
	       ns_per_tick * alloc_figures_step(run.take_ticks, trace->op_count));
	if (options->minima_path != NULL)
		harness_print_minima(options->minima_path, &run, ns_per_tick);
	alloc_figures_print("take", run.take_ticks, trace->op_count, ns_per_tick);
	printf(", ");
	alloc_figures_print("give", run.give_ticks, trace->op_count, ns_per_tick);
	printf("}\n");
}

static void harness_measure_remote(const struct harness_options *options)
{
	const struct alloc_subject *subject = options->subject;
	struct alloc_remote *remote = alloc_map(sizeof(*remote));
	uint64_t elapsed_ns;

	if (subject->produce == NULL)
		alloc_die(subject->name, ENOTSUP);
	remote->count = options->op_count;
	remote->size = options->size;
	elapsed_ns = alloc_remote_run(remote, subject, options->cpus);
	printf("{\"remote_ns\": %.3f, \"failures\": %llu}\n",
	       (double)elapsed_ns / (double)remote->count,
	       (unsigned long long)remote->failure_count);
}

static void harness_list(const struct alloc_subject *const *subjects)
{
	for (size_t number = 0; subjects[number] != NULL; number++)
		printf("%s\n", subjects[number]->name);
}

int alloc_main(int argc, char **argv, const struct alloc_subject *const *subjects)
{
	struct harness_options options;
	struct alloc_trace trace = {0};
	int result;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		harness_list(subjects);
		return 0;
	}
	options = harness_parse(argc, argv, subjects);
	trace.op_count = options.op_count;
	harness_pin(options.cpus[0]);
	trace.ops = alloc_map(trace.op_count * sizeof(struct alloc_op));
	trace.first_sizes = alloc_map(ALLOC_LIVE_COUNT * sizeof(uint16_t));
	alloc_trace_make(&trace, options.size);
	result = options.subject->begin(&trace);
	if (result < 0)
		alloc_die(options.subject->name, -result);
	if (options.is_remote)
		harness_measure_remote(&options);
	else
		harness_measure(&options, &trace);
	return 0;
}
