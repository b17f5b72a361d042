#include "os/loop.h"

#include <errno.h>
#include <unistd.h>

#include "support.h"

/* Calls in the order they came. */
struct calls {
    int count;
    int fds[512];
    uint32_t events;
    int woken; /* the number of calls when it woke; -1: not yet */
    struct pair *pairs;
};

/* A pipe; [0] is watched. */
struct pair {
    int ends[2];
};

static void open_pairs(struct pair *pairs, int count)
{
    for (int i = 0; i < count; i++)
        cr_assert_eq(pipe2(pairs[i].ends, O_NONBLOCK | O_CLOEXEC), 0, "%m");
}

static void close_pairs(struct pair *pairs, int count)
{
    for (int i = 0; i < count; i++) {
        close(pairs[i].ends[0]);
        close(pairs[i].ends[1]);
    }
}

static void ring(const struct pair *pair)
{
    cr_assert_eq(write(pair->ends[1], "x", 1), 1, "%m");
}

static void note(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct calls *calls = context;
    (void)loop;
    cr_assert_lt(calls->count, (int)LENGTH(calls->fds));
    calls->fds[calls->count++] = fd;
    calls->events = events;
}

static void note_woken(void *context)
{
    struct calls *calls = context;
    cr_expect_eq(calls->woken, -1, "once a turn");
    calls->woken = calls->count;
}

static struct loop *open_loop(void)
{
    struct loop *loop = loop_open();
    cr_assert_not_null(loop, "%m");
    return loop;
}

static void expect_failure(int result, int cause, const char *what)
{
    int got = errno;
    cr_expect_eq(result, -1, "%s", what);
    cr_expect_eq(got, cause, "%s: %s", what, strerrorname_np(got));
    errno = 0;
}

/* --------------------------------------------------------------------------- what it is for */

Test(loop, calls_back_with_what_came)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    cr_assert_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &calls), 0);
    cr_expect_eq(loop_turn(loop, 0, note_woken, &calls), 0, "the time was up");
    cr_expect_eq(calls.woken, 0, "it wakes for that, too");
    cr_expect_eq(calls.count, 0);
    calls.woken = -1;
    ring(&pair);
    cr_expect_eq(loop_turn(loop, -1, note_woken, &calls), 1);
    cr_expect_eq(calls.woken, 0, "before the callbacks");
    cr_expect_eq(calls.count, 1);
    cr_expect_eq(calls.fds[0], pair.ends[0]);
    cr_expect_eq(calls.events, EPOLLIN);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 1, "level-triggered");
    close(pair.ends[1]);
    loop_turn(loop, 0, NULL, NULL);
    cr_expect_eq(calls.events, EPOLLIN | EPOLLHUP);
    cr_assert_eq(loop_delete(loop, pair.ends[0]), 0);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0);
    close(pair.ends[0]);
    loop_close(loop);
}

Test(loop, changes_what_is_waited_for)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    cr_assert_eq(loop_add(loop, pair.ends[1], EPOLLIN, note, &calls), 0);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0);
    cr_assert_eq(loop_change(loop, pair.ends[1], EPOLLOUT), 0);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 1);
    cr_expect_eq(calls.events, EPOLLOUT);
    cr_assert_eq(loop_change(loop, pair.ends[1], 0), 0);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0);
    close_pairs(&pair, 1);
    loop_close(loop);
}

#define MANY 200

Test(loop, more_than_one_batch)
{
    static struct pair pairs[MANY];
    struct calls calls = {.woken = -1};
    struct loop *loop = open_loop();
    bool seen[4 * MANY] = {false};
    int events = 0;
    open_pairs(pairs, MANY);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, note, &calls), 0);
        ring(&pairs[i]);
    }
    for (int turn = 0; turn < 8; turn++) {
        calls.count = 0;
        int n = loop_turn(loop, 0, NULL, NULL);
        cr_expect_eq(n, calls.count);
        events += n;
        for (int i = 0; i < calls.count; i++)
            seen[calls.fds[i]] = true;
    }
    cr_expect_geq(events, MANY);
    for (int i = 0; i < MANY; i++)
        cr_expect(seen[pairs[i].ends[0]], "pipe %d never had its turn", i);
    close_pairs(pairs, MANY);
    loop_close(loop);
}

Test(loop, high_numbers)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    static const int numbers[] = {63, 64, 65, 127, 128, 300, 1000};
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        cr_assert_eq(dup2(pair.ends[0], numbers[i]), numbers[i], "%m");
        cr_assert_eq(loop_add(loop, numbers[i], EPOLLIN, note, &calls), 0, "%d: %m", numbers[i]);
    }
    ring(&pair);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), LENGTH(numbers));
    cr_expect_eq(calls.count, LENGTH(numbers));
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        cr_expect_eq(loop_delete(loop, numbers[i]), 0, "%d: %m", numbers[i]);
        close(numbers[i]);
    }
    close_pairs(&pair, 1);
    loop_close(loop);
}

/* ---------------------------------------------------------------- callbacks that change watches */

#define FEW 5

static void delete_others(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct calls *calls = context;
    note(loop, fd, events, context);
    for (int i = 0; i < FEW; i++)
        if (calls->pairs[i].ends[0] != fd)
            cr_expect_eq(loop_delete(loop, calls->pairs[i].ends[0]), 0, "%m");
}

Test(loop, a_deleted_watch_loses_its_fetched_events)
{
    struct pair pairs[FEW];
    struct calls calls = {.woken = -1, .pairs = pairs};
    struct loop *loop = open_loop();
    open_pairs(pairs, FEW);
    for (int i = 0; i < FEW; i++) {
        cr_assert_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, delete_others, &calls), 0);
        ring(&pairs[i]);
    }
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), FEW, "all were fetched");
    cr_expect_eq(calls.count, 1, "%d calls", calls.count);
    close_pairs(pairs, FEW);
    loop_close(loop);
}

/* Deletes and closes the others, and opens pipes that get their numbers. */
static void replace_others(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct calls *calls = context;
    note(loop, fd, events, context);
    for (int i = 0; i < FEW; i++) {
        struct pair *pair = &calls->pairs[i];
        int number = pair->ends[0];
        if (number == fd)
            continue;
        cr_expect_eq(loop_delete(loop, number), 0, "%m");
        close_pairs(pair, 1);
        open_pairs(pair, 1);
        if (pair->ends[0] != number) {
            cr_assert_eq(dup2(pair->ends[0], number), number);
            close(pair->ends[0]);
            pair->ends[0] = number;
        }
        cr_expect_eq(loop_add(loop, number, EPOLLIN, note, calls), 0, "%m");
    }
}

Test(loop, a_number_that_is_used_again_does_not_get_its_predecessors_event)
{
    struct pair pairs[FEW];
    struct calls calls = {.woken = -1, .pairs = pairs};
    struct loop *loop = open_loop();
    open_pairs(pairs, FEW);
    for (int i = 0; i < FEW; i++) {
        cr_assert_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, replace_others, &calls), 0);
        ring(&pairs[i]);
    }
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), FEW);
    cr_expect_eq(calls.count, 1, "the new ones have nothing to read: %d calls", calls.count);
    int first = calls.fds[0];
    calls.count = 0;
    for (int i = 0; i < FEW; i++)
        if (pairs[i].ends[0] != first)
            ring(&pairs[i]);
    loop_delete(loop, first);
    loop_turn(loop, 0, NULL, NULL);
    cr_expect_eq(calls.count, FEW - 1, "but events of their own: %d calls", calls.count);
    close_pairs(pairs, FEW);
    loop_close(loop);
}

/* Another pipe gets the number of the one that was fetched. */
struct swap {
    struct loop *loop;
    struct pair *pair;
    struct calls calls;
};

static void swap_woken(void *context)
{
    struct swap *swap = context;
    int number = swap->pair->ends[0];
    cr_expect_eq(loop_delete(swap->loop, number), 0, "%m");
    close_pairs(swap->pair, 1);
    open_pairs(swap->pair, 1);
    cr_assert_eq(swap->pair->ends[0], number, "the lowest that is free");
    cr_expect_eq(loop_add(swap->loop, number, EPOLLIN, note, &swap->calls), 0, "%m");
}

Test(loop, a_number_that_is_used_again_on_waking_does_not_get_its_predecessors_event)
{
    struct pair pair;
    struct swap swap = {.loop = open_loop(), .pair = &pair};
    open_pairs(&pair, 1);
    cr_assert_eq(loop_add(swap.loop, pair.ends[0], EPOLLIN, note, &swap.calls), 0);
    ring(&pair);
    cr_expect_eq(loop_turn(swap.loop, -1, swap_woken, &swap), 1, "it was fetched");
    cr_expect_eq(swap.calls.count, 0);
    close_pairs(&pair, 1);
    loop_close(swap.loop);
}

static void delete_itself(struct loop *loop, int fd, uint32_t events, void *context)
{
    note(loop, fd, events, context);
    cr_expect_eq(loop_delete(loop, fd), 0, "%m");
}

Test(loop, a_callback_may_delete_its_own_watch)
{
    struct pair pairs[FEW];
    struct calls calls = {.woken = -1};
    struct loop *loop = open_loop();
    open_pairs(pairs, FEW);
    for (int i = 0; i < FEW; i++) {
        cr_assert_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, delete_itself, &calls), 0);
        ring(&pairs[i]);
    }
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), FEW);
    cr_expect_eq(calls.count, FEW, "the others are called all the same");
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0);
    close_pairs(pairs, FEW);
    loop_close(loop);
}

/* Makes the table of watches grow while it is walked. */
static void add_a_high_one(struct loop *loop, int fd, uint32_t events, void *context)
{
    note(loop, fd, events, context);
    if (fcntl(900, F_GETFD) >= 0)
        return;
    cr_assert_eq(dup2(fd, 900), 900);
    cr_expect_eq(loop_add(loop, 900, EPOLLIN, note, context), 0, "%m");
}

Test(loop, a_callback_may_add_a_watch)
{
    struct pair pairs[FEW];
    struct calls calls = {.woken = -1};
    struct loop *loop = open_loop();
    open_pairs(pairs, FEW);
    for (int i = 0; i < FEW; i++) {
        cr_assert_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, add_a_high_one, &calls), 0);
        ring(&pairs[i]);
    }
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), FEW);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), FEW + 1);
    cr_expect_eq(calls.count, 2 * FEW + 1);
    loop_delete(loop, 900);
    close(900);
    close_pairs(pairs, FEW);
    loop_close(loop);
}

/* ------------------------------------------------------- with what another has left in the set */

/* As a process before this one had it. */
static void leave_in_set(const struct loop *loop, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    cr_assert_eq(epoll_ctl(loop_fd(loop), EPOLL_CTL_ADD, fd, &event), 0, "%m");
}

Test(loop, knows_what_the_set_has_already)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    leave_in_set(loop, pair.ends[0]);
    cr_assert_eq(loop_know(loop, pair.ends[0], note, &calls), 0, "%m");
    ring(&pair);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 1);
    cr_expect_eq(calls.count, 1);
    cr_expect_eq(calls.fds[0], pair.ends[0]);
    cr_expect_eq(loop_change(loop, pair.ends[0], 0), 0, "%m");
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0, "it is like any other");
    cr_expect_eq(loop_delete(loop, pair.ends[0]), 0, "%m");
    expect_failure(loop_know(loop, -1, note, &calls), EBADF, "-1");
    close_pairs(&pair, 1);
    loop_close(loop);
}

Test(loop, an_event_of_a_number_that_nobody_knows_is_passed_over)
{
    static const int numbers[] = {20, 700}; /* within the table of watches and above it */
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    cr_assert_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &calls), 0);
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        cr_assert_eq(dup2(pair.ends[0], numbers[i]), numbers[i], "%m");
        leave_in_set(loop, numbers[i]);
    }
    ring(&pair);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 3);
    cr_expect_eq(calls.count, 1);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 1, "and is no longer in the set");
    for (size_t i = 0; i < LENGTH(numbers); i++)
        close(numbers[i]);
    close_pairs(&pair, 1);
    loop_close(loop);
}

Test(loop, drops_known_and_unknown_ones)
{
    struct calls calls = {.woken = -1};
    struct pair pairs[2];
    struct loop *loop = open_loop();
    open_pairs(pairs, 2);
    leave_in_set(loop, pairs[0].ends[0]);
    cr_assert_eq(loop_add(loop, pairs[1].ends[0], EPOLLIN, note, &calls), 0);
    ring(&pairs[0]);
    ring(&pairs[1]);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(loop_drop(loop, pairs[i].ends[0]), 0, "%d: %m", i);
        expect_failure(loop_drop(loop, pairs[i].ends[0]), ENOENT, "twice");
        cr_expect_eq(loop_add(loop, pairs[i].ends[0], EPOLLIN, note, &calls), 0, "%d: %m", i);
    }
    expect_failure(loop_drop(loop, 900), EBADF, "not open");
    expect_failure(loop_drop(loop, -1), EBADF, "-1");
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 2);
    close_pairs(pairs, 2);
    loop_close(loop);
}

Test(loop, a_renewed_one_is_empty_and_has_its_number)
{
    struct calls calls = {.woken = -1};
    struct pair pairs[2];
    struct loop *loop = open_loop();
    int number = loop_fd(loop);
    int before = count_fds();
    cr_expect_eq(loop_renew(loop), 0, "nothing was watched: %m");
    open_pairs(pairs, 2);
    leave_in_set(loop, pairs[0].ends[0]);
    cr_assert_eq(loop_add(loop, pairs[1].ends[0], EPOLLIN, note, &calls), 0);
    ring(&pairs[0]);
    ring(&pairs[1]);
    cr_expect_eq(loop_renew(loop), 0, "%m");
    cr_expect_eq(loop_fd(loop), number);
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 0);
    expect_failure(loop_delete(loop, pairs[1].ends[0]), ENOENT, "it is not known any more");
    cr_expect_eq(loop_add(loop, pairs[1].ends[0], EPOLLIN, note, &calls), 0, "%m");
    cr_expect_eq(loop_turn(loop, 0, NULL, NULL), 1);
    close_pairs(pairs, 2);
    cr_expect_eq(count_fds(), before);
    loop_close(loop);
}

/* -------------------------------------------------------------------------------------- errors */

Test(loop, errors_of_add)
{
    struct calls first = {.woken = -1}, second = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    int file = make_file(1);
    int unused = next_fd();
    open_pairs(&pair, 1);
    expect_failure(loop_add(loop, -1, EPOLLIN, note, &first), EBADF, "-1");
    expect_failure(loop_add(loop, unused + 100, EPOLLIN, note, &first), EBADF, "not open");
    expect_failure(loop_add(loop, file, EPOLLIN, note, &first), EPERM, "a file never waits");
    expect_failure(loop_delete(loop, file), ENOENT, "so it is not watched");
    cr_assert_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &first), 0);
    expect_failure(loop_add(loop, pair.ends[0], EPOLLIN, note, &second), EEXIST, "twice");
    ring(&pair);
    loop_turn(loop, 0, NULL, NULL);
    cr_expect_eq(first.count, 1, "the first stays");
    cr_expect_eq(second.count, 0);
    close(file);
    close_pairs(&pair, 1);
    loop_close(loop);
}

Test(loop, errors_of_change_and_delete)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    expect_failure(loop_change(loop, -1, EPOLLIN), EBADF, "change -1");
    expect_failure(loop_change(loop, pair.ends[0], EPOLLIN), ENOENT, "change");
    expect_failure(loop_delete(loop, -1), ENOENT, "delete -1");
    expect_failure(loop_delete(loop, 100000), ENOENT, "delete a high number");
    expect_failure(loop_delete(loop, pair.ends[0]), ENOENT, "delete");
    cr_assert_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &calls), 0);
    cr_expect_eq(loop_delete(loop, pair.ends[0]), 0);
    expect_failure(loop_delete(loop, pair.ends[0]), ENOENT, "delete twice");
    expect_failure(loop_change(loop, pair.ends[0], EPOLLIN), ENOENT, "change a deleted one");
    close_pairs(&pair, 1);
    loop_close(loop);
}

/* Closed before it was deleted: the number can be watched again. */
Test(loop, a_watch_of_a_closed_number_can_be_deleted)
{
    struct calls calls = {.woken = -1};
    struct pair pair;
    struct loop *loop = open_loop();
    open_pairs(&pair, 1);
    cr_assert_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &calls), 0);
    close_pairs(&pair, 1);
    expect_failure(loop_delete(loop, pair.ends[0]), EBADF, "delete");
    open_pairs(&pair, 1);
    cr_expect_eq(loop_add(loop, pair.ends[0], EPOLLIN, note, &calls), 0, "%m");
    close_pairs(&pair, 1);
    loop_close(loop);
}

Test(loop, close_gives_its_descriptor_back)
{
    int before = count_fds();
    struct loop *loop = open_loop();
    cr_expect_gt(count_fds(), before);
    loop_close(loop);
    cr_expect_eq(count_fds(), before);
    loop_close(NULL);
}
