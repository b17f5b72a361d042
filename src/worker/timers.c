#include "worker/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

/* A timer's place while it is being called. */
#define OUT_OF_HEAP SIZE_MAX

/* What drover.h calls a timer. */
struct drover_timer {
    struct timers *timers;
    size_t place; /* in the heap, or OUT_OF_HEAP */
    void (*fn)(void *argument);
    void *argument;
};

/* What the heap is ordered by stands in it: to sift touches no timer but those that move. */
struct timers_entry {
    int64_t at;
    uint64_t number;
    struct drover_timer *timer; /* owned */
};

static bool is_before(const struct timers_entry *a, const struct timers_entry *b)
{
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void put(struct timers *timers, struct timers_entry entry, size_t place)
{
    timers->heap[place] = entry;
    entry.timer->place = place;
}

static void sift_up(struct timers *timers, struct timers_entry entry, size_t place)
{
    while (place > 0 && is_before(&entry, &timers->heap[(place - 1) / 2])) {
        put(timers, timers->heap[(place - 1) / 2], place);
        place = (place - 1) / 2;
    }
    put(timers, entry, place);
}

static void sift_down(struct timers *timers, struct timers_entry entry, size_t place)
{
    size_t child;
    while ((child = 2 * place + 1) < timers->count) {
        if (child + 1 < timers->count && is_before(&timers->heap[child + 1], &timers->heap[child]))
            child++;
        if (!is_before(&timers->heap[child], &entry))
            break;
        put(timers, timers->heap[child], place);
        place = child;
    }
    put(timers, entry, place);
}

static bool has_room(struct timers *timers)
{
    if (timers->count < timers->room)
        return true;
    size_t room = timers->room ? 2 * timers->room : 16;
    struct timers_entry *heap = reallocarray(timers->heap, room, sizeof *heap);
    if (!heap)
        return false;
    timers->heap = heap;
    timers->room = room;
    return true;
}

struct drover_timer *timers_start(struct timers *timers, int64_t at, void (*fn)(void *argument),
                                  void *argument)
{
    struct drover_timer *timer = malloc(sizeof *timer);
    if (!timer || !has_room(timers)) {
        free(timer);
        return NULL;
    }
    *timer = (struct drover_timer){.timers = timers, .fn = fn, .argument = argument};
    struct timers_entry entry = {.at = at, .number = timers->started++, .timer = timer};
    sift_up(timers, entry, timers->count++);
    return timer;
}

/* The last takes the place of the one that goes, and then finds its own. */
static void take_out(struct timers *timers, size_t place)
{
    struct timers_entry last = timers->heap[--timers->count];
    timers->heap[timers->count].timer = NULL;
    if (place == timers->count)
        return;
    sift_down(timers, last, place);
    sift_up(timers, last, last.timer->place);
}

void timers_stop(struct drover_timer *timer)
{
    if (timer->place == OUT_OF_HEAP)
        return;
    take_out(timer->timers, timer->place);
    free(timer);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0].at : CLOCK_NEVER;
}

void timers_run(struct timers *timers, int64_t now)
{
    uint64_t until = timers->started;
    while (timers->count > 0 && timers->heap[0].at <= now && timers->heap[0].number < until) {
        struct drover_timer *due = timers->heap[0].timer;
        take_out(timers, 0);
        due->place = OUT_OF_HEAP;
        due->fn(due->argument);
        free(due);
    }
}

void timers_free(struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        free(timers->heap[i].timer);
    free(timers->heap);
    *timers = (struct timers){0};
}
