#include "master/status_line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct words {
    char *out;
    size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(w->out + w->length, w->size - w->length, format, arguments);
    va_end(arguments);
    if (n > 0)
        w->length += (size_t)n;
    if (w->length >= w->size) /* cut */
        w->length = w->size - 1;
}

/* "1 worker", "8 workers" */
static void add_count(struct words *w, uint64_t count, const char *what)
{
    add(w, "%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

/* "1.6 s" */
static void add_seconds(struct words *w, int64_t ms)
{
    int64_t tenths = (ms + 50) / 100;
    add(w, "%" PRId64 ".%" PRId64 " s", tenths / 10, tenths % 10);
}

static void add_waiting(struct words *w, const struct health *h)
{
    if (h->waiting == 0)
        return;
    if (h->waiting == 1)
        add(w, ", worker %d is tried again after ", h->next);
    else
        add(w, ", %d are tried again, worker %d after ", h->waiting, h->next);
    add_seconds(w, h->delay);
}

/* What is not as it should be. */
static void add_health(struct words *w, const struct status_line *line)
{
    const struct health *h = &line->health;
    if (line->phase == STATUS_SERVING && h->accepting < h->wanted)
        add(w, "; %d of %d accept%s", h->accepting, h->wanted, h->accepting == 1 ? "s" : "");
    add_waiting(w, h);
    if (h->stalled > 0)
        add(w, "; %d hang%s", h->stalled, h->stalled == 1 ? "s" : "");
    if (h->refused > 0)
        add(w, "; %d %s not tried again before a reload", h->refused,
            h->refused == 1 ? "is" : "are");
}

static void add_doings(struct words *w, const struct status_line *line)
{
    if (line->is_reloading)
        add(w, "; reloading");
    if (line->upgrade > 0)
        add(w, "; upgrading: pid %d starts", (int)line->upgrade);
    if (line->lame_duck > 0) {
        add(w, "; stops, after a lame duck's ");
        add_seconds(w, line->lame_duck);
    }
}

static void add_numbers(struct words *w, const struct status_line *line)
{
    add_count(w, (uint64_t)line->health.wanted, "worker");
    add(w, ", ");
    add_count(w, line->connections, "connection");
    add(w, ", ");
    add(w, "%" PRIu64 " request%s/s", line->rate, line->rate == 1 ? "" : "s");
}

void status_line_write(const struct status_line *line, char *out, size_t size)
{
    struct words w = {.out = out, .size = size};
    const struct health *h = &line->health;
    out[0] = '\0';
    if (line->phase == STATUS_DRAINING) {
        add(&w, "draining: ");
        add_count(&w, line->connections, "connection");
        return;
    }
    if (line->phase == STATUS_STARTING)
        add(&w, "starting: %d of %d worker%s accept%s", h->accepting, h->wanted,
            h->wanted == 1 ? "" : "s", h->accepting == 1 ? "s" : "");
    else
        add_numbers(&w, line);
    add_health(&w, line);
    add_doings(&w, line);
    if (line->failure && line->failure[0])
        add(&w, "; %s", line->failure);
}
