/*
 * The floor of a commit: what the disk allows, with nothing kept in order.
 *
 *	floor_commit DIRECTORY GROUP SIZE COMMITS
 *
 * A file is allocated, filled and flushed first, so that no commit changes where its blocks are.
 * Then each commit copies GROUP records of SIZE bytes to a buffer, writes it by one pwrite(2)
 * behind the last, from the beginning again at the end, and waits for one fdatasync(2). No
 * checksum, no header, no recovery. Prints seconds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE (64 << 20) /* bytes: as all segments of the journal's */
#define BUFFER_SIZE (8 << 20)

static unsigned char buffer[BUFFER_SIZE];
static unsigned char record[65536];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int prepare(const char *directory)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/floor", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, FILE_SIZE) != 0)
		return -1;
	for (off_t offset = 0; offset < FILE_SIZE; offset += BUFFER_SIZE)
		if (pwrite(fd, buffer, BUFFER_SIZE, offset) != BUFFER_SIZE)
			return -1;
	return fsync(fd) < 0 ? -1 : fd;
}

static int commit(int fd, uint64_t group, size_t size, off_t *offset)
{
	ssize_t bytes = (ssize_t)(group * size);

	for (uint64_t count = 0; count < group; count++) {
		record[0]++;
		memcpy(buffer + count * size, record, size);
	}
	if (*offset + bytes > FILE_SIZE)
		*offset = 0;
	if (pwrite(fd, buffer, (size_t)bytes, *offset) != bytes || fdatasync(fd) < 0)
		return -1;
	*offset += bytes;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t group = argc == 5 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t size = argc == 5 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t commits = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	off_t offset = 0;
	double begin;
	int fd;

	if (group == 0 || size == 0 || size > sizeof(record) || group > BUFFER_SIZE / size) {
		fprintf(stderr, "usage: floor_commit DIRECTORY GROUP SIZE COMMITS\n");
		return 2;
	}
	fd = prepare(argv[1]);
	begin = now();
	for (uint64_t count = 0; fd >= 0 && count < commits; count++)
		if (commit(fd, group, size, &offset) < 0)
			fd = -1;
	if (fd < 0) {
		fprintf(stderr, "floor_commit: %s\n", strerror(errno));
		return 1;
	}
	printf("%.6f\n", now() - begin);
	return 0;
}
