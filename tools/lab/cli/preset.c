#include "lab/cli/preset.h"

#include <string.h>

/* A part of `settings`: workloads, and what is changed. */
#define UNDER(names, ...)                                                                      \
    {                                                                                          \
        .name = "settings",                                                                    \
        .teaches =                                                                             \
            "the same over a veth pair, pinned to CPUs, deferred (TCP_DEFER_ACCEPT), drained", \
        .workloads = (names), .workers = "4", .quick_workers = "4", .repeat = 1,               \
        .quick_repeat = 1, .settings = {                                                       \
            __VA_ARGS__                                                                        \
        }                                                                                      \
    }

const struct preset presets[] = {
    {.name = "herd",
     .teaches = "the herd curve: who is woken for one connection, with 1 to 128 idle workers",
     .workloads = "singles",
     .workers = "1,2,4,8,16,32,64,128",
     .quick_workers = "1,4,16",
     .repeat = 3,
     .quick_repeat = 1},
    {.name = "rates",
     .teaches = "what a strategy can do, its latencies at 30, 60 and 90 % of that, and a storm",
     .workloads = "steady,storm",
     .workers = "4",
     .quick_workers = "4",
     .repeat = 2,
     .quick_repeat = 1},
    {.name = "balance",
     .teaches = "who gets the work when clients stay: costly requests, bursts, heavy tails",
     .workloads = "heavy,burst,zipf",
     .workers = "4",
     .quick_workers = "4",
     .repeat = 3,
     .quick_repeat = 1},
    {.name = "failures",
     .teaches = "a worker is stopped, spins or is killed: who waits, and who is lost",
     .workloads = "stall-stop,stall-spin,death",
     .workers = "4",
     .quick_workers = "4",
     .repeat = 3,
     .quick_repeat = 1},
    UNDER("singles", .wire = WIRE_VETH),
    UNDER("singles", .is_pinned = true),
    UNDER("singles", .is_deferred = true),
    UNDER("singles,storm", .drain = DRAIN_YES),
    {.name = "models",
     .teaches = "how one process waits for its connections: few active among many idle, and all",
     .is_of_models = true,
     .workloads = "short,long,idle,active",
     .workers = "1",
     .quick_workers = "1",
     .repeat = 2,
     .quick_repeat = 1},
    {.name = NULL},
};

const struct preset *preset_find(const char *name)
{
    for (const struct preset *p = presets; p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

bool preset_is_part(const struct preset *preset)
{
    return preset > presets && strcmp(preset[-1].name, preset->name) == 0;
}
