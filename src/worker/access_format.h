/*
 * access_format - what a line of the access log says: read once, from a name or from a text with
 * directives in the letters of Apache's mod_log_config.
 */
#ifndef DROVER_WORKER_ACCESS_FORMAT_H
#define DROVER_WORKER_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"

enum access_what {
    ACCESS_TEXT,   /* as it is */
    ACCESS_DASH,   /* what drover never knows: "-" */
    ACCESS_CLIENT, /* its address */
    ACCESS_PORT,   /* where it has come in */
    ACCESS_TIME,   /* when the request was answered */
    ACCESS_LINE,   /* method, target and version */
    ACCESS_METHOD,
    ACCESS_PATH,  /* as it was sent, without the query */
    ACCESS_QUERY, /* with its '?'; nothing when there is none */
    ACCESS_PROTOCOL,
    ACCESS_HOST,
    ACCESS_FIELD, /* of the request, by its name */
    ACCESS_STATUS,
    ACCESS_BODY,   /* bytes of the answer behind its head; "-" for none */
    ACCESS_BODY_0, /* the same; 0 for none */
    ACCESS_SENT,   /* bytes of the whole answer */
    ACCESS_US,     /* from the request's first byte on, in microseconds */
    ACCESS_MS,
    ACCESS_S,
    ACCESS_PID,
    ACCESS_SLOT,
    ACCESS_SERVED, /* requests that the connection has had before */
    ACCESS_PERCENT,
};

struct access_part {
    enum access_what what;
    struct span text; /* of ACCESS_TEXT; the name of ACCESS_FIELD */
    size_t reserve;   /* bytes that what follows takes at least, the newline too */
};

/* Borrows from nothing. Not to be copied: its parts point into it. */
struct access_format {
    bool is_json;  /* values are JSON's: strings in quotes, null for what is not known */
    bool has_port; /* ACCESS_PORT is among the parts: the socket is asked */
    size_t count;
    struct access_part parts[ACCESS_PARTS_MAX];
    char text[ACCESS_FORMAT_MAX + 1];
};

/*
 * Reads "common", "combined", "json", or a text with directives. False when it is none of these:
 * then `what` says where and what is allowed, to stand behind the value and a colon.
 */
bool access_format_read(struct access_format *format, const char *value, char *what, size_t size);

#endif
