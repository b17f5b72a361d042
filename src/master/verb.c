#include "master/verb.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "master/reload.h"
#include "master/stop.h"
#include "master/upgrade.h"

/* A second one is not a second SIGTERM: it waits for the same end. */
static void begin_stop(struct master *m)
{
    if (!m->is_stopping && m->stop_at == CLOCK_NEVER)
        stop_on(m, "drover stop");
}

static void begin_stop_now(struct master *m)
{
    stop_now(m, "drover stop --now");
}

static const struct verb verbs[] = {
    {"reload", OUTCOME_RELOAD, reload_begin},   {"upgrade", OUTCOME_UPGRADE, upgrade_begin},
    {"reopen", OUTCOME_REOPEN, logs_reopen},    {"stop", OUTCOME_STOP, begin_stop},
    {"stop now", OUTCOME_STOP, begin_stop_now}, {"board", OUTCOME_KINDS, NULL},
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)

const struct verb *verb_find(const char *words, size_t n, char why[VERB_WHY_SIZE])
{
    size_t at = (size_t)snprintf(why, VERB_WHY_SIZE, "there is no such request; there are:");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strlen(verbs[i].words) == n && memcmp(verbs[i].words, words, n) == 0)
            return &verbs[i];
        if (at < VERB_WHY_SIZE)
            at += (size_t)snprintf(why + at, VERB_WHY_SIZE - at, "%s %s", i ? "," : "",
                                   verbs[i].words);
    }
    return NULL;
}

int verb_refuse(const struct master *m, const struct verb *verb, char why[VERB_WHY_SIZE])
{
    if (m->is_handed_over) {
        snprintf(why, VERB_WHY_SIZE, "the server is pid %d now; ask that",
                 (int)m->upgrade.master.pid);
        return EX_TEMPFAIL;
    }
    if (!verb || (m->is_stopping && verb->begin && verb->kind != OUTCOME_STOP)) {
        snprintf(why, VERB_WHY_SIZE, "the server stops");
        return EX_UNAVAILABLE;
    }
    return 0;
}
