#include "config/app.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config/keys.h"

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

#define FRAME_MAX (16 * 1024 * 1024)

/* A name is shown in lines and tables. */
#define NAME_MAX_LENGTH 63

static bool is_of(const char *name, const char *allowed)
{
    size_t n = strlen(name);
    return n > 0 && n <= NAME_MAX_LENGTH && strspn(name, allowed) == n;
}

static const char *stream_fault(const struct drover_protocol *stream)
{
    if (!stream->frame)
        return "its stream has no frame function";
    if ((unsigned)stream->framing > DROVER_PREFIX_4)
        return "its stream's framing is none of enum drover_framing";
    if (stream->frame_max > FRAME_MAX)
        return "its stream's frame_max is above 16 MiB";
    if (stream->framing == DROVER_PREFIX_2 && stream->frame_max > UINT16_MAX)
        return "its stream's frame_max is above 65535, which 2 bytes of length cannot say";
    return NULL;
}

/* What is wrong with all but its tables; NULL: nothing. */
static const char *fault(const struct drover_app *app)
{
    if (!app->name || !is_of(app->name, LETTERS DIGITS "-_"))
        return "its name must be 1 to 63 letters, digits, '-' and '_'";
    if (!app->handle && !app->stream)
        return "it has neither handle nor stream, one of which is to be set";
    if (app->handle && app->stream)
        return "it has both handle and stream, one of which is to be set";
    if ((unsigned)app->when > DROVER_AT_HEAD)
        return "its when is none of enum drover_when";
    return app->stream ? stream_fault(app->stream) : NULL;
}

static const char *metric_fault(const struct drover_metric *metrics, size_t index)
{
    const struct drover_metric *metric = &metrics[index];
    if (index >= DROVER_METRICS_MAX)
        return "it is one more than the 16 (DROVER_METRICS_MAX) that there may be";
    if (!is_of(metric->name, LOWER "_"))
        return "its name must be 1 to 63 letters of a to z and '_'";
    if (strncmp(metric->name, "drover_", strlen("drover_")) == 0)
        return "names that start with drover_ are drover's own";
    if ((unsigned)metric->type > DROVER_GAUGE)
        return "its type is none of enum drover_metric_type";
    if (!metric->help)
        return "it has no line of help";
    for (size_t i = 0; i < index; i++)
        if (strcmp(metrics[i].name, metric->name) == 0)
            return "there are two of that name";
    return NULL;
}

static int metrics_check(const struct drover_metric *metrics, char *why, size_t why_size)
{
    for (size_t i = 0; metrics && metrics[i].name; i++) {
        const char *wrong = metric_fault(metrics, i);
        if (!wrong)
            continue;
        snprintf(why, why_size, "the metric \"%.40s\": %s", metrics[i].name, wrong);
        return -1;
    }
    return 0;
}

int app_check(const struct drover_app *app, char *why, size_t why_size)
{
    const char *wrong = fault(app);
    if (wrong) {
        snprintf(why, why_size, "%s", wrong);
        return EX_CONFIG;
    }
    if (metrics_check(app->metrics, why, why_size) < 0 || keys_check(app->keys, why, why_size) < 0)
        return EX_CONFIG;
    return 0;
}
