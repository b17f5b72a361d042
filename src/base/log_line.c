#include "base/log_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* syslog(3)'s LOG_DAEMON. */
#define FACILITY (3 << 3)

/* Bytes that end the object, and the newline. */
#define JSON_END 3

static const struct {
    const char *name;
    int priority; /* of syslog(3): err, warning, info, debug */
} levels[] = {
    [LOG_ERROR] = {"error", 3},
    [LOG_WARN] = {"warn", 4},
    [LOG_INFO] = {"info", 6},
    [LOG_DEBUG] = {"debug", 7},
};
_Static_assert(sizeof levels / sizeof *levels == LOG_DEBUG + 1, "a row a level");

const char *log_level_name(enum log_level level)
{
    return levels[level].name;
}

int log_level_priority(enum log_level level)
{
    return levels[level].priority;
}

/* ----------------------------------------------------------------------------- the appending */

struct out {
    char *to;
    size_t n;
    size_t size; /* what may be used */
};

static void add(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* snprintf(3) tells what it would have written; what is cut ends at its room. */
static void add(struct out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out->to + out->n, out->size - out->n, format, args);
    va_end(args);
    if (n > 0)
        out->n = out->n + (size_t)n < out->size ? out->n + (size_t)n : out->size - 1;
}

static void add_time(struct out *out, const char *format, const struct log_line *line)
{
    struct tm tm;
    localtime_r(&line->time.tv_sec, &tm);
    out->n += strftime(out->to + out->n, out->size - out->n, format, &tm);
}

static int milliseconds(const struct log_line *line)
{
    return (int)(line->time.tv_nsec / 1000000);
}

/* -------------------------------------------------------------------------------- the text */

size_t log_line_text(const struct log_line *line, char to[LOG_LINE_MAX])
{
    struct out out = {.to = to, .size = LOG_LINE_MAX - 1};
    add_time(&out, "%Y-%m-%d %H:%M:%S", line);
    add(&out, ".%03d %-5s %s: %s", milliseconds(line), log_level_name(line->level), line->process,
        line->words);
    utf8_make_shown(to, out.n); /* it is read in terminals, and has a client's bytes in it */
    to[out.n++] = '\n';
    return out.n;
}

/* -------------------------------------------------------------------------------- the JSON */

/* True when there was room for it. */
static bool add_json_character(struct out *out, const char *s, size_t n)
{
    char text[8];
    if (n == 0)
        snprintf(text, sizeof text, "\\uFFFD");
    else
        snprintf(text, sizeof text, "%s%.*s", *s == '"' || *s == '\\' ? "\\" : "", (int)n, s);
    size_t length = strlen(text);
    if (out->n + length >= out->size)
        return false;
    memcpy(out->to + out->n, text, length);
    out->n += length;
    return true;
}

/* No control is among the bytes. */
static void add_json(struct out *out, const char *s)
{
    size_t left = strlen(s);
    while (left > 0) {
        size_t n = utf8_length(s, left);
        if (!add_json_character(out, s, n))
            return;
        s += n > 0 ? n : 1;
        left -= n > 0 ? n : 1;
    }
}

/* Of "worker 3"; -1: it is none. */
static int slot_of(const struct log_line *line)
{
    return strncmp(line->process, "worker ", 7) == 0 ? atoi(line->process + 7) : -1;
}

static void add_object(struct out *out, const struct log_line *line)
{
    int slot = slot_of(line);
    out->size -= JSON_END;
    add(out, "{\"time\":\"");
    add_time(out, "%Y-%m-%dT%H:%M:%S", line);
    add(out, ".%03d", milliseconds(line));
    add_time(out, "%z", line); /* +0100, and RFC 3339 has a colon in it */
    memmove(out->to + out->n - 1, out->to + out->n - 2, 2);
    out->to[out->n - 2] = ':';
    out->n++;
    add(out, "\",\"level\":\"%s\",\"process\":\"", log_level_name(line->level));
    add_json(out, line->process);
    add(out, "\"");
    if (slot >= 0)
        add(out, ",\"slot\":%d", slot);
    add(out, ",\"pid\":%d,\"message\":\"", line->pid);
    add_json(out, line->words);
    out->size += JSON_END;
    add(out, "\"}");
}

size_t log_line_json(const struct log_line *line, char to[LOG_LINE_MAX])
{
    struct out out = {.to = to, .size = LOG_LINE_MAX - 1};
    add_object(&out, line);
    to[out.n++] = '\n';
    return out.n;
}

/* ------------------------------------------------------------------------------ the sockets */

static void add_message(struct out *out, const struct log_line *line, bool is_json)
{
    if (is_json)
        add_object(out, line);
    else
        add(out, "%s: %s", line->process, line->words);
}

size_t log_line_syslog(const struct log_line *line, bool is_json, char to[LOG_LINE_MAX])
{
    struct out out = {.to = to, .size = LOG_LINE_MAX};
    add(&out, "<%d>", FACILITY | log_level_priority(line->level));
    add_time(&out, "%b %e %H:%M:%S", line);
    add(&out, " drover[%d]: ", line->pid);
    add_message(&out, line, is_json);
    return out.n;
}

size_t log_line_journal(const struct log_line *line, bool is_json, char to[LOG_LINE_MAX])
{
    struct out out = {.to = to, .size = LOG_LINE_MAX};
    int slot = slot_of(line);
    add(&out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=drover\nDROVER_PROCESS=%s\n",
        log_level_priority(line->level), line->process);
    if (slot >= 0)
        add(&out, "DROVER_SLOT=%d\n", slot);
    add(&out, "MESSAGE=");
    out.size -= 1; /* the newline's place */
    add_message(&out, line, is_json);
    to[out.n++] = '\n';
    return out.n;
}
