/* ready - an application for HTTP whose answers stand ready, beside handlers that do not return or
 * end their process. tests/system/kept.bats drives it.
 *
 *   /ready     a kilobyte that stands ready
 *   /again     the same, by a handler, with the number of the turn in the field Turn
 *   /spin?MS   an endless loop, for so long
 *   /abort     the end of the process
 *   /die       the same, while it is looked up whether its answer stands ready
 *   anything else as /spin?0, once its body is whole
 */
#include "app.h"

#include <time.h>

static struct drover_prepared *page;

static void make_page(struct drover_response *r)
{
    char kilobyte[1024];
    memset(kilobyte, 'k', sizeof kilobyte);
    drover_response_body(r, kilobyte, sizeof kilobyte);
    page = drover_response_prepare(r);
}

static void spin(const struct drover_request *q, struct drover_response *r)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <
           argument(q, 0));
    say(r, "spun\n");
}

static struct drover_prepared *ready(void *context, const struct drover_request *q,
                                     struct drover_worker *worker)
{
    (void)context, (void)worker;
    if (strcmp(drover_request_path(q).p, "/die") == 0)
        abort();
    return strcmp(drover_request_path(q).p, "/ready") == 0 ? page : NULL;
}

static void answer_again(struct drover_response *r)
{
    char turn[32];
    snprintf(turn, sizeof turn, "%llu", (unsigned long long)drover_turn(drover_response_worker(r)));
    drover_response_field(r, "Turn", turn);
    if (!page || drover_response_prepared(r, page) < 0)
        drover_response_status(r, 404);
}

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    const char *path = drover_request_path(q).p;
    (void)context;
    if (strcmp(path, "/ready") == 0)
        make_page(r);
    else if (strcmp(path, "/again") == 0)
        answer_again(r);
    else if (strcmp(path, "/abort") == 0)
        abort();
    else
        spin(q, r);
}

static void stop(void *context, struct drover_worker *worker)
{
    (void)context, (void)worker;
    drover_prepared_free(page);
}

static const struct drover_app app = {.name = "ready",
                                      .ready = ready,
                                      .handle = handle,
                                      .worker_stop = stop,
                                      .when = DROVER_WITH_BODY};
DROVER_MAIN(app)
