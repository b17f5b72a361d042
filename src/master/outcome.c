#include "master/outcome.h"

#include <string.h>

#include "base/log.h"
#include "master/record.h"
#include "master/service.h"

static const struct {
    const char *name;
    const char *done; /* before the words of a success */
} kinds[] = {
    [OUTCOME_RELOAD] = {"reload", "reload"},   [OUTCOME_UPGRADE] = {"upgrade", "upgrade"},
    [OUTCOME_STOP] = {"stop", "stopped"},      [OUTCOME_SCALE] = {"scale", "scaled"},
    [OUTCOME_REOPEN] = {"reopen", "reopened"},
};
_Static_assert(sizeof kinds / sizeof *kinds == OUTCOME_KINDS, "a row a kind");

void outcome_begin(struct master *m, enum outcome_kind kind)
{
    m->is_under_way[kind] = true;
    service_begin(m, kind);
}

void outcome_again(struct master *m, enum outcome_kind kind, const char *why)
{
    (void)m;
    log_info("%s: %s", kinds[kind].name, why);
}

void outcome_join(struct master *m)
{
    outcome_begin(m, OUTCOME_RELOAD);
    m->reload_is_upgrade = true;
}

/* A line an error. */
static void log_failure(const char *name, const char *words)
{
    if (!strchr(words, '\n')) {
        log_warnx("%s: nothing is changed: %s", name, words);
        return;
    }
    log_warnx("%s: nothing is changed, since the configuration cannot be used:", name);
    while (*words) {
        int n = (int)strcspn(words, "\n");
        log_warnx("%s: %.*s", name, n, words);
        words += n + (words[n] == '\n');
    }
}

/* What cannot be read anew is no end of the reload that is under way. */
static bool goes_on(const struct master *m, enum outcome_kind kind, int status)
{
    return kind == OUTCOME_RELOAD && status && m->coming;
}

static void tell(struct master *m, enum outcome_kind kind, int status, const char *words)
{
    m->is_under_way[kind] = goes_on(m, kind, status);
    record_outcome(m, kind, status);
    service_end(m, kind, status, words);
    control_tell(m, kind, status, words);
}

void outcome_end(struct master *m, enum outcome_kind kind, int status, const char *words)
{
    record_tick(m); /* where a worker that was told to leave looks when a client has come */
    if (status)
        log_failure(kinds[kind].name, words);
    else
        log_info("%s: %s", kinds[kind].done, words);
    tell(m, kind, status, words);
    if (kind == OUTCOME_UPGRADE && m->reload_is_upgrade) {
        m->reload_is_upgrade = false;
        tell(m, OUTCOME_RELOAD, status, words);
    }
}
