/*
 * drover-bench-board - what it costs to count a request on the board, in nanoseconds.
 *
 * A turn of a worker's loop as far as it reads the clock and counts, beside one that reads it once
 * and counts nothing, by the requests that are answered in it: with one alone its second reading of
 * the clock has to be paid by that one. 64 clients of two workers make turns of seven and a half.
 * The least of many rounds counts: what else runs on the machine only adds.
 */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "worker/account.h"

#define ROUNDS 3000
#define TURNS  200 /* a round */

/* Nanoseconds a request, in a turn of BUSY of them. */
#define AT_MOST 20
#define BUSY    8

/* Too slow. */
#define EXIT_FAILED 1

static struct board_row counted;
static struct conn_env env = {.row = &counted};
static volatile int64_t seen; /* so that what is read is read */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void turn_without(int requests)
{
    (void)requests;
    seen = clock_ms();
    seen = clock_date();
}

/* As worker.c has it. */
static void turn_with(int requests)
{
    int64_t then = env.now;
    env.now_us = clock_us();
    env.now = env.now_us / CLOCK_US_PER_MS;
    if (env.now != then)
        seen = clock_date();
    account_wakeup(&counted, false);
    for (int i = 0; i < requests; i++) {
        account_answer(&env, 200);
        account_bytes(&counted, 1200);
    }
    if (account_is_due(&env.turn))
        account_turn_end(&env, clock_us());
}

/* Nanoseconds of a turn. */
static double measure(void (*turn)(int requests), int requests)
{
    double least = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_ns();
        for (int i = 0; i < TURNS; i++)
            turn(requests);
        double took = now_ns() - start;
        if (round == 0 || took < least)
            least = took;
    }
    return least / TURNS;
}

int main(void)
{
    static const int requests[] = {1, BUSY, 64};
    int status = 0;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        int n = requests[i];
        double cost = (measure(turn_with, n) - measure(turn_without, n)) / n;
        bool is_slow = n == BUSY && cost > AT_MOST;
        printf("%d request%s a turn: %.1f ns a request%s\n", n, n == 1 ? "" : "s", cost,
               is_slow ? ", which is too much" : "");
        if (is_slow)
            status = EXIT_FAILED;
    }
    return status;
}
