#include "handlers/nowhere.h"

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    drover_response_status(response, 404);
}

const struct drover_app nowhere_app = {.name = "sites", .handle = handle, .when = DROVER_AT_HEAD};
