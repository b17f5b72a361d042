#include "http/field.h"

bool http_field_is_ours(struct span name)
{
    static const char *const ours[] = {
        "Connection", "Content-Length", "Content-Range",    "Content-Type",
        "Date",       "ETag",           "Keep-Alive",       "Last-Modified",
        "Server",     "Trailer",        "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (span_eq_nocase(name, span_of(ours[i])))
            return true;
    return false;
}

const struct http_field *http_request_field(const struct http_request *request, struct span name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (span_eq_nocase(request->fields[i].name, name))
            return &request->fields[i];
    return NULL;
}

const struct http_field *http_request_sole(const struct http_request *request, struct span name)
{
    const struct http_field *sole = NULL;
    for (size_t i = 0; i < request->field_count; i++) {
        if (!span_eq_nocase(request->fields[i].name, name))
            continue;
        if (sole)
            return NULL;
        sole = &request->fields[i];
    }
    return sole;
}
