/*
 * respond - the head of an answer (RFC 9112, 4), and the short page for a status.
 */
#ifndef DROVER_HTTP_RESPOND_H
#define DROVER_HTTP_RESPOND_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/span.h"

enum http_persistence {
    HTTP_KEEP_SILENT, /* 1.1 keeps without a word */
    HTTP_KEEP_SAID,   /* 1.0 must be told */
    HTTP_CLOSE,
};

struct http_head {
    int status;
    enum http_persistence persistence;
    bool has_upgrade;   /* there is an Upgrade among the fields (RFC 9110, 7.8) */
    const char *date;   /* as http_date_format() writes it */
    struct span type;   /* Content-Type; empty: left away */
    struct span fields; /* whole field lines, each with its CRLF */
    bool is_chunked;    /* Transfer-Encoding: chunked */
    bool has_length;
    uint64_t length;
};

/* Appends status line, fields and the empty line: the three parts below, one behind the other. */
void http_respond_head(struct buf *out, const struct http_head *head);

/* Status line, Server and Date. */
void http_respond_start(struct buf *out, int status, const char *date);

/* Connection, where there is something to say. */
void http_respond_connection(struct buf *out, const struct http_head *head);

/* The fields from Content-Type on, and the empty line. */
void http_respond_rest(struct buf *out, const struct http_head *head);

/* ETag, unless it is empty, and Last-Modified, if there is one, as field lines. */
void http_respond_validators(struct buf *out, struct span etag, bool has_modified, time_t modified);

/* "Not Found"; "Unknown" for a status without a phrase here. */
const char *http_reason(int status);

/* May an answer with this status have a body at all (RFC 9110, 6.4.1)? */
bool http_status_has_body(int status);

/* The page for a status: HTML in UTF-8, one sentence, no reference to anything outside. */
void http_page(struct buf *out, int status);

#endif
