#include "status/admin.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "status/json.h"
#include "status/page.h"
#include "status/verdict.h"

/* ------------------------------------------------------------------------------ the answers */

typedef void answer_fn(struct admin_view *view, struct drover_response *response);

static void healthz(struct admin_view *view, struct drover_response *response)
{
    if (!verdict_healthy(view->snapshot, &view->text))
        drover_response_status(response, 503);
}

static void readyz(struct admin_view *view, struct drover_response *response)
{
    if (!verdict_ready(view->snapshot, &view->text))
        drover_response_status(response, 503);
}

static void metrics(struct admin_view *view, struct drover_response *response)
{
    drover_response_type(response, METRICS_TYPE);
    metrics_write(&view->text, view->snapshot, view->floor);
}

static void json(struct admin_view *view, struct drover_response *response)
{
    drover_response_type(response, "application/json");
    status_json(&view->text, view->snapshot);
    buf_lit(&view->text, "\n");
}

static void status_page(struct admin_view *view, struct drover_response *response)
{
    char policy[PAGE_POLICY_SIZE];
    drover_response_type(response, "text/html; charset=utf-8");
    page_put(&view->text, policy);
    drover_response_field(response, "Content-Security-Policy", policy);
}

/* Relative, so that a proxy may put it below a path of its own. */
static void lead_to_page(struct admin_view *view, struct drover_response *response)
{
    drover_response_status(response, 302);
    drover_response_field(response, "Location", "status");
    buf_lit(&view->text, "/status, /status.json, /metrics, /healthz, /readyz\n");
}

static const struct {
    const char *path;
    bool needs_snapshot;
    answer_fn *answer;
} places[] = {
    {"/", false, lead_to_page},  {"/healthz", true, healthz},     {"/readyz", true, readyz},
    {"/metrics", true, metrics}, {"/status", false, status_page}, {"/status.json", true, json},
};

/* ----------------------------------------------------------------------------- the requests */

static void answer(struct admin_view *view, size_t place, struct drover_response *response)
{
    buf_clear(&view->text);
    if (places[place].needs_snapshot)
        snapshot_take(view->snapshot, view->board);
    places[place].answer(view, response);
    if (view->text.failed || drover_response_body(response, view->text.p, view->text.len) < 0)
        drover_response_status(response, 500);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    const char *path = drover_request_path(request).p;
    drover_response_field(response, "Cache-Control", "no-store");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcmp(path, places[i].path) != 0)
            continue;
        if (drover_request_is(request, "GET") || drover_request_is(request, "HEAD")) {
            answer(context, i, response);
            return;
        }
        drover_response_status(response, 405);
        drover_response_field(response, "Allow", "GET, HEAD");
        return;
    }
    drover_response_status(response, 404);
}

static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    struct admin_view *view = context;
    (void)worker;
    (void)why;
    view->snapshot = aligned_alloc(_Alignof(struct snapshot), sizeof *view->snapshot);
    return view->snapshot ? 0 : EX_OSERR;
}

struct drover_app admin_app(struct admin_view *view)
{
    return (struct drover_app){.name = "admin",
                               .context = view,
                               .worker_start = start,
                               .handle = handle,
                               .when = DROVER_AT_HEAD};
}

void admin_view_free(struct admin_view *view)
{
    free(view->snapshot);
    buf_free(&view->text);
    view->snapshot = NULL;
}
