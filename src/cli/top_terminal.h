/*
 * top_terminal - the terminal that a live screen has to itself: the alternate screen, keys as they
 * are pressed, and all as it was afterwards.
 *
 * Ctrl-C, Ctrl-\ and Ctrl-Z stay signals.
 */
#ifndef DROVER_CLI_TOP_TERMINAL_H
#define DROVER_CLI_TOP_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

#include "base/buf.h"

/* A zeroed struct is none. */
struct terminal {
    int in;  /* keys; -1: there are none to be had */
    int out; /* stdout */
    bool owns_in;
    bool is_entered;
    struct termios before;
};

/* Is stdout a terminal that a screen can be drawn on? One that is "dumb", or that TERM says nothing
 * of, cannot. */
bool terminal_is_there(void);

/* Keys come from stdin, or from the controlling terminal when stdin is none; to be read without
 * waiting. 0, or -1 with errno set. terminal_close() leaves it, too. */
int terminal_open(struct terminal *terminal);
void terminal_close(struct terminal *terminal);

/* Again is as good as once, and sets anew what somebody else has changed meanwhile. A process in
 * the background is stopped by it (SIGTTOU), until it is in the foreground. The screen is to be
 * erased then. */
int terminal_enter(struct terminal *terminal);

/* All as it was before; nothing where it was not entered. */
void terminal_leave(struct terminal *terminal);

/* Where the terminal does not know: 24 and 80, or what LINES and COLUMNS say. */
void terminal_size(int *rows, int *columns);

/* Does it take more within that time? Not while a slow line, or Ctrl-S, holds it. */
bool terminal_takes(int fd, int milliseconds);

/* All of it, by one write(2) unless that falls short. 0, or -1 with errno set. */
int terminal_write(int fd, const struct buf *bytes);

#endif
