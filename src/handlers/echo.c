#include "handlers/echo.h"

#include <stdio.h>
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

/* As the server sees it: behind a proxy, who that says it is. */
static void add_client(const struct drover_request *request, struct drover_response *response)
{
    char host[DROVER_HOST_SIZE], line[DROVER_HOST_SIZE + 32];
    uint16_t port;
    if (drover_request_client(request, host, &port) < 0)
        return;
    snprintf(line, sizeof line, "\nfrom %s port %u\n", host, port);
    add_text(response, line);
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
    add_client(request, response);
}

/* An empty body is one, too (RFC 9112, 6). */
static int has_body(const struct drover_request *request)
{
    return drover_request_field(request, "Content-Length").p ||
           drover_request_field(request, "Transfer-Encoding").p;
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    if (has_body(request))
        give_back(response, drover_request_body(request),
                  drover_request_field(request, "Content-Type"));
    else
        describe(request, response);
}

const struct drover_app echo_app = {.name = "echo", .handle = handle, .when = DROVER_WITH_BODY};
