#include "handlers/hello.h"

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    static const char text[] = "hello\n";
    (void)context;
    (void)request;
    drover_response_body(response, text, sizeof text - 1);
}

const struct drover_app hello_app = {.name = "hello", .handle = handle, .when = DROVER_AT_HEAD};
