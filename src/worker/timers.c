#include "worker/timers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

/* What drover.h calls a timer. */
struct drover_timer {
    struct timers *timers;
    size_t place; /* in the heap */
    int64_t at;
    uint64_t number;
    void (*fn)(void *argument);
    void *argument;
};

static bool is_before(const struct drover_timer *a, const struct drover_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void put(struct timers *timers, struct drover_timer *timer, size_t place)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, struct drover_timer *timer, size_t place)
{
    while (place > 0 && is_before(timer, timers->heap[(place - 1) / 2])) {
        put(timers, timers->heap[(place - 1) / 2], place);
        place = (place - 1) / 2;
    }
    put(timers, timer, place);
}

static void sift_down(struct timers *timers, struct drover_timer *timer, size_t place)
{
    size_t child;
    while ((child = 2 * place + 1) < timers->count) {
        if (child + 1 < timers->count && is_before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!is_before(timers->heap[child], timer))
            break;
        put(timers, timers->heap[child], place);
        place = child;
    }
    put(timers, timer, place);
}

static bool has_room(struct timers *timers)
{
    if (timers->count < timers->room)
        return true;
    size_t room = timers->room ? 2 * timers->room : 16;
    struct drover_timer **heap = reallocarray(timers->heap, room, sizeof *heap);
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
    *timer = (struct drover_timer){
        .timers = timers, .at = at, .number = timers->started++, .fn = fn, .argument = argument};
    sift_up(timers, timer, timers->count++);
    return timer;
}

/* The last takes the place of the one that goes, and then finds its own. */
static void take_out(struct drover_timer *timer)
{
    struct timers *timers = timer->timers;
    struct drover_timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    sift_down(timers, last, timer->place);
    sift_up(timers, last, last->place);
}

void timers_stop(struct drover_timer *timer)
{
    take_out(timer);
    free(timer);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0]->at : CLOCK_NEVER;
}

void timers_run(struct timers *timers, int64_t now)
{
    uint64_t until = timers->started;
    while (timers->count > 0 && timers->heap[0]->at <= now && timers->heap[0]->number < until) {
        struct drover_timer timer = *timers->heap[0];
        timers_stop(timers->heap[0]);
        timer.fn(timer.argument);
    }
}

void timers_free(struct timers *timers)
{
    for (size_t i = 0; i < timers->count; i++)
        free(timers->heap[i]);
    free(timers->heap);
    *timers = (struct timers){0};
}
