/*
 * fuzz - what the fuzz targets share.
 *
 * A target is one file, fuzz_NOUN.c, that defines fuzz_one(). It is linked with fuzz.c, which calls
 * it: for libFuzzer's inputs, or, started as `fuzz_NOUN --corpus DIR`, for every file of DIR once.
 * The name of such a file starts with the verdict that it must get: good-chunked,
 * bad-space-before-colon, 304-same-tag.
 *
 * No target looks up a host name: getaddrinfo(3) reads numbers alone here.
 */
#ifndef DROVER_TESTS_FUZZ_H
#define DROVER_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

/*
 * Runs the input through the parser and through all that must hold of the outcome, and ends the
 * process by fuzz_fail() when something does not. The input ends where a sanitizer sees a read
 * behind it. Returns the verdict, a static string.
 */
const char *fuzz_one(struct span input);

/* Says what differed, and aborts, which libFuzzer takes for a crash. */
void fuzz_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define FUZZ_CHECK(condition, ...)  \
    do {                            \
        if (!(condition))           \
            fuzz_fail(__VA_ARGS__); \
    } while (0)

/* n bytes on the heap, alone, so that a sanitizer sees one too many. To be given to free(3). */
void *fuzz_room(size_t n);
char *fuzz_copy(struct span bytes);

/* Numbers that depend on the input alone: where to split it, for one. Start with fuzz_seed(). */
uint32_t fuzz_seed(struct span input);
uint32_t fuzz_below(uint32_t *seed, size_t limit);

/* Takes a line off the front of *input, without its LF. The last one may lack it. */
struct span fuzz_line(struct span *input);

/* The bytes as text for a message: at most 200 of them, in hex where they are not ASCII. */
const char *fuzz_show(struct span bytes);

/* The bytes of what was written, never NULL. Memory that ran out is a failure. */
struct span fuzz_bytes(const struct buf *b);

/* a-z for A-Z, and the other way round. */
char fuzz_swap_case(char c);

#endif
