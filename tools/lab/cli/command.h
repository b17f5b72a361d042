/*
 * command - the words after drover-lab: one function and one file each. argv[0] is the word itself.
 *
 * Each returns an exit status: EX_OK, EX_USAGE with a message that says what is allowed, or what
 * its own file says.
 */
#ifndef DROVER_LAB_CLI_COMMAND_H
#define DROVER_LAB_CLI_COMMAND_H

/* A run in which the kernel counted other wakeups than /proc, or an expectation that is not met. */
#define EXIT_DIFFERS 1

int command_list(int argc, char **argv);
int command_run(int argc, char **argv);
int command_all(int argc, char **argv);
int command_expect(int argc, char **argv);
int command_claims(int argc, char **argv);
int command_report(int argc, char **argv);
int command_diff(int argc, char **argv);

#endif
