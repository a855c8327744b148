/*
 * The command line of the load generator.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

struct number_flag {
	const char *flag;
	uint64_t *value;
	uint64_t minimum;
	uint64_t maximum;
};

static int options_number(const struct number_flag *flag, const char *text)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < flag->minimum ||
	    value > flag->maximum) {
		fprintf(stderr, "lab-load: %s takes a whole number from %lu to %lu, not \"%s\".\n",
			flag->flag, flag->minimum, flag->maximum, text);
		return -EINVAL;
	}
	*flag->value = value;
	return 0;
}

/* ADDRESS:PORT of this machine's loopback: this program is no tool against others. */
static int options_target(struct sockaddr_in *target, const char *text)
{
	const char *colon = strrchr(text, ':');
	char address[INET_ADDRSTRLEN];
	uint64_t port = 0;
	const struct number_flag flag = {"--connect's port", &port, 1, UINT16_MAX};

	if (colon == NULL || (size_t)(colon - text) >= sizeof(address))
		goto misused;
	memcpy(address, text, (size_t)(colon - text));
	address[colon - text] = '\0';
	if (options_number(&flag, colon + 1) < 0)
		return -EINVAL;
	*target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, address, &target->sin_addr) == 1 &&
	    ntohl(target->sin_addr.s_addr) >> 24 == 127)
		return 0;
misused:
	fprintf(stderr, "lab-load: --connect takes 127.x.x.x:PORT, not \"%s\".\n", text);
	return -EINVAL;
}

static int options_flag(struct load_options *options, const char *flag, const char *value)
{
	const struct number_flag numbers[] = {
		{"--connections", &options->connections, 0, LOAD_CONNECTIONS_MAX},
		{"--rate", &options->rate, 1, 10000000},
		{"--seconds", &options->seconds, 1, LOAD_SECONDS_MAX},
		{"--warmup", &options->warmup_seconds, 0, LOAD_SECONDS_MAX},
		{"--post", &options->post_size, 0, LOAD_REQUEST_SIZE / 2},
	};

	if (strcmp(flag, "--connect") == 0)
		return options_target(&options->target, value);
	if (strcmp(flag, "--path") == 0 && value[0] == '/' && strlen(value) < 1024) {
		options->path = value;
		return 0;
	}
	if (strcmp(flag, "--json") == 0) {
		options->json_path = value;
		return 0;
	}
	for (size_t index = 0; index < sizeof(numbers) / sizeof(numbers[0]); index++) {
		if (strcmp(flag, numbers[index].flag) == 0)
			return options_number(&numbers[index], value);
	}
	fprintf(stderr, "lab-load: what is \"%s %s\"?\n", flag, value);
	return -EINVAL;
}

int load_options_parse(struct load_options *options, int argc, char **argv)
{
	*options = (struct load_options){
		.path = "/", .connections = 100, .rate = 1000, .seconds = 10, .warmup_seconds = 1};
	for (int index = 1; index + 1 < argc; index += 2) {
		if (options_flag(options, argv[index], argv[index + 1]) < 0)
			return -EINVAL;
	}
	if (argc % 2 == 1 && (options->target.sin_port != 0) == (options->connections > 0))
		return 0;
	fputs("usage: lab-load --connect 127.0.0.1:PORT [--path PATH] [--connections N]\n"
	      "                [--rate REQUESTS-A-SECOND] [--seconds N] [--warmup N]\n"
	      "                [--post BYTES] [--json FILE]\n"
	      "       lab-load --connections 0 [--rate N] [--seconds N] [--json FILE]: how late\n"
	      "                this machine lets a program be when nobody is asked\n",
	      stderr);
	return -EINVAL;
}
