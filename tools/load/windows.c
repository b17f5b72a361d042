#include "load/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void windows_init(struct windows *windows, int64_t length_us)
{
    memset(windows, 0, sizeof *windows);
    windows->length_us = length_us;
}

void windows_free(struct windows *windows)
{
    free(windows->list);
    windows->list = NULL;
    windows->count = windows->room = 0;
}

static struct window *next_window(struct windows *windows)
{
    if (windows->count == windows->room) {
        size_t room = windows->room ? windows->room * 2 : 64;
        struct window *list = reallocarray(windows->list, room, sizeof *list);
        if (!list) {
            windows->failed = true;
            return NULL;
        }
        windows->list = list;
        windows->room = room;
    }
    return &windows->list[windows->count++];
}

static void end_window(struct windows *windows)
{
    const struct histogram *latency = &windows->latency;
    struct window *window = next_window(windows);
    if (window)
        *window = (struct window){
            .answered = latency->total,
            .lost = windows->lost,
            .p50_us = histogram_quantile(latency, 500),
            .p99_us = histogram_quantile(latency, 990),
            .max_us = histogram_max(latency),
        };
    windows->lost = 0;
    if (latency->total > 0)
        windows->latency = (struct histogram){0};
}

void windows_add(struct windows *windows, enum outcome outcome, int64_t at_us, int64_t latency_us)
{
    if (windows->length_us == 0)
        return;
    while (!windows->failed && at_us / windows->length_us > (int64_t)windows->count)
        end_window(windows);
    if (outcome == OUTCOME_ANSWERED)
        histogram_add(&windows->latency, latency_us);
    else if (outcome_is_loss(outcome))
        windows->lost++;
}

int windows_end(struct windows *windows)
{
    if (windows->latency.total > 0 || windows->lost > 0)
        end_window(windows);
    if (!windows->failed)
        return 0;
    errno = ENOMEM;
    return -1;
}
