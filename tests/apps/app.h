/*
 * app - what the applications of tests/apps share: words for an answer, and a function a path.
 */
#ifndef TESTS_APPS_APP_H
#define TESTS_APPS_APP_H

#include <drover.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static inline void say(struct drover_response *r,
                                                             const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    drover_response_body(r, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static inline void say_span(struct drover_response *r, const char *name, struct drover_span s)
{
    say(r, "%s=", name);
    drover_response_body(r, s.p, s.n);
    say(r, "\n");
}

/* The index-th number of the query; 0 when there is none. */
static inline long argument(const struct drover_request *request, int index)
{
    char text[64];
    struct drover_span query = drover_request_query(request);
    snprintf(text, sizeof text, "%.*s", (int)query.n, query.n > 0 ? query.p : "");
    char *at = text;
    while (index-- > 0 && (at = strchr(at, '&')))
        at++;
    return at ? strtol(at, NULL, 10) : 0;
}

/* The path /count: every metric and its sum, a line each. */
static inline void count_one(void *response, const struct drover_metric *metric, int64_t value)
{
    say(response, "%s %lld\n", metric->name, (long long)value);
}

static inline void count(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    drover_metrics_each(drover_response_worker(r), count_one, r);
}

struct path {
    const char *name; /* the path's first segment */
    void (*answer)(const struct drover_request *q, struct drover_response *r);
};

/* The list ends with a NULL name. */
static inline void answer_path(const struct path *paths, const struct drover_request *q,
                               struct drover_response *r)
{
    const char *path = drover_request_path(q).p + 1;
    size_t n = strcspn(path, "/");
    for (; paths->name; paths++)
        if (strlen(paths->name) == n && memcmp(paths->name, path, n) == 0) {
            paths->answer(q, r);
            return;
        }
    drover_response_status(r, 404);
}

#endif
