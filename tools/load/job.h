/*
 * job - what every client asks for, again and again, what counts as its answer, and what the
 * clients learn for each other while they do.
 */
#ifndef DROVER_LOAD_JOB_H
#define DROVER_LOAD_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "load/expect.h"
#include "load/target.h"
#include "load/url.h"

struct job {
    struct target target;
    struct expect expect;
    bool close;      /* a connection a request */
    unsigned depth;  /* requests under way on a connection at most, at least 1 */
    struct buf text; /* owned: `depth` times the bytes of one request */
    size_t length;   /* of one */
};

/*
 * Writes the request once for all: a GET with Host (unless has_host says that `fields` holds
 * one), User-Agent, `fields` (whole lines, each with its CRLF), and Connection: close if
 * job->close. Returns 0, or -1 with ENOMEM.
 */
int job_write(struct job *job, const struct url *url, struct span fields, bool has_host);

void job_free(struct job *job);

#endif
