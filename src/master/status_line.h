/*
 * status_line - one line that says how the server is, for a person who reads `systemctl status`.
 *
 * Pure: what there is to tell comes in. The line changes only with what it tells of: there is
 * nothing in it that runs by itself, such as the time that is left, since each change is a message.
 */
#ifndef DROVER_MASTER_STATUS_LINE_H
#define DROVER_MASTER_STATUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "master/health.h"

enum status_phase { STATUS_STARTING, STATUS_SERVING, STATUS_DRAINING };

struct status_line {
    enum status_phase phase;
    struct health health;
    uint64_t connections; /* open now */
    uint64_t rate;        /* requests a second */
    bool is_reloading;
    pid_t upgrade;       /* the new master, which starts; 0 */
    int64_t lame_duck;   /* milliseconds: the server is to stop, and accepts for so long; 0 */
    const char *failure; /* borrowed: what was asked last, and why it was not done; "", and NULL */
};

/* Cut to the size, which is at least 1. */
void status_line_write(const struct status_line *line, char *out, size_t size);

#endif
