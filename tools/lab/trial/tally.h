/*
 * tally - what a worker under test counts of itself: one row a worker, in memory that the
 * supervisor sees (an anonymous shared mapping). Only its worker writes a row, but for `spin`.
 *
 * How often a worker was woken is not among it: user space cannot know (account.h).
 */
#ifndef DROVER_LAB_TRIAL_TALLY_H
#define DROVER_LAB_TRIAL_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

struct tally {
    _Alignas(64) _Atomic uint64_t accepted; /* connections taken in */
    _Atomic uint64_t answered;              /* requests, and greetings */
    _Atomic uint64_t returns;               /* the wait came back with something */
    _Atomic uint64_t wasted;  /* of these for a listener that had nothing any more: EAGAIN */
    _Atomic uint64_t open;    /* connections that it holds now */
    _Atomic uint64_t busy_us; /* CPU time that the requests asked it to burn */
    _Atomic uint32_t ready;   /* it has registered, and is about to wait; or TALLY_FAILED */
    _Atomic uint32_t spin;    /* the supervisor's: as long as it is set, a SIGUSR1 spins */
    char words[128];          /* why it could not start, or has ended by itself; NUL-terminated */
};

#define TALLY_READY  1U
#define TALLY_FAILED 2U

/* `count` zeroed rows. NULL with errno set on failure. */
struct tally *tally_open(unsigned count);
void tally_close(struct tally *rows, unsigned count);

/* Leaves words in a row and marks it failed; printf(3)'s format. */
void tally_fail(struct tally *row, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
