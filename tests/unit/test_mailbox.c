#include "worker/mailbox.h"

#include <poll.h>

#include "support.h"

#define THREADS 4
#define EACH    5000

struct sender {
    struct mailbox *mailbox;
    pthread_t thread;
    int next; /* the number of the letter that is due next */
};

struct note {
    struct sender *sender;
    int number;
};

static pthread_t loop_thread;
static int total;

static void take(void *argument)
{
    struct note *note = argument;
    cr_assert(pthread_equal(pthread_self(), loop_thread), "on the loop's thread");
    cr_assert_eq(note->number, note->sender->next, "in the order of the posts");
    note->sender->next++;
    total++;
    free(note);
}

static void *send_all(void *argument)
{
    struct sender *sender = argument;
    for (int i = 0; i < EACH; i++) {
        struct note *note = malloc(sizeof *note);
        *note = (struct note){.sender = sender, .number = i};
        if (mailbox_post(sender->mailbox, take, note) < 0)
            abort();
    }
    return NULL;
}

static bool is_readable(const struct mailbox *mailbox)
{
    struct pollfd p = {.fd = mailbox->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* Runs only when the descriptor says that there is something: a ring that is lost shows as a wait
 * without end, which is given up. */
Test(mailbox, of_many_threads)
{
    struct mailbox mailbox;
    struct sender senders[THREADS];
    loop_thread = pthread_self();
    cr_assert_eq(mailbox_open(&mailbox), 0);
    for (int i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.mailbox = &mailbox};
        cr_assert_eq(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    while (total < THREADS * EACH) {
        struct pollfd p = {.fd = mailbox.fd, .events = POLLIN};
        cr_assert_eq(poll(&p, 1, 10000), 1, "%d letters, and no ring", total);
        mailbox_run(&mailbox);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(senders[i].thread, NULL);
        cr_expect_eq(senders[i].next, EACH);
    }
    mailbox_run(&mailbox);
    cr_expect_not(is_readable(&mailbox));
    mailbox_close(&mailbox);
}

static struct mailbox shared;

static void count(void *argument)
{
    ++*(int *)argument;
}

static void post_another(void *argument)
{
    count(argument);
    cr_assert_eq(mailbox_post(&shared, count, argument), 0);
}

Test(mailbox, what_is_posted_in_a_call_is_the_next_turns)
{
    int calls = 0;
    cr_assert_eq(mailbox_open(&shared), 0);
    cr_expect_not(is_readable(&shared));
    mailbox_post(&shared, post_another, &calls);
    cr_expect(is_readable(&shared));
    mailbox_run(&shared);
    cr_expect_eq(calls, 1);
    cr_expect(is_readable(&shared), "it has rung again");
    mailbox_run(&shared);
    cr_expect_eq(calls, 2);
    cr_expect_not(is_readable(&shared));
    mailbox_run(&shared); /* without a ring, it does nothing, and does not wait */
    cr_expect_eq(calls, 2);
    mailbox_close(&shared);
}

/* The sanitizer sees what is not given back. */
Test(mailbox, a_close_with_letters_unread)
{
    int before = count_fds(), calls = 0;
    struct mailbox mailbox;
    cr_assert_eq(mailbox_open(&mailbox), 0);
    for (int i = 0; i < 100; i++)
        mailbox_post(&mailbox, count, &calls);
    mailbox_close(&mailbox);
    cr_expect_eq(calls, 0);
    cr_expect_eq(count_fds(), before);
}
