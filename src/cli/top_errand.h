/*
 * top_errand - work that may take its time, done by a child, while the screen goes on: what it
 * prints, and a descriptor if it has one to give, come back.
 */
#ifndef DROVER_CLI_TOP_ERRAND_H
#define DROVER_CLI_TOP_ERRAND_H

#include <stdbool.h>
#include <sys/types.h>

/* Bytes of what is printed, with the NUL; the rest is dropped. */
#define ERRAND_WORDS 1024

/* A zeroed struct is none. */
struct errand {
    pid_t pid; /* 0: none is under way */
    int fd;    /* readable when there is something for errand_turn() */
    int given; /* the descriptor; the caller's once it has ended; -1: none */
    int status;
    char words[ERRAND_WORDS];
};

/* In the child: leaves in *give a descriptor, or -1 as it was. Returns the status to exit with. */
typedef int errand_fn(const void *context, int *give);

/* The child has the signals' defaults and ends with this process. 0, or -1 with errno set. */
int errand_begin(struct errand *errand, errand_fn *work, const void *context);

/* Takes what has come. True when it has ended: then status, words and given are there. */
bool errand_turn(struct errand *errand);

/* Ends one that is under way; what it has asked a server for goes on there. */
void errand_stop(struct errand *errand);

#endif
