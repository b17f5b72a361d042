/*
 * drover-bench-parser - how fast http_parse_head() reads what browsers send.
 *
 * For each head its bytes, the nanoseconds of one parse and GB/s (10^9 bytes a second), then GB/s
 * over all of them in no order, which a branch predictor cannot learn. A figure is the median of
 * many rounds, by the process's own CPU time: what else runs on the machine counts little.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "bench/heads.h"
#include "http/parse.h"

#define ROUNDS      51            /* odd: a median is one of them */
#define ROUND_BYTES (1024 * 1024) /* of each head */
#define MIX_BYTES   (4 * ROUND_BYTES)

/* GB/s. A worker that parses 100,000 heads of 1 kB a second spends 7% of a core on it. */
#define AT_LEAST 1.5

/* Too slow, or a head was refused. */
#define EXIT_FAILED 1

/* Nanoseconds of a parse, a row a head; in the row behind them, nanoseconds a byte of the mix. */
static double rounds[BENCH_HEADS + 1][ROUNDS];

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A head that is refused would be measured as a very fast one. */
static void parse(struct span head)
{
    static struct http_request request;
    if (http_parse_head(&request, head.p, head.n) != (int)head.n) {
        fprintf(stderr, "drover-bench-parser: a head is refused: %.*s\n", (int)head.n, head.p);
        exit(EXIT_FAILED);
    }
}

/* Nanoseconds of one parse of the same head again and again. */
static double measure_one(struct span head)
{
    size_t times = ROUND_BYTES / head.n;
    double start = now_ns();
    for (size_t i = 0; i < times; i++)
        parse(head);
    return (now_ns() - start) / (double)times;
}

/* Nanoseconds a byte of all heads in no order, but each as often as the others. */
static double measure_mix(void)
{
    uint32_t random = 1;
    size_t bytes = 0;
    double start = now_ns();
    while (bytes < MIX_BYTES) {
        random = random * 1664525U + 1013904223U; /* Numerical Recipes' generator */
        struct span head = bench_heads[(random >> 16) % BENCH_HEADS].bytes;
        parse(head);
        bytes += head.n;
    }
    return (now_ns() - start) / (double)bytes;
}

static void run_round(size_t round)
{
    for (size_t i = 0; i < BENCH_HEADS; i++)
        rounds[i][round] = measure_one(bench_heads[i].bytes);
    rounds[BENCH_HEADS][round] = measure_mix();
}

static int compare(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

static double median(double list[ROUNDS])
{
    qsort(list, ROUNDS, sizeof *list, compare);
    return list[ROUNDS / 2];
}

/* Prints the table and returns the speed of the mix in GB/s: bytes a nanosecond. */
static double print_report(void)
{
    for (size_t i = 0; i < BENCH_HEADS; i++) {
        double ns = median(rounds[i]);
        size_t n = bench_heads[i].bytes.n;
        printf("%-32s %6zu bytes %8.1f ns/parse %6.2f GB/s\n", bench_heads[i].name, n, ns,
               (double)n / ns);
    }
    double speed = 1 / median(rounds[BENCH_HEADS]);
    printf("%-62s %6.2f GB/s\n", "all of them, mixed", speed);
    return speed;
}

/* Reads "--no-check" and "--at-least=GB/s" into the bound; 0 is none. */
static int read_arguments(int argc, char **argv, double *at_least)
{
    for (int i = 1; i < argc; i++) {
        char *end = argv[i];
        if (strcmp(argv[i], "--no-check") == 0)
            *at_least = 0;
        else if (strncmp(argv[i], "--at-least=", 11) == 0)
            *at_least = strtod(argv[i] + 11, &end);
        else
            return -1;
        if (end != argv[i] && (*end != '\0' || end == argv[i] + 11))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    double at_least = AT_LEAST;
    if (read_arguments(argc, argv, &at_least) < 0) {
        fputs("usage: drover-bench-parser [--at-least=GB/s | --no-check]\n", stderr);
        return EX_USAGE;
    }
    for (size_t round = 0; round < ROUNDS; round++)
        run_round(round);
    if (print_report() >= at_least)
        return EX_OK;
    printf("too slow: at least %.2f GB/s are wanted\n", at_least);
    return EXIT_FAILED;
}
