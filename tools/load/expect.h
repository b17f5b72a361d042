/*
 * expect - what counts as the right answer.
 *
 * An answer is right when it is whole and has the status, and where they are expected the length
 * and the checksum. No system call here.
 */
#ifndef DROVER_LOAD_EXPECT_H
#define DROVER_LOAD_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/answer.h"
#include "load/ledger.h"

/* No length is expected but the one that the answer states. */
#define EXPECT_ANY_LENGTH UINT64_MAX

struct expect {
    int status;
    uint64_t length;
    bool summed; /* the checksum counts, so answers must be summed */
    bool same;   /* the first answer that is right so far sets the length and the checksum */
    uint32_t checksum;
};

/* The body must be of these bytes; may be called again with the bytes that follow. */
void expect_bytes(struct expect *expect, struct span bytes);

/*
 * How a request ended that got this whole or malformed answer, with `surplus` bytes after it that
 * belong to none. With `same`, the first right answer ends that and leaves its length and checksum.
 */
enum outcome expect_judge(struct expect *expect, const struct answer *answer, size_t surplus);

#endif
