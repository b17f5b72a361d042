#include "worker/mailbox.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct letter {
    struct letter *next;
    void (*fn)(void *argument);
    void *argument;
};

int mailbox_open(struct mailbox *mailbox)
{
    *mailbox = (struct mailbox){.lock = PTHREAD_MUTEX_INITIALIZER};
    mailbox->last = &mailbox->first;
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return mailbox->fd < 0 ? -1 : 0;
}

/* The whole list, which is empty after it. */
static struct letter *take_all(struct mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    struct letter *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}

void mailbox_close(struct mailbox *mailbox)
{
    struct letter *next;
    for (struct letter *one = take_all(mailbox); one; one = next) {
        next = one->next;
        free(one);
    }
    close(mailbox->fd);
    mailbox->fd = -1;
    pthread_mutex_destroy(&mailbox->lock);
}

/* The counter cannot overflow: it is written once for each time that the list was empty. */
static void ring(const struct mailbox *mailbox)
{
    const uint64_t one = 1;
    if (write(mailbox->fd, &one, sizeof one) < 0)
        return;
}

int mailbox_post(struct mailbox *mailbox, void (*fn)(void *argument), void *argument)
{
    struct letter *letter = malloc(sizeof *letter);
    if (!letter)
        return -1;
    *letter = (struct letter){.fn = fn, .argument = argument};
    pthread_mutex_lock(&mailbox->lock);
    int was_empty = mailbox->first == NULL;
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    pthread_mutex_unlock(&mailbox->lock);
    if (was_empty)
        ring(mailbox);
    return 0;
}

void mailbox_run(struct mailbox *mailbox)
{
    uint64_t count;
    struct letter *next;
    /* Emptied first: what is posted from here on rings again. */
    if (read(mailbox->fd, &count, sizeof count) < 0)
        count = 0;
    for (struct letter *one = take_all(mailbox); one; one = next) {
        next = one->next;
        one->fn(one->argument);
        free(one);
    }
}
