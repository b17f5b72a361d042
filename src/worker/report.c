#include "worker/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "os/pass.h"

int report_send(int channel, enum report_kind kind, int count, const char *why)
{
    struct report message = {.kind = kind, .count = count};
    snprintf(message.why, sizeof message.why, "%s", why);
    int result = pass_send(channel, &message, sizeof message, NULL, 0);
    if (result < 0)
        log_debug("cannot tell the master");
    return result;
}

int report_failed(int channel, int status, const char *format, ...)
{
    struct report message = {.kind = REPORT_FAILED};
    va_list args;
    va_start(args, format);
    vsnprintf(message.why, sizeof message.why, format, args);
    va_end(args);
    if (pass_send(channel, &message, sizeof message, NULL, 0) < 0)
        log_warnx("%s", message.why);
    return status;
}
