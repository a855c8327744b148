/*
 * The zerog command: what its verbs share.
 *
 * Each verb is one function with main's shape; argv[0] is the verb itself. It
 * returns the exit status: 0 for success, 1 when what was asked could not be
 * had, 2 when the command line was not understood.
 */
#ifndef ZEROG_CLI_CLI_H
#define ZEROG_CLI_CLI_H

enum zgi_cli_status {
	ZGI_CLI_DONE = 0,
	ZGI_CLI_FAILED = 1,
	ZGI_CLI_MISUSED = 2,
};

int zgi_cli_plan(int argc, char **argv);
int zgi_cli_hold(int argc, char **argv);
int zgi_cli_seal(int argc, char **argv);

#endif
