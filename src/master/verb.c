#include "master/verb.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "master/reload.h"
#include "master/scale.h"
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
    {.words = "reload", .kind = OUTCOME_RELOAD, .begin = reload_begin},
    {.words = "upgrade", .kind = OUTCOME_UPGRADE, .begin = upgrade_begin},
    {.words = "reopen", .kind = OUTCOME_REOPEN, .begin = logs_reopen},
    {.words = "scale",
     .kind = OUTCOME_SCALE,
     .begin = scale_begin,
     .argument = "N",
     .read = scale_read},
    {.words = "stop", .kind = OUTCOME_STOP, .begin = begin_stop},
    {.words = "stop now", .kind = OUTCOME_STOP, .begin = begin_stop_now},
    {.words = "board", .kind = OUTCOME_KINDS},
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)

static bool is_asked(const struct verb *verb, const char *words, size_t n)
{
    size_t length = strlen(verb->words);
    if (n < length || memcmp(verb->words, words, length) != 0)
        return false;
    return verb->argument ? n == length || words[length] == ' ' : n == length;
}

const struct verb *verb_find(const char *words, size_t n, char why[VERB_WHY_SIZE])
{
    size_t at = (size_t)snprintf(why, VERB_WHY_SIZE, "there is no such request; there are:");
    for (size_t i = 0; i < VERB_COUNT; i++) {
        const struct verb *verb = &verbs[i];
        if (is_asked(verb, words, n))
            return verb;
        if (at < VERB_WHY_SIZE)
            at += (size_t)snprintf(why + at, VERB_WHY_SIZE - at, "%s %s%s%s", i ? "," : "",
                                   verb->words, verb->argument ? " " : "",
                                   verb->argument ? verb->argument : "");
    }
    return NULL;
}

bool verb_read(struct master *m, const struct verb *verb, const char *words, size_t n,
               char why[VERB_WHY_SIZE])
{
    char what[VERB_WHY_SIZE / 2];
    size_t skip = strlen(verb->words) + 1;
    const char *argument = n > skip ? words + skip : "";
    n = n > skip ? n - skip : 0;
    if (!verb->read || verb->read(m, argument, n, what, sizeof what))
        return true;
    snprintf(why, VERB_WHY_SIZE, "%s %.*s: %s", verb->words, (int)(n < 20 ? n : 20), argument,
             what);
    return false;
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
