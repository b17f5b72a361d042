/*
 * plain - the load with one connection at a time, by blocking calls: nothing costs a client less.
 * That it waits no longer than the plan has patience is a timer's doing, whose signal interrupts
 * the calls now and then (setitimer(2)), so a connection costs no system call for it.
 */
#ifndef DROVER_LAB_CLIENT_PLAIN_H
#define DROVER_LAB_CLIENT_PLAIN_H

#include "lab/client/load.h"

/* Opens a connection, asks once, and leaves it open. Returns its descriptor, or -1 after
 * load_fail(). */
int plain_open_idle(struct load *load);

/* Runs the plan; load_start() is its own. Returns 0, or -1 after load_fail(). */
int plain_run(struct load *load);

#endif
