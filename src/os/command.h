/*
 * command - how this process was started: its program's path and its arguments, so that it can be
 * started once more (proc(5), /proc/PID/cmdline and exe).
 */
#ifndef DROVER_OS_COMMAND_H
#define DROVER_OS_COMMAND_H

struct command {
    char *path;  /* owned: as it was called; where it was searched for in PATH, what was found */
    char **argv; /* owned: NULL at the end */
    char *text;  /* private */
};

/* Returns 0, or -1 with errno set. */
int command_read(struct command *command);

/* A zeroed one is allowed. */
void command_free(struct command *command);

#endif
