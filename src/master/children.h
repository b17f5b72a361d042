/*
 * children - the processes that the master has forked and not yet reaped.
 */
#ifndef DROVER_MASTER_CHILDREN_H
#define DROVER_MASTER_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/runtime.h"
#include "worker/board.h"
#include "worker/order.h"

struct generation;

/* What was seen of a worker at the last looks at the board. */
struct pulse {
    uint64_t turn;      /* the turn, by busy_since, that has lasted long */
    uint64_t turn_done; /* what it had accepted and answered then */
    int64_t turn_at;    /* when that was first seen */
    struct runtime turn_runtime;
    uint64_t accepted;   /* by the board */
    int64_t still_since; /* since when nothing was accepted, though clients wait; CLOCK_NEVER */
    struct runtime still_runtime;
};

/* The process beside a worker that outlives it: see worker/standby.h. */
struct standby {
    pid_t pid;         /* 0: it was not told yet, or there is none */
    int channel;       /* socketpair; owned; -1: none */
    bool is_stopped;   /* by a signal */
    bool is_dismissed; /* it was killed on purpose: its end is no news */
    int makes_room;    /* that was for the worker of the slot of this number less 1; 0: not so */
    bool is_parted;    /* from a worker that hung: it has a table of its own */
    int slot_count;    /* there were so many when it was made: it has no others' doors */
    int logs;          /* logs_room.number then */
};

/* Of a worker that a standby makes: what it goes on with. */
struct heritage {
    int from;         /* the row of the worker that it succeeds, kept until it is ready; -1: none */
    int end;          /* its end of the channel, until its standby has it; owned; -1: none */
    bool is_hung;     /* the worker may come back */
    int64_t since_us; /* when its making began, as clock_us() */
    int64_t until;    /* its beginning is waited for, as clock_ms(); CLOCK_NEVER */
};

struct child {
    pid_t pid;                     /* 0 while is_awaited */
    struct generation *generation; /* borrowed */
    int slot;
    int row;     /* of the board */
    int channel; /* socketpair; owned */
    struct standby standby;
    struct heritage heritage;
    bool is_awaited;      /* its standby is to make it, or has and did not say so yet */
    bool is_superseded;   /* it hung, and its standby's successor goes on; it may come back */
    bool is_hurried;      /* the same, and nobody is to stay in its slot */
    bool is_aborted;      /* the same, and its time was up */
    bool is_twinned;      /* one that is superseded has copies of what it has */
    bool is_leaving;      /* it was dismissed: the slot is no longer its own */
    bool is_heir;         /* it starts to take over from the slot's worker */
    bool is_ready;        /* has said that it accepts */
    bool is_stopped;      /* by a signal */
    bool is_hung;         /* in its turn of the loop */
    bool is_reopening;    /* has not confirmed new log files */
    bool is_killed;       /* on the user's wish: its end is no news */
    bool is_bare;         /* it goes without a standby until there are processes enough */
    bool is_relieved;     /* another is to take its place for the want of a standby alone */
    bool is_relief;       /* the other, which ends where it gets none either */
    enum board_end cause; /* of its end, if that was decided; BOARD_ENDS */
    int64_t begun;        /* when it was forked, as clock_ms() */
    int64_t start_ms;     /* from then until it was ready */
    int64_t relieve_at;   /* it has no standby, and is replaced then at the earliest; CLOCK_NEVER */
    int64_t deadline;     /* of one that leaves; CLOCK_NEVER */
    uint32_t closing;     /* the same: as in order.h */
    int64_t look_at;      /* the same, which has a standby yet: leavers.h; CLOCK_NEVER */
    char why[sizeof((struct report *)0)->why]; /* why it could not start; "" */
    struct pulse pulse;
};

/* A pointer to a child is valid until the next children_add() or children_remove(). */
struct children {
    struct child *list; /* owned */
    size_t count;
    size_t room;
};

/* Room for one more, so that a child that was forked can always be kept. -1 with errno set. */
int children_reserve(struct children *all);

/* Takes over the channel. children_reserve() was called before. */
struct child *children_add(struct children *all, pid_t pid, struct generation *generation, int slot,
                           int row, int channel);

/* A row of the board that no child writes to, or is made from, the slot's number where it can be;
 * -1: there is none.
 */
int children_free_row(const struct children *all, int slot);

/* Closes its channels and forgets it. */
void children_remove(struct children *all, struct child *child);

/* Closes every channel and gives the memory back. */
void children_free(struct children *all);

struct child *children_by_pid(const struct children *all, pid_t pid);
struct child *children_by_channel(const struct children *all, int channel);
struct child *children_by_standby(const struct children *all, pid_t standby);

/* The generation's worker in the slot; NULL when there is none. Those that leave are not it, nor is
 * its successor, which is the other. */
struct child *children_of_slot(const struct children *all, const struct generation *generation,
                               int slot);
struct child *children_heir_of_slot(const struct children *all, const struct generation *generation,
                                    int slot);

/* The nearest deadline of those that leave; CLOCK_NEVER. */
int64_t children_next(const struct children *all);

#endif
