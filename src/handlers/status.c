/*
 * It is written against drover.h alone, as an application of somebody else would be, and shows what
 * that gives one: the sums of the metrics. What the server is as a whole, --admin tells, from the
 * board (src/status), and the two share no text: neither knows what the other has to say.
 */
#include "handlers/status.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Bytes of one metric's lines. */
#define LINES_MAX 1024

typedef void each_fn(void *argument, const struct drover_metric *metric, int64_t value);

static void add(struct drover_response *response, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct drover_response *response, const char *format, ...)
{
    char text[LINES_MAX];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        drover_response_body(response, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void add_metrics(struct drover_response *response, each_fn *fn, void *argument)
{
    drover_metrics_each(drover_response_worker(response), fn, argument);
}

/* ------------------------------------------------------------------------------- Prometheus */

/* In a line of HELP a backslash and a newline are escaped. */
static void escape_help(const char *help, char out[LINES_MAX / 2])
{
    size_t n = 0;
    for (; *help && n + 3 < LINES_MAX / 2; help++) {
        if (*help == '\\' || *help == '\n')
            out[n++] = '\\';
        out[n++] = *help == '\n' ? 'n' : *help;
    }
    out[n] = '\0';
}

static void add_sample(void *argument, const struct drover_metric *metric, int64_t value)
{
    char help[LINES_MAX / 2];
    escape_help(metric->help, help);
    add(argument, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", metric->name, help, metric->name,
        metric->type == DROVER_GAUGE ? "gauge" : "counter", metric->name, (long long)value);
}

static void metrics(struct drover_response *response)
{
    drover_response_type(response, "text/plain; version=0.0.4; charset=utf-8");
    add_metrics(response, add_sample, response);
}

/* ------------------------------------------------------------------------------------- JSON */

struct json {
    struct drover_response *response;
    bool has_members;
};

/* A metric's name needs no escapes. */
static void add_member(void *argument, const struct drover_metric *metric, int64_t value)
{
    struct json *json = argument;
    add(json->response, "%s\"%s\":%lld", json->has_members ? "," : "", metric->name,
        (long long)value);
    json->has_members = true;
}

static void status_json(struct drover_response *response)
{
    struct json json = {.response = response};
    drover_response_type(response, "application/json");
    add(response, "{\"status\":\"ok\",\"metrics\":{");
    add_metrics(response, add_member, &json);
    add(response, "}}\n");
}

/* ------------------------------------------------------------------------------- the others */

static void healthz(struct drover_response *response)
{
    add(response, "ok\n");
}

static void add_line(void *argument, const struct drover_metric *metric, int64_t value)
{
    add(argument, "%16lld  %s: %s\n", (long long)value, metric->name, metric->help);
}

static void page(struct drover_response *response)
{
    add_metrics(response, add_line, response);
    add(response, "\nAlso: /healthz, /metrics, /status.json\n");
}

static const struct {
    const char *path;
    void (*answer)(struct drover_response *response);
} pages[] = {
    {"/", page}, {"/healthz", healthz}, {"/metrics", metrics}, {"/status.json", status_json}};

static bool is_read(const struct drover_request *request)
{
    struct drover_span method = drover_request_method(request);
    return (method.n == 3 && memcmp(method.p, "GET", 3) == 0) ||
           (method.n == 4 && memcmp(method.p, "HEAD", 4) == 0);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    const char *path = drover_request_path(request).p;
    (void)context;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(path, pages[i].path) != 0)
            continue;
        drover_response_field(response, "Cache-Control", "no-store");
        if (is_read(request)) {
            pages[i].answer(response);
        } else {
            drover_response_status(response, 405);
            drover_response_field(response, "Allow", "GET, HEAD");
        }
        return;
    }
    drover_response_status(response, 404);
}

const struct drover_app status_app = {.name = "status", .handle = handle, .when = DROVER_AT_HEAD};
