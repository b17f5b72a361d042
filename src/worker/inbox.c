#include "worker/inbox.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"

/* How often a lack is told, in milliseconds. */
#define WARN_EVERY_MS 1000

void inbox_init(struct inbox *inbox, struct loop *loop, const struct doors *doors,
                bool (*has_room)(void *context),
                void (*take)(void *context, int fd, const struct handover *what), void *context)
{
    *inbox = (struct inbox){.loop = loop,
                            .doors = doors,
                            .has_room = has_room,
                            .take = take,
                            .context = context,
                            .is_open = true,
                            .warned_at = -WARN_EVERY_MS};
}

/* ---------------------------------------------------------------------------- the watching */

static void on_inbox(struct loop *loop, int fd, uint32_t events, void *context);

static int end_of(const struct inbox *inbox, int slot)
{
    return inbox->doors->inbox[slot][INBOX_OUT];
}

static void watch(struct inbox *inbox, int slot)
{
    int end = end_of(inbox, slot);
    if (end >= 0 && loop_add(inbox->loop, end, EPOLLIN, on_inbox, inbox) < 0 && errno != EEXIST)
        log_warn("cannot watch an inbox");
}

static void unwatch(struct inbox *inbox, int slot)
{
    loop_delete(inbox->loop, end_of(inbox, slot)); /* ENOENT: it was not watched */
}

static void each(struct inbox *inbox, void (*fn)(struct inbox *inbox, int slot))
{
    for (int slot = 0; slot < inbox->doors->slot_count; slot++)
        if (slot_set_has(&inbox->serves, slot))
            fn(inbox, slot);
}

void inbox_add(struct inbox *inbox, int slot)
{
    slot_set_add(&inbox->serves, slot);
    if (inbox->is_open && !inbox->is_paused)
        watch(inbox, slot);
}

void inbox_remove(struct inbox *inbox, int slot)
{
    slot_set_remove(&inbox->serves, slot);
    unwatch(inbox, slot);
}

void inbox_leave(struct inbox *inbox)
{
    inbox->is_open = false;
    each(inbox, unwatch);
}

/* ------------------------------------------------------------------------------ the pauses */

static void pause_until(struct inbox *inbox, int64_t until)
{
    inbox->is_paused = true;
    inbox->paused_until = until;
    each(inbox, unwatch);
}

void inbox_tick(struct inbox *inbox, int64_t now)
{
    inbox->now = now;
    if (!inbox->is_paused || !inbox->is_open)
        return;
    bool is_over = inbox->paused_until == CLOCK_NEVER ? inbox->has_room(inbox->context)
                                                      : inbox->paused_until <= now;
    if (!is_over)
        return;
    inbox->is_paused = false;
    each(inbox, watch);
}

int64_t inbox_next(const struct inbox *inbox)
{
    return inbox->is_open && inbox->is_paused ? inbox->paused_until : CLOCK_NEVER;
}

/* ----------------------------------------------------------------------------- the reading */

/* They wait in the inbox: trying again at once would spin. */
static void endure_lack(struct inbox *inbox)
{
    pause_until(inbox, inbox->now + ACCEPT_PAUSE_MS);
    if (inbox->now - inbox->warned_at < WARN_EVERY_MS)
        return;
    inbox->warned_at = inbox->now;
    log_warnx("no descriptor for a connection that another worker hands over; it waits");
}

static void refuse_foreign(struct inbox *inbox)
{
    if (!inbox->is_foreign_told)
        log_warnx("a connection came that another version of drover hands over in a way that is "
                  "not known here: closed, and so are those after it");
    inbox->is_foreign_told = true;
}

/* Takes one over. False when there is none, or it cannot be taken now. */
static bool take_one(struct inbox *inbox, int end)
{
    struct handover what;
    if (!inbox->has_room(inbox->context)) {
        pause_until(inbox, CLOCK_NEVER);
        return false;
    }
    int fd = handover_receive(end, &what);
    if (fd >= 0) {
        inbox->take(inbox->context, fd, &what);
        return true;
    }
    switch (errno) {
    case EAGAIN: return false;
    case EPROTO: refuse_foreign(inbox); return true;
    case EMSGSIZE: log_warnx("lost a connection that was handed over: no descriptor"); return true;
    case EPIPE: loop_delete(inbox->loop, end); return false;
    default: endure_lack(inbox); return false; /* EMFILE, or ENOMEM */
    }
}

static void on_inbox(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)events;
    for (int i = 0; i < HANDOVER_TURN_MAX && take_one(context, fd); i++) {
    }
}

static void read_one(struct inbox *inbox, int slot)
{
    while (!inbox->is_paused && end_of(inbox, slot) >= 0 && take_one(inbox, end_of(inbox, slot))) {
    }
}

void inbox_read(struct inbox *inbox)
{
    each(inbox, read_one);
}
