/*
 * Maps and pools on true persistent memory: an NVDIMM with a DAX file system on /pmem, made by
 * nvdimm.sh. Run by `./dev hw`, as root.
 */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zerog/pmem_pool.h>

#define SIZE (1 << 20)
#define OBJECT_COUNT 4096
#define CUT_COUNT 1000

static char message[512];
static struct zg_text error;
static struct zg_pmem map;
static struct zg_pmem_pool pool;
static alignas(64) unsigned char memory[ZG_POOL_ROUND(OBJECT_COUNT * 12)];

static void open_map(const char *path)
{
	const struct zg_pmem_options options = {.path = path, .size = SIZE, .create = true};

	zg_text_init(&error, message, sizeof(message));
	if (zg_pmem_open(&map, &options, &error) != 0)
		fail_msg("%s", message);
}

static void open_pool(const char *path)
{
	const struct zg_pmem_pool_options options = {
		.name = "objects",
		.map = &map,
		.memory = memory,
		.memory_size = sizeof(memory),
		.object_size = 64,
		.object_count = OBJECT_COUNT,
		.tag = 1,
		.create = true,
	};

	open_map(path);
	if (zg_pmem_pool_open(&pool, &options, &error) != 0)
		fail_msg("%s", message);
}

static void close_pool(void)
{
	zg_pmem_pool_close(&pool);
	zg_pmem_close(&map);
}

static void file_on_it_is_true_persistent_memory(void **state)
{
	struct zg_pmem_pending pending;

	(void)state;
	open_map("/pmem/map");
	assert_true(zg_pmem_is_persistent_memory(&map));
	assert_int_equal(zg_pmem_fd(&map), -1);
	zg_pmem_store(&map, 100, "persistent", 10);
	zg_pmem_flush(&map, 100, 10);
	zg_pmem_fence_begin(&map, &pending);
	assert_int_equal(pending.fd, -1);
	assert_int_equal(zg_pmem_fence_end(&map, &pending, 0), 0);
	zg_pmem_close(&map);
}

static void file_beside_it_is_an_ordinary_one(void **state)
{
	(void)state;
	open_map("/ordinary/map");
	assert_false(zg_pmem_is_persistent_memory(&map));
	assert_true(zg_pmem_fd(&map) >= 0);
	zg_pmem_close(&map);
	assert_int_equal(unlink("/ordinary/map"), 0);
}

static void file_larger_than_the_device_fails_when_it_is_made(void **state)
{
	const struct zg_pmem_options options = {
		.path = "/pmem/large", .size = UINT64_C(256) << 20, .create = true};

	(void)state;
	zg_text_init(&error, message, sizeof(message));
	assert_int_equal(zg_pmem_open(&map, &options, &error), -ENOSPC);
	assert_int_equal(access("/pmem/large", F_OK), -1);
}

static void what_was_fenced_is_there_after_another_mount(void **state)
{
	zg_handle handle;
	void *object;

	(void)state;
	open_pool("/pmem/pool");
	assert_true(zg_pmem_is_persistent_memory(&map));
	assert_int_equal(zg_pmem_pool_reserve(&pool, &handle, &object), 0);
	memset(object, 'x', 64);
	assert_int_equal(zg_pmem_pool_publish(&pool, handle), 0);
	close_pool();
	assert_int_equal(umount("/pmem"), 0);
	assert_int_equal(mount("/dev/pmem0", "/pmem", "ext4", 0, "dax"), 0);
	open_pool("/pmem/pool");
	assert_int_equal(*(const char *)zg_pmem_pool_get(&pool, handle), 'x');
	close_pool();
	assert_int_equal(unlink("/pmem/pool"), 0);
}

/* Publishes until it is killed, and tells of each handle behind its publish. */
static void publish_for_ever(int fd)
{
	zg_handle handle;
	void *object;

	open_pool("/pmem/killed");
	while (zg_pmem_pool_reserve(&pool, &handle, &object) == 0) {
		memset(object, 'y', 64);
		if (zg_pmem_pool_publish(&pool, handle) != 0 ||
		    write(fd, &handle, sizeof(handle)) != sizeof(handle))
			_exit(1);
	}
	(void)pause();
}

static void object_is_there_whose_publish_returned_before_the_kill(void **state)
{
	static zg_handle handles[OBJECT_COUNT];
	size_t count = 0;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		publish_for_ever(ends[1]);
	close(ends[1]);
	while (count < 1000 &&
	       read(ends[0], &handles[count], sizeof(zg_handle)) == sizeof(zg_handle))
		count++;
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (count < OBJECT_COUNT &&
	       read(ends[0], &handles[count], sizeof(zg_handle)) == sizeof(zg_handle))
		count++;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(ends[0]);
	assert_true(count >= 1000);
	open_pool("/pmem/killed");
	for (size_t index = 0; index < count; index++) {
		const unsigned char *object = zg_pmem_pool_get(&pool, handles[index]);

		assert_non_null(object);
		assert_true(object[0] == 'y' && object[63] == 'y');
	}
	close_pool();
	assert_int_equal(unlink("/pmem/killed"), 0);
}

/* Before a power failure: nvdimm_cut.sh. */
static int publish_some(void)
{
	zg_handle handle;
	void *object;

	open_pool("/pmem/cut");
	for (int number = 0; number < CUT_COUNT; number++) {
		if (zg_pmem_pool_reserve(&pool, &handle, &object) != 0)
			return 1;
		memset(object, number % 251 + 1, 64);
		if (zg_pmem_pool_publish(&pool, handle) != 0)
			return 1;
	}
	/* One that is only reserved. */
	if (zg_pmem_pool_reserve(&pool, &handle, &object) != 0)
		return 1;
	memset(object, 1, 64);
	(void)printf("published %d\n", CUT_COUNT);
	return 0;
}

/* And after it: nvdimm_after.sh. */
static int find_them(void)
{
	uint32_t cursor = 0;
	int whole_count = 0;
	int count = 0;
	const void *object;
	zg_handle handle;

	open_pool("/pmem/cut");
	while (zg_pmem_pool_next(&pool, &cursor, &handle, &object) == 1) {
		unsigned char expected[64];

		memset(expected, count++ % 251 + 1, sizeof(expected));
		if (memcmp(object, expected, sizeof(expected)) == 0)
			whole_count++;
	}
	(void)printf("found %d, whole %d\n", count, whole_count);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_on_it_is_true_persistent_memory),
		cmocka_unit_test(file_beside_it_is_an_ordinary_one),
		cmocka_unit_test(file_larger_than_the_device_fails_when_it_is_made),
		cmocka_unit_test(what_was_fenced_is_there_after_another_mount),
		cmocka_unit_test(object_is_there_whose_publish_returned_before_the_kill),
	};

	if (argc > 1)
		return strcmp(argv[1], "publish") == 0 ? publish_some() : find_them();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
