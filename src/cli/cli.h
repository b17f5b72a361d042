/*
 * cli - the subcommands of drover. Each gets the arguments behind its name and returns the status
 * to exit with.
 */
#ifndef DROVER_CLI_CLI_H
#define DROVER_CLI_CLI_H

int cli_check(int argc, char *const argv[]);
int cli_doctor(int argc, char *const argv[]);
int cli_reload(int argc, char *const argv[]);
int cli_scale(int argc, char *const argv[]);
int cli_serve(int argc, char *const argv[]);
int cli_reopen(int argc, char *const argv[]);
int cli_status(int argc, char *const argv[]);
int cli_stop(int argc, char *const argv[]);
int cli_top(int argc, char *const argv[]);
int cli_upgrade(int argc, char *const argv[]);
int cli_version(int argc, char *const argv[]);

#endif
