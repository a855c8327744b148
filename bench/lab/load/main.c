/*
 * lab-load: press a server on this machine at a fixed rate.
 */
#include <stdio.h>
#include <string.h>

#include "load.h"

int main(int argc, char **argv)
{
	static struct load load;
	static struct load_result result;
	struct load_options options;
	int error;

	if (load_options_parse(&options, argc, argv) < 0)
		return 2;
	error = load_open(&load, &options, &result);
	if (error < 0) {
		fprintf(stderr, "lab-load: the connections cannot be opened: %s.\n",
			strerror(-error));
		load_close(&load);
		return 1;
	}
	error = options.connections > 0 ? load_run(&load) : load_run_alone(&load);
	load_close(&load);
	if (error == 0)
		error = load_report(&options, &result);
	if (error < 0) {
		fprintf(stderr, "lab-load: %s.\n", strerror(-error));
		return 1;
	}
	return result.answered > 0 ? 0 : 1;
}
