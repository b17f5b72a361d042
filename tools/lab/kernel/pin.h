/*
 * pin - one CPU for one process, of those that it may use (sched_setaffinity(2)).
 */
#ifndef DROVER_LAB_KERNEL_PIN_H
#define DROVER_LAB_KERNEL_PIN_H

/* This process goes to the CPU that is number n of those it may use, counted from 0 and around.
 * -1 with errno set. */
int pin_nth(unsigned n);

/* The last CPU that this process may use: the client's place. -1 when it may use no more than one,
 * or more than a cpu_set_t has: then nobody is pinned away. */
int pin_last(void);

#endif
