#include "lab/trial/expectation.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lab/kernel/machine.h"

/* -------------------------------------------------------------------------------- the figures */

static double wakeups(const struct measurement *m)
{
    return m->wakeups;
}

static double waits_returned(const struct measurement *m)
{
    return m->wakeups - m->wasted_hidden;
}

static double jain(const struct measurement *m)
{
    return m->jain;
}

static double chance(const struct measurement *m)
{
    return m->chi_squared_p;
}

static double share_of(const struct measurement *m, unsigned slot)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < m->workers; i++)
        sum += m->per_worker[i];
    return sum > 0 ? (double)m->per_worker[slot] / (double)sum : NAN;
}

static double share_of_first(const struct measurement *m)
{
    return share_of(m, 0);
}

static double share_of_last(const struct measurement *m)
{
    return share_of(m, m->workers - 1);
}

static double share_of_most(const struct measurement *m)
{
    double most = 0;
    for (unsigned i = 0; i < m->workers; i++)
        most = fmax(most, share_of(m, i));
    return most;
}

/* Of those that went to sleep last. */
static double share_of_top(const struct measurement *m)
{
    double sum = 0;
    for (unsigned i = m->workers > 3 ? m->workers - 3 : 0; i < m->workers; i++)
        sum += share_of(m, i);
    return sum;
}

static double client_share(const struct measurement *m)
{
    return m->client_cpu_us / m->cpu_us;
}

static double served_in_time(const struct measurement *m)
{
    return (double)m->served;
}

static double stranded(const struct measurement *m)
{
    return m->stranded;
}

/* ------------------------------------------------------------------------------ the predictions */

#define TABLE   "herd.md, \"Expected\""
#define FIVE    "herd.md, \"Five things\""
#define LAB_AIM "the lab's own aim"
#define NONE    INFINITY

#define AROUND(w) .low = 0.95 * (w), .high = 1.05 * (w)

/* W wakeups a connection with N idle workers. */
#define WAKES(name, n, ...)                                                              \
    {                                                                                    \
        .strategy = (name), .workload = "singles", .workers = (n),                       \
        .figure = "wakeups a connection", .value = wakeups, .source = TABLE, __VA_ARGS__ \
    }

#define WAKES_ONE(name) WAKES(name, 4, AROUND(1)), WAKES(name, 16, AROUND(1))
#define WAKES_ALL(name) WAKES(name, 4, AROUND(4)), WAKES(name, 16, AROUND(16))

/* Who gets it, in light load. */
#define GETS(name, words, fn, ...) GETS_FROM(name, words, fn, TABLE, __VA_ARGS__)

#define GETS_FROM(name, words, fn, from, ...)                                                      \
    {                                                                                              \
        .strategy = (name), .workload = "singles", .workers = 4, .figure = (words), .value = (fn), \
        .source = (from), __VA_ARGS__                                                              \
    }

#define BY_TURNS(name)  GETS(name, "Jain's index", jain, .low = 0.99, .high = NONE)
#define BY_CHANCE(name) GETS(name, "largest share", share_of_most, .low = 0, .high = 0.9499)

/* One of four workers is stopped, 12 connections come: so many are served in time. */
#define SERVES(name, from, to)                                                               \
    {                                                                                        \
        .strategy = (name), .workload = "stall-stop", .phase = "", .workers = 4,             \
        .figure = "served in time of 12, one of 4 workers stopped", .value = served_in_time, \
        .low = (from), .high = (to), .source = TABLE                                         \
    }

#define SERVES_ALL(name) SERVES(name, 12, 12)

#define STRANDS(name, from, to)                                                                    \
    {                                                                                              \
        .strategy = (name), .workload = "stall-stop", .phase = "strand", .workers = 4,             \
        .figure = "share of clients left beside an idle worker", .value = stranded, .low = (from), \
        .high = (to), .source = "herd.md, \"Axes\""                                                \
    }

/* How often the wait itself returned: what a program can see of a herd. */
#define SEES(name, n)                                                                       \
    {                                                                                       \
        .strategy = (name), .workload = "singles", .workers = (n),                          \
        .figure = "waits that returned, a connection", .value = waits_returned, .low = 1.0, \
        .high = 1.8, .source = FIVE                                                         \
    }

/* The load is to be cheaper than the cheapest of those that it measures; these are among them. */
#define LOADS(name)                                                                           \
    GETS_FROM(name, "CPU time of the client over that of the workers", client_share, LAB_AIM, \
              .low = 0, .high = 1)

const struct expectation expectations[] = {
    WAKES_ONE("accept-blocking"),
    BY_TURNS("accept-blocking"),
    SERVES_ALL("accept-blocking"),
    WAKES_ALL("poll"),
    BY_CHANCE("poll"),
    SERVES_ALL("poll"),
    WAKES_ALL("select"),
    BY_CHANCE("select"),
    SERVES_ALL("select"),
    WAKES_ALL("epoll-lt"),
    SEES("epoll-lt", 4),
    SEES("epoll-lt", 16),
    BY_CHANCE("epoll-lt"),
    SERVES_ALL("epoll-lt"),
    STRANDS("epoll-lt", 0, 0),
    WAKES_ALL("epoll-et"),
    BY_CHANCE("epoll-et"),
    SERVES_ALL("epoll-et"),
    WAKES("shared-epoll-lt", 4, .low = 2, .high = 3),
    WAKES("shared-epoll-lt", 16, .low = 2, .high = 3),
    {.strategy = "shared-epoll-lt",
     .workload = "singles",
     .workers = 16,
     .figure = "share of the last three of 16 to sleep",
     .value = share_of_top,
     .low = 0.95,
     .high = 1,
     .source = TABLE},
    SERVES_ALL("shared-epoll-lt"),
    WAKES_ONE("shared-epoll-et"),
    GETS("shared-epoll-et", "share of the last waiter", share_of_last, .low = 0.95, .high = 1),
    WAKES_ONE("epoll-exclusive"),
    GETS("epoll-exclusive", "share of the first registered", share_of_first, .low = 0.95,
         .high = 1),
    SERVES_ALL("epoll-exclusive"),
    STRANDS("epoll-exclusive", 0.005, 0.15),
    WAKES_ONE("epoll-exclusive-readd"),
    /* "Rotates", in turns of 16: the most uneven such rotation of 100 connections, 32, 32, 20 and
     * 16, has 0.93. */
    GETS("epoll-exclusive-readd", "Jain's index", jain, .low = 0.9, .high = NONE),
    SERVES_ALL("epoll-exclusive-readd"),
    WAKES("reuseport", 4, .low = 0, .high = 1.05),
    WAKES("reuseport", 16, .low = 0, .high = 1.05),
    GETS("reuseport", "chi-squared's p against chance", chance, .low = 0.01, .high = 1),
    SERVES("reuseport", 5, 11),
    WAKES_ONE("uring-multishot"),
    GETS("uring-multishot", "share of ring 0", share_of_first, .low = 0.95, .high = 1),
    SERVES("uring-multishot", 0, 2),
    WAKES_ONE("uring-single"),
    BY_TURNS("uring-single"),
    SERVES("uring-single", 11, 11),
    WAKES("fdpass-rr", 4, AROUND(2)),
    WAKES("fdpass-rr", 16, AROUND(2)),
    BY_TURNS("fdpass-rr"),
    WAKES("fdpass-least", 4, AROUND(2)),
    WAKES("fdpass-least", 16, AROUND(2)),
    SERVES_ALL("fdpass-rr"),
    LOADS("accept-blocking"),
    LOADS("epoll-exclusive"),
    LOADS("shared-epoll-oneshot"),
    {.strategy = "reuseport-cpu",
     .workload = "singles",
     .workers = 4,
     .is_pinned = true,
     .figure = "largest share, the client pinned to a CPU",
     .value = share_of_most,
     .low = 0.95,
     .high = 1,
     .source = FIVE},
    {.strategy = NULL},
};

/* -------------------------------------------------------------------------------- the checking */

bool expectation_is_about(const struct expectation *e, const struct measurement *m)
{
    return strcmp(m->kind, "strategy") == 0 && strcmp(e->strategy, m->name) == 0 &&
           strcmp(e->workload, m->workload) == 0 && e->workers == m->workers &&
           (m->skipped || !e->phase || strcmp(e->phase, m->phase) == 0) &&
           e->is_pinned == m->settings.is_pinned && !m->settings.is_deferred &&
           m->settings.wire == WIRE_LOOPBACK && m->settings.drain == DRAIN_DEFAULT;
}

bool expectation_holds(const struct expectation *e, double value)
{
    return value >= e->low && value <= e->high;
}

void expectation_words(const struct expectation *e, char *text, size_t size)
{
    if (isinf(e->high))
        snprintf(text, size, "at least %g", e->low);
    else if (e->low <= 0 && e->high > 0)
        snprintf(text, size, "at most %.3g", e->high);
    else if (e->low >= e->high)
        snprintf(text, size, "%g", e->low);
    else
        snprintf(text, size, "%g to %g", e->low, e->high);
}

json_t *expectation_json(const struct expectation *e, double value)
{
    char words[64];
    expectation_words(e, words, sizeof words);
    json_t *object = json_object();
    if (!object)
        return NULL;
    json_object_set_new(object, "kind", json_string("expectation"));
    json_object_set_new(object, "name", json_string(e->strategy));
    json_object_set_new(object, "workload", json_string(e->workload));
    json_object_set_new(object, "workers", json_integer(e->workers));
    json_object_set_new(object, "figure", json_string(e->figure));
    json_object_set_new(object, "expected", json_string(words));
    json_object_set_new(object, "measured", isfinite(value) ? json_real(value) : json_null());
    json_object_set_new(object, "verdict",
                        json_string(expectation_holds(e, value) ? "holds" : "differs"));
    json_object_set_new(object, "source", json_string(e->source));
    machine_add(object);
    return object;
}
