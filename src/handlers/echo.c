#include "handlers/echo.h"

#include <string.h>

/* Longer media types are not named in the answer. */
#define TYPE_MAX 255

static void add(struct drover_response *response, struct drover_span s)
{
    drover_response_body(response, s.p, s.n);
}

static void add_text(struct drover_response *response, const char *text)
{
    drover_response_body(response, text, strlen(text));
}

static void give_back(struct drover_response *response, struct drover_span body,
                      struct drover_span type)
{
    char media_type[TYPE_MAX + 1];
    if (type.p && type.n <= TYPE_MAX) {
        memcpy(media_type, type.p, type.n);
        media_type[type.n] = '\0';
        drover_response_type(response, media_type);
    } else {
        drover_response_type(response, "application/octet-stream");
    }
    /* What a client has sent shall not run as a script of this host. */
    drover_response_field(response, "X-Content-Type-Options", "nosniff");
    drover_response_field(response, "Content-Security-Policy", "sandbox");
    add(response, body);
}

static void describe(const struct drover_request *request, struct drover_response *response)
{
    struct drover_span name, value;
    struct drover_span query = drover_request_query(request);
    add(response, drover_request_method(request));
    add_text(response, " ");
    add(response, drover_request_path(request));
    if (query.n > 0) {
        add_text(response, "?");
        add(response, query);
    }
    add_text(response, "\n");
    for (size_t i = 0; drover_request_field_at(request, i, &name, &value) == 0; i++) {
        add(response, name);
        add_text(response, ": ");
        add(response, value);
        add_text(response, "\n");
    }
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    struct drover_span body = drover_request_body(request);
    (void)context;
    if (body.n > 0)
        give_back(response, body, drover_request_field(request, "Content-Type"));
    else
        describe(request, response);
}

const struct drover_app echo_app = {.name = "echo", .handle = handle, .when = DROVER_WITH_BODY};
