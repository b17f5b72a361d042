/*
 * mailbox - what other threads have posted for the worker's own: a list behind a mutex, and an
 * eventfd(2) that is written when the list was empty.
 */
#ifndef DROVER_WORKER_MAILBOX_H
#define DROVER_WORKER_MAILBOX_H

#include <pthread.h>

struct letter;

struct mailbox {
    int fd; /* readable while there is something; owned */
    pthread_mutex_t lock;
    struct letter *first;
    struct letter **last;
};

/* Returns -1 with errno set. */
int mailbox_open(struct mailbox *mailbox);

/* What was posted and not run is forgotten. No thread posts any more. */
void mailbox_close(struct mailbox *mailbox);

/* From any thread. -1 with errno ENOMEM. */
int mailbox_post(struct mailbox *mailbox, void (*fn)(void *argument), void *argument);

/* Calls all that was posted until now, in that order. */
void mailbox_run(struct mailbox *mailbox);

#endif
