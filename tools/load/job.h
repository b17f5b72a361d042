/*
 * job - what every client asks for, again and again, and what counts as its answer.
 */
#ifndef DROVER_LOAD_JOB_H
#define DROVER_LOAD_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "load/answer.h"
#include "load/ledger.h"
#include "load/target.h"
#include "load/url.h"

/* No length is expected but the one that the answer states. */
#define JOB_ANY_LENGTH UINT64_MAX

struct job {
    struct target target;
    struct buf request; /* owned: the bytes of one request */
    bool close;         /* a connection a request */
    int expect_status;
    uint64_t expect_length;
};

/*
 * Writes the request once for all: a GET with Host (unless has_host says that `fields` holds
 * one), User-Agent, `fields` (whole lines, each with its CRLF), and Connection: close if
 * job->close. Returns 0, or -1 with ENOMEM.
 */
int job_write(struct job *job, const struct url *url, struct span fields, bool has_host);

void job_free(struct job *job);

/* How a request ended that got this whole or malformed answer, with `surplus` bytes after it. */
enum outcome job_judge(const struct job *job, const struct answer *answer, size_t surplus);

#endif
