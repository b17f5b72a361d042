#include "worker/desk.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "support.h"

static struct desks desks;
static struct desk *desk;

static void setup(void)
{
    cr_assert_eq(desks_open(&desks, false), 0);
    desk = &desks.of[1];
}

static void teardown(void)
{
    desks_close(&desks);
}

TestSuite(desk, .init = setup, .fini = teardown);

static enum custody state_of(int fd)
{
    return (enum custody)desk->custody[fd];
}

static const enum custody resting[] = {CUSTODY_FRESH, CUSTODY_KEPT, CUSTODY_GREETING, CUSTODY_HELD};

/* Rests, as a worker has it. */
static void put(int fd, enum custody state)
{
    desk_begin(desk, fd);
    desk_rest(desk, fd, state);
}

/* ------------------------------------------------------------------------------ the custody */

Test(desk, one_connection_from_its_first_to_its_last)
{
    for (size_t i = 0; i < LENGTH(resting); i++) {
        cr_expect_eq(state_of(7), CUSTODY_NONE);
        desk_begin(desk, 7);
        cr_expect_eq(state_of(7), CUSTODY_BUSY);
        cr_expect(desk_claim(desk, 7), "its own");
        desk_rest(desk, 7, resting[i]);
        cr_expect_eq(state_of(7), resting[i]);
        cr_expect(desk_claim(desk, 7));
        cr_expect_eq(state_of(7), CUSTODY_BUSY);
        desk_forget(desk, 7);
    }
}

Test(desk, one_that_lasts_stays_so_and_the_workers)
{
    put(7, CUSTODY_LASTING);
    cr_expect_eq(desk_take(desk), 0);
    cr_expect(desk_claim_now(desk, 7), "its own");
    cr_expect_eq(state_of(7), CUSTODY_LASTING, "while it is dealt with, too");
    desk_rest(desk, 7, CUSTODY_KEPT);
    cr_expect_eq(desk_take(desk), 1);
}

static void expect_count(int at_rest, int lasting)
{
    int found[2] = {-1, -1};
    desk_count(desk, &found[0], &found[1]);
    cr_expect(found[0] == at_rest && found[1] == lasting, "%d, %d", found[0], found[1]);
}

Test(desk, those_that_rest_and_those_that_last_are_counted)
{
    expect_count(0, 0);
    for (int fd = 0; fd < (int)LENGTH(resting); fd++)
        put(fd, resting[fd]);
    put(7, CUSTODY_LASTING);
    put(DESK_FDS_MAX - 1, CUSTODY_LASTING);
    desk_begin(desk, 9);
    expect_count(LENGTH(resting), 2);
    desk_take(desk);
    desk->top = UINT32_MAX; /* what a worker wrote there is not trusted */
    expect_count(0, 2);
}

Test(desk, those_that_rest_are_taken_and_no_others)
{
    put(3, CUSTODY_FRESH);
    put(4, CUSTODY_KEPT);
    put(5, CUSTODY_GREETING);
    put(6, CUSTODY_HELD);
    desk_begin(desk, 7);
    put(8, CUSTODY_KEPT);
    desk_forget(desk, 8);
    cr_expect_eq(desk_take(desk), 4);
    for (int fd = 3; fd < 7; fd++) {
        cr_expect_eq(desk_taken(desk, fd), resting[fd - 3]);
        cr_expect_not(desk_claim_now(desk, fd));
    }
    for (int fd = 7; fd < 10; fd++)
        cr_expect_eq(desk_taken(desk, fd), CUSTODY_NONE);
    cr_expect(desk_claim(desk, 7), "it stays the worker's");
    cr_expect_eq(desk_take(desk), 0, "once");
}

Test(desk, numbers_at_its_end)
{
    put(DESK_FDS_MAX - 1, CUSTODY_KEPT);
    cr_expect_eq(desk->top, DESK_FDS_MAX);
    put(DESK_FDS_MAX, CUSTODY_KEPT);
    desk_forget(desk, DESK_FDS_MAX);
    cr_expect_eq(desk->top, DESK_FDS_MAX);
    cr_expect_eq(desk->line[0], '\0', "nothing is written behind it");
    cr_expect_eq(desk_take(desk), 1);
    cr_expect_eq(desk_taken(desk, DESK_FDS_MAX - 1), CUSTODY_KEPT);
    cr_expect_eq(desk_taken(desk, DESK_FDS_MAX), CUSTODY_NONE);
    cr_expect_not(desk_claim_now(desk, DESK_FDS_MAX - 1));
    cr_expect(desk_claim(desk, DESK_FDS_MAX), "nobody else can have it");
}

Test(desk, cleared_it_has_nothing)
{
    put(3, CUSTODY_HELD);
    put(DESK_FDS_MAX - 1, CUSTODY_KEPT);
    desk_note_request(desk, desk->read, 10);
    desk_hold(desk, 3);
    desk_take(desk);
    desk_step(desk, TENURE_OWN, TENURE_PASSED);
    desk_clear(desk);
    char text[8];
    desk_request(desk, text, sizeof text);
    cr_expect_str_empty(text);
    cr_expect_eq(desk_tenure(desk), TENURE_OWN);
    cr_expect_eq(desk_take(desk), 0);
    cr_expect_eq(state_of(3), CUSTODY_NONE);
    cr_expect_eq(state_of(DESK_FDS_MAX - 1), CUSTODY_NONE);
    cr_expect_eq(desk->held_count, 0);
}

/* ------------------------------------------------------------------------------- the tenure */

Test(desk, steps)
{
    cr_expect(desk_settle(desk));
    cr_expect_not(desk_step(desk, TENURE_PASSING, TENURE_PASSED));
    cr_expect(desk_step(desk, TENURE_OWN, TENURE_PASSING));
    cr_expect_not(desk_step(desk, TENURE_OWN, TENURE_PASSING));
    cr_expect(desk_step(desk, TENURE_PASSING, TENURE_PASSED));
    cr_expect_not(desk_step(desk, TENURE_PASSING, TENURE_RETURNED), "the master comes too late");
    cr_expect_not(desk_settle(desk), "it is superseded");
}

/* Its standby began to take in the round before; the row has another worker by now. */
Test(desk, a_successor_of_another_round)
{
    desk_step(desk, TENURE_OWN, TENURE_PASSING);
    uint32_t round = desk_round(desk);
    desk_clear(desk);
    cr_expect_eq(desk_tenure(desk), TENURE_OWN);
    desk_step(desk, TENURE_OWN, TENURE_PASSING);
    cr_expect_not(desk_step_in(desk, round, TENURE_PASSING, TENURE_PASSED));
    cr_expect(desk_step_in(desk, desk_round(desk), TENURE_PASSING, TENURE_PASSED));
}

Test(desk, what_is_returned_is_as_it_was)
{
    for (int fd = 0; fd < 4; fd++)
        put(fd, resting[fd]);
    desk_begin(desk, 4);
    desk_step(desk, TENURE_OWN, TENURE_PASSING);
    cr_expect_eq(desk_take(desk), 4);
    desk_step(desk, TENURE_PASSING, TENURE_RETURNED);
    cr_expect_not(desk_step(desk, TENURE_PASSING, TENURE_PASSED), "the successor comes too late");
    cr_expect(desk_claim(desk, 1), "it undoes the taking");
    cr_expect_eq(desk_tenure(desk), TENURE_OWN);
    cr_expect_eq(state_of(0), CUSTODY_FRESH);
    cr_expect_eq(state_of(1), CUSTODY_BUSY);
    cr_expect_eq(state_of(2), CUSTODY_GREETING);
    cr_expect_eq(state_of(3), CUSTODY_HELD);
    cr_expect_eq(state_of(4), CUSTODY_BUSY);
}

Test(desk, what_is_passed_is_gone)
{
    put(3, CUSTODY_KEPT);
    desk_begin(desk, 4);
    desk_step(desk, TENURE_OWN, TENURE_PASSING);
    desk_take(desk);
    desk_step(desk, TENURE_PASSING, TENURE_PASSED);
    cr_expect_not(desk_claim(desk, 3));
    cr_expect_eq(desk_taken(desk, 3), CUSTODY_KEPT, "and stays the successor's");
    cr_expect(desk_claim(desk, 4));
}

static void *claim_in_thread(void *fd)
{
    return desk_claim(desk, *(int *)fd) ? fd : NULL;
}

/* What the worker waits for comes; is what it had taken its own then? */
static bool wait_for(enum tenure outcome)
{
    int fd = 3;
    void *result = NULL;
    pthread_t worker;
    put(fd, CUSTODY_KEPT);
    desk_step(desk, TENURE_OWN, TENURE_PASSING);
    desk_take(desk);
    cr_assert_eq(pthread_create(&worker, NULL, claim_in_thread, &fd), 0);
    desk_step(desk, TENURE_PASSING, outcome);
    pthread_join(worker, &result);
    return result != NULL;
}

Test(desk, a_claim_waits_while_it_passes, .timeout = 20)
{
    cr_expect(wait_for(TENURE_RETURNED));
    desk_clear(desk);
    cr_expect_not(wait_for(TENURE_PASSED));
}

/* -------------------------------------------------------------------- one owner at a time */

/* On a cache line each: a look and a store behind it are two trips then. */
#define FEW    16
#define APART  64
#define ROUNDS 100000

static volatile bool is_over;

static void *work(void *unused)
{
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
        for (int i = 0; i < FEW; i++)
            if (desk_claim_now(desk, i * APART))
                desk_rest(desk, i * APART, CUSTODY_KEPT);
    return unused;
}

/* Those that were taken, and nobody has claimed since. */
static int count_taken(void)
{
    int count = 0;
    for (int i = 0; i < FEW; i++)
        count += desk_taken(desk, i * APART) != CUSTODY_NONE;
    return count;
}

/* A worker claims as fast as it can while they are taken, and given back, again and again. */
Test(desk, each_has_one_owner, .timeout = 60)
{
    pthread_t worker;
    int taken = 0;
    for (int i = 0; i < FEW; i++)
        put(i * APART, CUSTODY_KEPT);
    cr_assert_eq(pthread_create(&worker, NULL, work, NULL), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int count = desk_take(desk);
        for (int look = 0; look < 5; look++)
            cr_assert_eq(count_taken(), count, "round %d", round);
        for (int i = 0; i < FEW; i++)
            if (desk_taken(desk, i * APART))
                desk_rest(desk, i * APART, CUSTODY_KEPT);
        taken += count;
    }
    __atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
    pthread_join(worker, NULL);
    cr_expect_gt(taken, 0);
}

/* -------------------------------------------------------------------- requests that are held */

static void expect_held(int fd, const char *request)
{
    const char *bytes = "";
    size_t length = 0;
    cr_assert(desk_held_request(desk, fd, &bytes, &length), "%d", fd);
    cr_expect_eq(length, strlen(request), "%zu", length);
    cr_expect_eq(memcmp(bytes, request, length), 0, "%.*s", (int)length, bytes);
}

static bool has_held(int fd)
{
    const char *bytes;
    size_t length;
    return desk_held_request(desk, fd, &bytes, &length);
}

static char *next; /* where the next one is read to */

/* Reads it behind the others, and holds it. */
static bool hold(int fd, const char *request)
{
    if (desk->held_count == 0)
        next = desk->read;
    memcpy(next, request, strlen(request));
    desk_note_request(desk, next, strlen(request));
    char *behind = desk_hold(desk, fd);
    next = behind ? behind : next;
    return behind != NULL;
}

Test(desk, held_requests_stay_while_others_are_read)
{
    cr_assert(hold(5, "GET /a"));
    cr_assert(hold(9, "GET /bb"));
    memset(next, 'x', READ_BUFFER_SIZE);
    expect_held(5, "GET /a");
    expect_held(9, "GET /bb");
    cr_expect_not(has_held(6));
    cr_expect_eq(next, desk->read + 13);
    cr_expect_eq(desk_release_held(desk), desk->read);
    cr_expect_not(has_held(5));
}

/* Behind a PROXY header, say. */
Test(desk, one_that_is_not_at_the_front_of_what_was_read)
{
    memcpy(desk->read, "PROXY GET /a", 12);
    desk_note_request(desk, desk->read + 6, 6);
    cr_expect_eq(desk_hold(desk, 5), desk->read + 12);
    expect_held(5, "GET /a");
}

/* The connection was closed in the same turn, and its number is another's. */
Test(desk, the_last_request_of_a_number)
{
    hold(5, "GET /old");
    hold(5, "GET /new");
    expect_held(5, "GET /new");
}

Test(desk, no_more_are_held_than_leave_together)
{
    for (int fd = 1; fd <= UNSENT_MAX; fd++)
        cr_assert(hold(fd, "GET"), "%d", fd);
    cr_expect_not(hold(UNSENT_MAX + 1, "GET"));
    cr_expect_not(has_held(UNSENT_MAX + 1));
    expect_held(UNSENT_MAX, "GET");
}

static char *note_and_hold(const char *bytes, size_t length)
{
    desk_note_request(desk, bytes, length);
    return desk_hold(desk, 5);
}

Test(desk, as_many_bytes_as_there_is_room_for)
{
    cr_expect_null(note_and_hold(desk->read, DESK_HELD_MAX + 1));
    cr_assert_eq(note_and_hold(desk->read, DESK_HELD_MAX),
                 desk->read + DESK_READ_SIZE - READ_BUFFER_SIZE);
    cr_expect(has_held(5));
    cr_expect_null(note_and_hold(desk->read + DESK_HELD_MAX, 1));
}

Test(desk, nothing_that_lies_elsewhere)
{
    static const char elsewhere[] = "GET /";
    cr_expect_null(note_and_hold(elsewhere, 5));
    cr_expect_null(note_and_hold(desk->read - 5, 5));
    cr_expect_null(note_and_hold(desk->read - 5, 10));
    cr_expect_null(note_and_hold(desk->read + DESK_READ_SIZE - 5, 5));
    cr_expect_eq(desk->held_count, 0);
}

/* ----------------------------------------------------------------- the request that it is at */

static const char *request(size_t size)
{
    static char text[2 * DESK_LINE_MAX];
    memset(text, 'Z', sizeof text);
    desk_request(desk, text, size);
    return text;
}

static void read_and_note(const char *bytes, size_t length)
{
    memcpy(desk->read + 100, bytes, length);
    desk_note_request(desk, desk->read + 100, length);
}

Test(desk, its_first_line_is_told)
{
    static const struct {
        const char *bytes, *line;
    } cases[] = {{"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1"},
                 {"GET /a HTTP/1.1\nHost: x\n\n", "GET /a HTTP/1.1"},
                 {"\r\n\r\nGET /a HTTP/1.1\r\n", "GET /a HTTP/1.1"},
                 {"GET /a", "GET /a"},
                 {"\r\n", ""},
                 {"GET /\x1b[31m\xc3\xa4\x7f\t\x01 HTTP", "GET /?[31m????? HTTP"}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        read_and_note(cases[i].bytes, strlen(cases[i].bytes));
        cr_expect_str_eq(request(256), cases[i].line, "%zu: %s", i, request(256));
        desk_note_request(desk, cases[i].bytes, strlen(cases[i].bytes));
        cr_expect_str_eq(request(256), cases[i].line, "%zu, elsewhere: %s", i, request(256));
    }
    desk_note_none(desk);
    cr_expect_str_empty(request(256));
}

static bool is_enough;

static void *change_for_ever(void *context)
{
    volatile char *at = context;
    while (!__atomic_load_n(&is_enough, __ATOMIC_RELAXED)) {
        for (int i = 0; i < 5; i++)
            at[i] = 'a';
        for (int i = 0; i < 5; i++)
            at[i] = '\x1b';
    }
    return NULL;
}

/* As by a child that the worker has forked. A compiler may read a byte as often as the source does.
 */
Test(desk, is_printable_whoever_writes_there_meanwhile)
{
    pthread_t other;
    read_and_note("GET /", 5);
    cr_assert_eq(pthread_create(&other, NULL, change_for_ever, desk->read + 100), 0);
    for (int i = 0; i < 200000; i++) {
        const char *text = request(8);
        cr_assert(!strchr(text, '\x1b'), "round %d", i);
    }
    __atomic_store_n(&is_enough, true, __ATOMIC_RELAXED);
    pthread_join(other, NULL);
}

Test(desk, a_nul_does_not_end_it)
{
    read_and_note("GET /\0/b", 8);
    cr_expect_str_eq(request(256), "GET /?/b");
}

Test(desk, a_line_is_cut_where_it_is_too_long)
{
    char bytes[2 * DESK_LINE_MAX];
    memset(bytes, 'a', sizeof bytes);
    read_and_note(bytes, sizeof bytes);
    cr_expect_eq(strlen(request(17)), 16);
    desk_note_request(desk, bytes, sizeof bytes);
    cr_expect_eq(strlen(request(sizeof bytes)), DESK_LINE_MAX);
    char untouched = 'q';
    desk_request(desk, &untouched, 0);
    cr_expect_eq(untouched, 'q');
}

Test(desk, a_request_at_the_end_of_what_can_be_read)
{
    char *last = desk->read + DESK_READ_SIZE - 3;
    memcpy(last, "GET", 3);
    desk_note_request(desk, last, 3);
    cr_expect_str_eq(request(256), "GET");
    cr_expect_eq(desk->line[0], '\0', "it was not copied");
}

/* -------------------------------------------------------------- what a worker wrote there */

Test(desk, a_forged_top)
{
    put(3, CUSTODY_KEPT);
    desk->top = UINT32_MAX;
    cr_expect_eq(desk_take(desk), 1);
    desk_step(desk, TENURE_OWN, TENURE_RETURNED);
    cr_expect(desk_settle(desk));
    desk_clear(desk);
    cr_expect_eq(state_of(3), CUSTODY_NONE);
}

/* Bytes that are no state, with and without the bit. */
Test(desk, forged_custody)
{
    for (int fd = 0; fd < 256; fd++)
        desk->custody[fd] = (uint8_t)fd;
    desk->top = 256;
    cr_expect_eq(desk_take(desk), (int)LENGTH(resting));
    for (int fd = 0; fd < 256; fd++)
        cr_expect_lt(desk_taken(desk, fd), CUSTODY_TAKEN);
}

/* All rounds are alike. */
Test(desk, forged_tenure)
{
    desk->tenure = UINT32_MAX - 1;
    cr_expect_not(desk_settle(desk), "it is PASSED");
    desk->tenure = UINT32_MAX;
    desk_clear(desk);
    cr_expect_eq(desk_round(desk), 0);
    cr_expect(desk_settle(desk));
}

Test(desk, forged_holds)
{
    static const struct desk_held forged[] = {
        {.fd = 5, .request = 0},
        {.fd = 5, .request = DESK_HELD_MAX + 1},
        {.fd = 5, .request = (uint64_t)DESK_HELD_MAX << 32 | 1},
        {.fd = 5, .request = (uint64_t)(DESK_HELD_MAX + 1) << 32 | 1},
        {.fd = 5, .request = (uint64_t)UINT32_MAX << 32 | 2},
        {.fd = 5, .request = (uint64_t)2 << 32 | UINT32_MAX},
        {.fd = 5, .request = UINT64_MAX},
        {.fd = UINT32_MAX, .request = 10}};
    memcpy(desk->held, forged, sizeof forged);
    desk->held_count = UINT32_MAX;
    cr_expect_not(has_held(5));
    cr_expect_not(has_held(7));
}

Test(desk, forged_requests)
{
    static const uint64_t forged[] = {UINT64_MAX, UINT32_MAX, (uint64_t)DESK_READ_SIZE << 32 | 9999,
                                      (uint64_t)(DESK_READ_SIZE - 1) << 32 | UINT32_MAX};
    memset(desk->read, 'r', sizeof desk->read);
    memset(desk->line, 'l', sizeof desk->line);
    for (size_t i = 0; i < LENGTH(forged); i++) {
        desk->request = forged[i];
        cr_expect_leq(strlen(request(2 * DESK_LINE_MAX)), 2 * DESK_LINE_MAX - 1, "%zu", i);
    }
}

/* ---------------------------------------------------------------------------- the memory */

Test(desk, clients_are_added_when_an_address_is_proxied)
{
    struct desk *before = desks.of;
    cr_expect_null(desks.clients);
    cr_assert_eq(desks_open(&desks, true), 0);
    cr_assert_not_null(desks.clients);
    cr_expect_eq(desks.of, before, "what there is stays");
    desks.clients[0][DESK_FDS_MAX - 1].family = 4;
    cr_assert_eq(desks_open(&desks, false), 0);
    cr_expect_not_null(desks.clients);
}
