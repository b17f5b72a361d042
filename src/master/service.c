#include "master/service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/health.h"
#include "master/status_line.h"
#include "master/upgrade.h"

/* What must arrive, a bit each; sent in this order. */
enum service_word {
    WORD_RELOADING = 1,
    WORD_READY = 2,
    WORD_STOPPING = 4,
    WORD_MAINPID = 8,
};

static bool has_manager(const struct master *m)
{
    return m->notify.fd >= 0;
}

/* Another process is the main one, and what this one says would not be believed. */
static bool is_another(const struct master *m)
{
    return m->is_handed_over || m->predecessor >= 0;
}

void service_init(struct service *s)
{
    *s = (struct service){.barrier = -1, .barrier_until = CLOCK_NEVER};
}

void service_open(struct master *m)
{
    struct service *s = &m->service;
    int64_t watchdog = notify_watchdog();
    s->ping_ms = watchdog > 1 ? watchdog / 2 : watchdog;
    s->sampled_at = clock_ms();
    s->renew_at = s->sampled_at + SERVICE_RENEW_MS;
}

/* ------------------------------------------------------------------------------ the sending */

/* False: it belongs to the caller still. */
static bool send_words(struct master *m, const char *words)
{
    struct service *s = &m->service;
    if (notify_send(&m->notify, words) == 0) {
        s->is_deaf = false;
        return true;
    }
    s->again_at = m->now + SERVICE_AGAIN_MS;
    if (errno != EAGAIN && !s->is_deaf)
        log_warn("the service manager cannot be told: %.*s", (int)strcspn(words, "\n"), words);
    s->is_deaf = errno != EAGAIN;
    return false;
}

/* A second at least lies between two samples: less would be noise. */
static uint64_t rate_of(struct service *s, uint64_t requests, int64_t now)
{
    int64_t elapsed = now - s->sampled_at;
    if (elapsed < SERVICE_RENEW_MS)
        return s->rate;
    s->rate = ((requests - s->sampled) * 1000 + (uint64_t)elapsed / 2) / (uint64_t)elapsed;
    s->sampled = requests;
    s->sampled_at = now;
    return s->rate;
}

static enum status_phase phase_of(const struct master *m)
{
    if (m->is_stopping || m->is_under_way[OUTCOME_STOP])
        return STATUS_DRAINING;
    return m->is_announced ? STATUS_SERVING : STATUS_STARTING;
}

static void describe(struct master *m, char *out, size_t size)
{
    struct service *s = &m->service;
    struct board_row sum = board_sum(m->board);
    struct status_line line = {
        .phase = phase_of(m),
        .connections = sum.connections,
        .rate = rate_of(s, sum.requests, m->now),
        .is_reloading = m->coming || m->is_under_way[OUTCOME_RELOAD],
        .upgrade = upgrade_is_under_way(m) ? m->upgrade.master.pid : 0,
        .lame_duck = m->stop_at == CLOCK_NEVER ? 0 : m->present->settings->lame_duck,
        .failure = s->failure};
    health_of(plan_of(m), &line.health);
    status_line_write(&line, out, size);
}

/* The words, unless they are "", and the line. */
static bool tell(struct master *m, const char *words, const char *line)
{
    struct service *s = &m->service;
    char text[64 + sizeof "STATUS=" + SERVICE_LINE_SIZE];
    int n = snprintf(text, 64, "%s%s", words, *words ? "\n" : "");
    notify_status(text + n, sizeof text - (size_t)n, line);
    if (!send_words(m, text))
        return false;
    snprintf(s->line, sizeof s->line, "%s", line);
    s->renew_at = m->now + SERVICE_RENEW_MS;
    return true;
}

static bool tell_word(struct master *m, enum service_word word)
{
    char line[SERVICE_LINE_SIZE], words[64];
    if (word == WORD_MAINPID) {
        snprintf(words, sizeof words, "MAINPID=%d", (int)m->upgrade.master.pid);
        return send_words(m, words);
    }
    describe(m, line, sizeof line);
    if (word == WORD_RELOADING)
        snprintf(words, sizeof words, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, m->service.reload_us);
    else
        snprintf(words, sizeof words, "%s", word == WORD_READY ? "READY=1" : "STOPPING=1");
    return tell(m, words, line);
}

/* Is nothing owed any more? */
static bool pay(struct master *m)
{
    struct service *s = &m->service;
    for (unsigned word = WORD_RELOADING; s->owed; word <<= 1) {
        if (!(s->owed & word))
            continue;
        if (!tell_word(m, word))
            return false;
        s->owed &= ~word;
    }
    return true;
}

static void owe(struct master *m, enum service_word word)
{
    m->service.owed |= word;
    if (!is_another(m))
        pay(m);
}

/* ------------------------------------------------------------------- the begin and the end */

/* Lines become clauses. */
static void join_lines(char *out, size_t size, const char *what, const char *words)
{
    size_t n = (size_t)snprintf(out, size, "%s", what);
    for (; *words && n + 3 < size; words++) {
        if (*words != '\n')
            out[n++] = *words;
        else if (words[1])
            n += (size_t)snprintf(out + n, size - n, "; ");
    }
    out[n] = '\0';
}

void service_failed(struct master *m, const char *why)
{
    struct notify notify;
    char line[SERVICE_LINE_SIZE], text[sizeof "STATUS=" + SERVICE_LINE_SIZE];
    if (getenv(UPGRADE_VARIABLE) || (m && m->predecessor >= 0))
        return;
    if (m)
        m->service.has_failed = true;
    if (notify_open(&notify) < 0)
        return;
    join_lines(line, sizeof line, "", why);
    notify_status(text, sizeof text, line);
    if (notify_send(&notify, text) < 0)
        log_warn("the service manager cannot be told why");
    notify_close(&notify);
}

int service_failx(struct master *m, int status, const char *format, ...)
{
    char why[SERVICE_LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    log_fatalx("%s", why);
    log_stderr_too(why);
    service_failed(m, why);
    return status;
}

void service_ready(struct master *m)
{
    if (has_manager(m))
        owe(m, WORD_READY);
}

void service_begin(struct master *m, enum outcome_kind kind)
{
    struct service *s = &m->service;
    if (!has_manager(m) || m->is_handed_over || kind == OUTCOME_REOPEN)
        return;
    if (kind == OUTCOME_RELOAD || kind == OUTCOME_UPGRADE)
        s->failure[0] = '\0';
    if (kind == OUTCOME_RELOAD && m->is_announced) {
        s->reload_us = clock_us();
        s->owed &= ~(unsigned)WORD_READY; /* of what was before */
        owe(m, WORD_RELOADING);
    }
    if (kind == OUTCOME_STOP)
        owe(m, WORD_STOPPING);
}

static void note_end(struct service *s, enum outcome_kind kind, int status, const char *words)
{
    char what[32];
    if (status == 0 || (kind != OUTCOME_RELOAD && kind != OUTCOME_UPGRADE))
        return;
    snprintf(what, sizeof what, "%s failed: ", kind == OUTCOME_RELOAD ? "reload" : "upgrade");
    join_lines(s->failure, sizeof s->failure, what, words);
}

static void tell_stopped(struct master *m, const char *words)
{
    char line[SERVICE_LINE_SIZE];
    if (m->service.has_failed || is_another(m)) /* that stays the last; the server goes on */
        return;
    join_lines(line, sizeof line, "stopped: ", words);
    tell(m, "", line);
}

void service_end(struct master *m, enum outcome_kind kind, int status, const char *words)
{
    if (!has_manager(m) || m->is_handed_over || kind == OUTCOME_REOPEN)
        return;
    if (kind == OUTCOME_STOP) {
        tell_stopped(m, words);
        return;
    }
    note_end(&m->service, kind, status, words);
    if (kind == OUTCOME_RELOAD && m->is_announced && !m->is_under_way[kind])
        owe(m, WORD_READY);
}

/* ----------------------------------------------------------------------------- the handover */

static void close_barrier(struct service *s)
{
    if (s->barrier >= 0)
        close(s->barrier);
    s->barrier = -1;
}

static void release(struct master *m)
{
    struct service *s = &m->service;
    if (s->barrier >= 0)
        loop_delete(m->loop, s->barrier);
    close_barrier(s);
    s->owed = 0;
    s->barrier_until = CLOCK_NEVER;
    upgrade_release(m);
}

static void on_barrier(struct loop *loop, int fd, uint32_t events, void *context)
{
    (void)loop;
    (void)fd;
    (void)events;
    release(context);
}

/* The barrier goes behind what is owed. Nobody is waited for who is not there. One that was
 * upgraded before it became the main process itself has to wait for that. */
static void raise_barrier(struct master *m)
{
    struct service *s = &m->service;
    if (m->predecessor >= 0) {
        s->again_at = m->now + SERVICE_AGAIN_MS;
        return;
    }
    if (!pay(m)) {
        if (s->is_deaf)
            release(m);
        return;
    }
    s->barrier = notify_barrier(&m->notify);
    if (s->barrier < 0 && errno == EAGAIN) {
        s->again_at = m->now + SERVICE_AGAIN_MS;
        return;
    }
    if (s->barrier >= 0 && loop_add(m->loop, s->barrier, EPOLLIN, on_barrier, m) == 0)
        return;
    log_warn("upgrade: cannot wait for the service manager");
    close_barrier(s);
    release(m);
}

void service_hand_over(struct master *m)
{
    struct service *s = &m->service;
    if (!has_manager(m)) {
        upgrade_release(m);
        return;
    }
    s->barrier_until = m->now + SERVICE_BARRIER_MS;
    s->owed |= WORD_MAINPID;
    raise_barrier(m);
}

bool service_is_awaited(const struct master *m)
{
    return m->service.barrier_until != CLOCK_NEVER;
}

static void hand_over_tick(struct master *m)
{
    struct service *s = &m->service;
    if (!service_is_awaited(m))
        return;
    if (s->barrier_until <= m->now) {
        log_warnx("upgrade: the service manager has not read within %d ms that pid %d is the main "
                  "process",
                  SERVICE_BARRIER_MS, (int)m->upgrade.master.pid);
        release(m);
    } else if (s->barrier < 0 && s->again_at <= m->now) {
        raise_barrier(m);
    }
}

/* ----------------------------------------------------------------------------- every turn */

/* Before it is ready, and when it stops, a server has deadlines of its own. */
static bool is_well(struct master *m)
{
    struct service *s = &m->service;
    struct health health;
    health_of(plan_of(m), &health);
    bool was_ill = s->is_ill;
    s->is_ill = m->is_announced && !m->is_stopping && !health_is_good(&health);
    if (s->is_ill != was_ill)
        log_warnx("%s: %d of %d workers make%s progress",
                  s->is_ill ? "no WATCHDOG=1 any more" : "WATCHDOG=1 again", health.accepting,
                  health.wanted, health.accepting == 1 ? "s" : "");
    return !s->is_ill;
}

/* One that is ill is looked at in every turn, and is told to be well at once. */
static void watch(struct master *m)
{
    struct service *s = &m->service;
    if (s->ping_ms == 0 || m->now < s->ping_at || !is_well(m))
        return;
    if (send_words(m, "WATCHDOG=1"))
        s->ping_at = m->now + s->ping_ms;
    else
        s->ping_at = m->now + clock_sooner(s->ping_ms, SERVICE_AGAIN_MS);
}

static void renew(struct master *m)
{
    struct service *s = &m->service;
    char line[SERVICE_LINE_SIZE];
    if (m->now < s->renew_at || s->has_failed)
        return;
    s->renew_at = m->now + SERVICE_RENEW_MS;
    describe(m, line, sizeof line);
    if (strcmp(line, s->line) != 0)
        tell(m, "", line);
}

void service_tick(struct master *m)
{
    struct service *s = &m->service;
    if (!has_manager(m))
        return;
    if (m->is_handed_over)
        hand_over_tick(m);
    if (is_another(m))
        return;
    if (s->owed && s->again_at <= m->now)
        pay(m);
    watch(m);
    renew(m);
}

static int64_t next_of_handover(const struct service *s)
{
    return s->barrier < 0 ? clock_sooner(s->again_at, s->barrier_until) : s->barrier_until;
}

int64_t service_next(const struct master *m)
{
    const struct service *s = &m->service;
    int64_t next = CLOCK_NEVER;
    if (!has_manager(m))
        return next;
    if (m->is_handed_over)
        return service_is_awaited(m) ? next_of_handover(s) : next;
    if (m->predecessor >= 0)
        return next;
    if (s->ping_ms > 0 && !s->is_ill)
        next = s->ping_at;
    if (s->owed && !s->is_deaf) /* nobody may ever listen again: that is worth no wake-up */
        next = clock_sooner(next, s->again_at);
    if (m->is_stopping && !s->has_failed)
        next = clock_sooner(next, s->renew_at);
    return next;
}
