/*
 * control - the master's own socket, at which `drover reload`, `upgrade`, `scale` and `stop` ask:
 * one request a connection, a message of a verb's words; and one answer once it has come to its
 * end, a message "STATUS TEXT", with the exit status as a decimal and what has happened, one or
 * more lines. Who asks for the board gets "0 PID" at once, in every phase, and with it one
 * descriptor (SCM_RIGHTS) to read it by: see board_map().
 *
 * Root and who the master runs as may ask. Nobody can hold the master up: a connection has its time
 * to say what it wants, an answer that cannot be written at once is dropped, and so is a connection
 * that is closed, or says more, while it waits. Nothing that fails here ends the master.
 *
 * At an upgrade the socket, with those who wait in its queue, goes to the new master, and its file
 * to where that wants it; connections stay with the old master, which answers them.
 */
#ifndef DROVER_MASTER_CONTROL_H
#define DROVER_MASTER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "os/peer.h"

struct master;

enum control_stage {
    CONTROL_FREE,     /* this place has no connection */
    CONTROL_SILENT,   /* has not said what it asks for */
    CONTROL_WAITING,  /* for the end of it */
    CONTROL_ANSWERED, /* closed when the master ends, so that who has asked it to stop sees that */
};

struct control_peer {
    enum control_stage stage;
    int fd;
    unsigned kind;    /* enum outcome_kind: what it waits for */
    int64_t deadline; /* CLOCK_NEVER */
};

/* A part of struct master; control_init() comes first. */
struct control {
    int listener;         /* -1: none */
    char *path;           /* owned; where its file is; NULL */
    struct sockfile file; /* no file: it is the old master's */
    int asking;           /* whose request is being heeded; -1 */
    int64_t pause_until;  /* there was no descriptor for another connection; CLOCK_NEVER */
    bool is_short;        /* which was told */
    struct control_peer peers[CONTROL_PEERS_MAX];
};

/* Bytes of what control_variable() says. */
#define CONTROL_VARIABLE_SIZE (PEER_PATH_SIZE + 32)

void control_init(struct control *control);

/*
 * At the start: opens the socket where the configuration says, unless an old master has it. Returns
 * 0, or the status to exit with, its cause told: none for a place that was not asked for.
 */
int control_open(struct master *m);

/* The socket that was inherited; its file is the old master's until control_take_over(). */
bool control_inherit(struct master *m, int fd);

/* "NAME=VALUE" for the environment of a new master. False: there is no socket. */
bool control_variable(const struct control *control, char *text, size_t size);

/* This master serves: the socket is its own from here on. */
void control_take_over(struct master *m);

/* That of the new master, whose pid this was, is not to be: the file gets its name back, if it had
 * another one by then, or the socket is opened anew. */
void control_take_back(struct master *m, pid_t pid);

/* A new master serves: who has connected already is still answered. */
void control_hand_over(struct master *m);

/* What was asked for has come to its end: see outcome_end(). While the same goes on for others
 * (is_under_way), only who asks right now is told. */
void control_tell(struct master *m, unsigned kind, int status, const char *words);

/* The same for those who wait, but for who asks right now: what they wait for does not come. */
void control_tell_others(struct master *m, unsigned kind, int status, const char *words);

/* To be called every turn; and when the next one must be at the latest, CLOCK_NEVER. */
void control_tick(struct master *m);
int64_t control_next(const struct master *m);

/* In a child that is to have nothing of it. */
void control_leave(const struct control *control);

/* At the end of the master. The file is removed if it is this master's. */
void control_close(struct master *m);

#endif
