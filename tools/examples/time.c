/* time - the time as JSON: /time, /time?zone=Europe/Berlin, and a while later: /tick?after=500ms.
 * A program, and from the same source a module for `drover serve --app ./time.so`. */
#define _GNU_SOURCE
#include <drover.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *zone;

static int tell(struct drover_response *response, const char *where)
{
    char text[128];
    time_t now = time(NULL);
    snprintf(text, sizeof text, "/usr/share/zoneinfo/%s", where);
    if (strcmp(where, "UTC") != 0 && (strstr(where, "..") || access(text, R_OK) < 0))
        return drover_response_status(response, 404);
    setenv("TZ", where, 1);
    strftime(text, sizeof text, "{\"time\":\"%FT%T%z\"}\n", localtime(&now));
    drover_response_type(response, "application/json");
    drover_metric_add(drover_response_worker(response), 0, 1);
    return drover_response_body(response, text, strlen(text));
}

static void tick(void *response) /* is to be finished even when nobody waits for it any more */
{
    tell(response, zone);
    drover_response_finish(response);
}

static void handle(void *context, const struct drover_request *request, struct drover_response *r)
{
    const char *path = drover_request_path(request).p;
    struct drover_span query = drover_request_query(request);
    char text[64], *end = text;
    snprintf(text, sizeof text, "%.*s", (int)query.n, query.n > 0 ? query.p : "");
    unsigned long after = strncmp(text, "after=", 6) == 0 ? strtoul(text + 6, &end, 10) : 0;
    if (strcmp(path, "/time") == 0)
        tell(r, strncmp(text, "zone=", 5) == 0 ? text + 5 : zone);
    else if (strcmp(path, "/tick") != 0 || strcmp(end, "ms") != 0 || after > 60000)
        drover_response_status(r, 404);
    else if (drover_response_defer(r) == 0 &&
             !drover_timer_start(drover_response_worker(r), after, tick, r))
        tick(r); /* there was no memory for a timer: early rather than never */
}

static const struct drover_key keys[] = {
    {"zone", DROVER_TEXT, "UTC", 0, 0, "of answers that are not asked for one", &zone}, {0}};
static const struct drover_metric metrics[] = {{"told", DROVER_COUNTER, "times told"}, {0}};
static const struct drover_app app = {
    .name = "time", .keys = keys, .metrics = metrics, .handle = handle, .when = DROVER_AT_HEAD};
DROVER_MAIN(app)
