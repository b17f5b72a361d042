#include "http/field.h"

bool http_field_is_ours(struct span name)
{
    static const char *const ours[] = {
        "Connection", "Content-Length", "Content-Range",     "Content-Type",
        "Date",       "ETag",           "Keep-Alive",        "Last-Modified",
        "Server",     "Trailer",        "Transfer-Encoding", "Upgrade"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (span_eq_nocase(name, span_of(ours[i])))
            return true;
    return false;
}
