/*
 * access_line - one line of the access log, made by a format from what is known of an answer.
 *
 * What a client has sent can neither end a line nor a quoted value: a quote, a backslash, controls
 * and bytes above 0x7e are \xHH; in JSON, controls are \u00HH, and what is no UTF-8 is U+FFFD. A
 * value that would make the line longer than ACCESS_LINE_MAX is cut, and the rest of the line is
 * there.
 */
#ifndef DROVER_WORKER_ACCESS_LINE_H
#define DROVER_WORKER_ACCESS_LINE_H

#include <stdint.h>
#include <time.h>

#include "http/ip.h"
#include "http/parse.h"
#include "worker/access_format.h"

/* The second that is told, in both ways; access_time() makes it anew. */
struct access_time {
    time_t second;  /* -1: none yet */
    size_t plain_n; /* [31/Jan/2026:12:00:00 +0100] */
    size_t json_n;  /* 2026-01-31T12:00:00, without quotes */
    char plain[40];
    char json[24];
    char zone[8]; /* +01:00 */
};

void access_time(struct access_time *t, time_t second);

/* What a line is made of. All is borrowed. */
struct access_record {
    const struct http_request *request; /* method_name.n is 0: it was not understood */
    struct span refused;                /* its line then, as far as it has come */
    const struct http_address *client;  /* NULL: not known */
    const struct access_time *time;
    int milliseconds; /* of that second */
    int port;         /* -1: not known */
    int status;
    int slot;
    int pid;
    uint32_t served;
    bool is_open; /* what follows is not known yet: access_line_close() tells it */
    uint64_t body;
    uint64_t sent;
    int64_t us;
};

/* Bytes of room that a line needs, one that was open included. */
#define ACCESS_LINE_ROOM (ACCESS_LINE_MAX + ACCESS_PARTS_MAX * 24)

/* Writes a line with its newline. Returns its length. */
size_t access_line(const struct access_format *format, const struct access_record *record,
                   char to[ACCESS_LINE_ROOM]);

/* Copies an open line of n bytes and fills in body, sent and us. Returns its length. */
size_t access_line_close(const struct access_record *record, const char *line, size_t n,
                         bool is_json, char to[ACCESS_LINE_ROOM]);

#endif
