/*
 * log_line - one line of the log, as each of its targets has it.
 *
 * Time and names come in, bytes come out: no clock, no descriptor.
 */
#ifndef DROVER_BASE_LOG_LINE_H
#define DROVER_BASE_LOG_LINE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/log.h"

/* A line is cut here: PIPE_BUF, so that lines of several processes never mix in a pipe. */
#define LOG_LINE_MAX 4096

/* What there is to be said. Borrowed. */
struct log_line {
    enum log_level level;
    const char *process; /* "master", "worker 3" */
    int pid;
    struct timespec time;
    const char *words; /* one line, without a newline */
};

/* Each writes a line of at most LOG_LINE_MAX bytes and returns its length. The first two end it
 * with a newline. */

/* 2026-01-31 12:00:00.000 warn  worker 3: words; as utf8_make_shown() has it. */
size_t log_line_text(const struct log_line *line, char to[LOG_LINE_MAX]);

/* {"time":"2026-01-31T12:00:00.000+01:00","level":"warn","process":"worker 3","slot":3,"pid":42,
 *  "message":"words"}; slot is there for workers alone. */
size_t log_line_json(const struct log_line *line, char to[LOG_LINE_MAX]);

/* <28>Jan 31 12:00:00 drover[42]: worker 3: words; or JSON in place of the last two (RFC 3164). */
size_t log_line_syslog(const struct log_line *line, bool is_json, char to[LOG_LINE_MAX]);

/* Fields of the journal's native protocol, one a line: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and
 * DROVER_PROCESS, DROVER_SLOT. */
size_t log_line_journal(const struct log_line *line, bool is_json, char to[LOG_LINE_MAX]);

/* "error", "warn", "info" or "debug"; and its number among syslog's, 3 to 7. */
const char *log_level_name(enum log_level level);
int log_level_priority(enum log_level level);

#endif
