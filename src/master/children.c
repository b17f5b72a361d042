#include "master/children.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

int children_reserve(struct children *all)
{
    if (all->count < all->room)
        return 0;
    size_t room = all->room ? all->room * 2 : 16;
    struct child *list = reallocarray(all->list, room, sizeof *list);
    if (!list)
        return -1;
    all->list = list;
    all->room = room;
    return 0;
}

struct child *children_add(struct children *all, pid_t pid, struct generation *generation, int slot,
                           int row, int channel)
{
    struct child *child = &all->list[all->count++];
    *child = (struct child){.pid = pid,
                            .generation = generation,
                            .slot = slot,
                            .row = row,
                            .channel = channel,
                            .standby = {.channel = -1},
                            .heritage = {.from = -1, .end = -1, .until = CLOCK_NEVER},
                            .relieve_at = CLOCK_NEVER,
                            .cause = BOARD_ENDS,
                            .begun = clock_ms(),
                            .deadline = CLOCK_NEVER,
                            .look_at = CLOCK_NEVER,
                            .pulse = {.still_since = CLOCK_NEVER}};
    return child;
}

void children_remove(struct children *all, struct child *child)
{
    close(child->channel);
    if (child->heritage.end >= 0)
        close(child->heritage.end);
    if (child->standby.channel >= 0)
        close(child->standby.channel);
    *child = all->list[--all->count];
}

void children_free(struct children *all)
{
    while (all->count > 0)
        children_remove(all, &all->list[0]);
    free(all->list);
    *all = (struct children){0};
}

struct child *children_by_pid(const struct children *all, pid_t pid)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].pid == pid)
            return &all->list[i];
    return NULL;
}

struct child *children_by_channel(const struct children *all, int channel)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].channel == channel)
            return &all->list[i];
    return NULL;
}

struct child *children_by_standby(const struct children *all, pid_t standby)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].standby.pid == standby)
            return &all->list[i];
    return NULL;
}

static bool is_free(const struct children *all, int row)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].row == row || all->list[i].heritage.from == row)
            return false;
    return true;
}

int children_free_row(const struct children *all, int slot)
{
    if (is_free(all, slot))
        return slot;
    for (int row = SLOTS_MAX; row < BOARD_ROWS; row++)
        if (is_free(all, row))
            return row;
    return -1;
}

static struct child *find(const struct children *all, const struct generation *generation, int slot,
                          bool is_heir)
{
    for (size_t i = 0; i < all->count; i++) {
        struct child *child = &all->list[i];
        if (child->generation == generation && child->slot == slot && !child->is_leaving &&
            child->is_heir == is_heir)
            return child;
    }
    return NULL;
}

struct child *children_of_slot(const struct children *all, const struct generation *generation,
                               int slot)
{
    return find(all, generation, slot, false);
}

struct child *children_heir_of_slot(const struct children *all, const struct generation *generation,
                                    int slot)
{
    return find(all, generation, slot, true);
}

int64_t children_next(const struct children *all)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].deadline < next)
            next = all->list[i].deadline;
    return next;
}
