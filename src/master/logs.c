#include "master/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_status.h"
#include "base/nowait.h"
#include "master/admin.h"
#include "master/crew.h"
#include "master/outcome.h"
#include "os/logfile.h"
#include "worker/worker.h"

#define SYSLOG_SOCKET  "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

void logs_init(struct logs *logs)
{
    *logs = (struct logs){.output = {.target = LOG_TO_STDERR, .fd = STDERR_FILENO},
                          .access = {.fd = -1}};
}

/* ------------------------------------------------------------------------------ the opening */

static bool has_path(const struct settings *s)
{
    return strcmp(s->log, "stderr") != 0 && strcmp(s->log, "syslog") != 0 &&
           strcmp(s->log, "journal") != 0;
}

static bool has_access_path(const struct settings *s)
{
    return strcmp(s->access_log, "off") != 0 && strcmp(s->access_log, "-") != 0;
}

static int fail(const char *option, const char *value, char *why, size_t size)
{
    int cause = errno;
    snprintf(why, size, "--%s %s: %s", option, value, strerror(cause));
    return exit_status_of(cause);
}

static int open_output(const struct settings *s, struct log_output *output)
{
    if (strcmp(s->log, "stderr") == 0)
        return 0;
    if (has_path(s)) {
        output->target = LOG_TO_FILE;
        output->fd = logfile_open(s->log);
    } else {
        bool is_syslog = strcmp(s->log, "syslog") == 0;
        output->target = is_syslog ? LOG_TO_SYSLOG : LOG_TO_JOURNAL;
        output->fd = logfile_socket(is_syslog ? SYSLOG_SOCKET : JOURNAL_SOCKET, &output->address);
    }
    return output->fd < 0 ? -1 : 0;
}

/* Stdout stays as it is for whoever else has it. */
static int open_stdout(void)
{
    int fd = nowait_open(STDOUT_FILENO);
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

static int open_access(const struct settings *s)
{
    return has_access_path(s) ? logfile_open(s->access_log) : open_stdout();
}

static int prepare_access(struct master *m, struct logs *logs, const struct settings *s)
{
    char what[512];
    if (!m->logs.shared)
        m->logs.shared = access_shared_open();
    logs->format = malloc(sizeof *logs->format);
    if (!m->logs.shared || !logs->format ||
        !access_format_read(logs->format, s->access_format, what, sizeof what))
        return -1;
    int fd = open_access(s);
    if (fd < 0)
        return -1;
    logs->access = access_file_of(fd, m->logs.shared);
    return 0;
}

int logs_open(struct master *m, struct generation *g, char *why, size_t size)
{
    const struct settings *s = g->settings;
    int status = 0;
    g->logs.form = s->log_format;
    if (open_output(s, &g->logs.output) < 0)
        status = fail("log", s->log, why, size);
    else if (strcmp(s->access_log, "off") != 0 && prepare_access(m, &g->logs, s) < 0)
        status = fail("access-log", s->access_log, why, size);
    if (status)
        logs_free(&g->logs);
    return status;
}

void logs_use(const struct generation *g)
{
    log_set_level(g->settings->log_level);
    log_set_format(g->logs.form);
    log_set_output(&g->logs.output);
}

void logs_free(struct logs *logs)
{
    if (logs->output.target != LOG_TO_STDERR && logs->output.fd >= 0)
        close(logs->output.fd);
    if (logs->access.fd >= 0)
        close(logs->access.fd);
    free(logs->format);
    logs_init(logs);
}

/* ------------------------------------------------------------------------------ the workers */

int logs_reserve(struct master *m, const struct generation *g)
{
    if (g->logs.access.fd >= 0 && !m->logs.buffers)
        m->logs.buffers = access_buffers_open(BOARD_ROWS);
    return g->logs.access.fd < 0 || m->logs.buffers ? 0 : -1;
}

void logs_fill(const struct master *m, const struct generation *g, struct worker_job *job)
{
    job->log_fd = g->logs.output.target == LOG_TO_STDERR ? -1 : g->logs.output.fd;
    job->access = g->logs.access;
    job->access_format = g->logs.format;
    job->access_buffers = m->logs.buffers;
}

static void leave(const struct generation *g, bool has_output)
{
    if (has_output && g->logs.output.target != LOG_TO_STDERR)
        close(g->logs.output.fd);
    if (g->logs.access.fd >= 0)
        close(g->logs.access.fd);
}

void logs_leave(const struct master *m, const struct generation *kept)
{
    if (m->present != kept)
        leave(m->present, true);
    if (m->coming && m->coming != kept)
        leave(m->coming, true);
    for (const struct generation *g = m->leaving; g; g = g->next)
        if (g != kept)
            leave(g, true);
}

void logs_leave_access(const struct generation *g)
{
    leave(g, false);
}

void logs_rescue(struct master *m, const struct child *child)
{
    if (!m->logs.buffers)
        return;
    uint64_t lost = access_buffer_rescue(&m->logs.buffers[child->row],
                                         &child->generation->logs.access);
    if (lost == 0)
        return;
    board_add(&m->board->rows[child->row].log_lost, (int64_t)lost);
    log_warnx("access log: %llu lines of worker %d (pid %d) were lost", (unsigned long long)lost,
              child->slot, (int)child->pid);
}

void logs_close_room(struct logs_room *room)
{
    access_buffers_close(room->buffers, BOARD_ROWS);
    access_shared_close(room->shared);
}

/* ----------------------------------------------------------------------------- opened anew */

/* What is opened anew of a generation; -1: nothing is. */
struct fresh {
    int output;
    int access;
};

static void close_fresh(const struct fresh *fresh)
{
    if (fresh->output >= 0)
        close(fresh->output);
    if (fresh->access >= 0)
        close(fresh->access);
}

static int open_fresh(const struct generation *g, struct fresh *fresh, char *why, size_t size)
{
    const struct settings *s = g->settings;
    int status = 0;
    *fresh = (struct fresh){-1, -1};
    if (has_path(s) && (fresh->output = logfile_open(s->log)) < 0)
        status = fail("log", s->log, why, size);
    else if (has_access_path(s) && (fresh->access = logfile_open(s->access_log)) < 0)
        status = fail("access-log", s->access_log, why, size);
    if (status) {
        close_fresh(fresh);
        *fresh = (struct fresh){-1, -1};
    }
    return status;
}

/* The new one gets the old one's number, which whoever uses it goes on with. */
static void put_in_place(int fresh, int fd)
{
    if (dup3(fresh, fd, O_CLOEXEC) < 0)
        log_warn("a log file that was opened anew cannot be used");
}

static void give_fresh(struct master *m, struct generation *g, const struct fresh *fresh)
{
    int fds[2];
    size_t count = 0;
    struct order order = {.kind = ORDER_LOGS,
                          .has_log = fresh->output >= 0,
                          .has_access = fresh->access >= 0,
                          .until = m->logs.until,
                          .number = m->logs.number};
    if (order.has_log)
        fds[count++] = fresh->output;
    if (order.has_access)
        fds[count++] = fresh->access;
    if (count == 0)
        return;
    if (order.has_log)
        put_in_place(fresh->output, g->logs.output.fd);
    if (order.has_access) {
        put_in_place(fresh->access, g->logs.access.fd);
        g->logs.access = access_file_of(g->logs.access.fd, m->logs.shared);
    }
    m->logs.opened += (int)count;
    crew_tell_logs(m, g, &order, fds, count);
    if (g == m->present)
        admin_tell_logs(m, &order, fds[0]);
}

void logs_tell(const struct master *m, struct child *child)
{
    int fds[2];
    size_t count = 0;
    const struct generation *g = child->generation;
    struct order order = {.kind = ORDER_LOGS,
                          .slot = child->slot,
                          .has_log = has_path(g->settings),
                          .has_access = has_access_path(g->settings),
                          .until = clock_ms(),
                          .number = m->logs.number};
    if (order.has_log)
        fds[count++] = g->logs.output.fd;
    if (order.has_access)
        fds[count++] = g->logs.access.fd;
    if (count == 0)
        return;
    crew_send(child, &order, fds, count);
    child->is_reopening = m->logs.is_reopening;
}

/* One whose workers leave does without if it must. */
static void reopen_leaving(struct master *m)
{
    char why[512];
    struct fresh fresh;
    for (struct generation *g = m->leaving; g; g = g->next) {
        if (open_fresh(g, &fresh, why, sizeof why) != 0)
            log_warnx("reopen: of workers that leave: %s", why);
        give_fresh(m, g, &fresh);
        close_fresh(&fresh);
    }
}

void logs_reopen(struct master *m)
{
    char why[512];
    struct fresh present = {-1, -1}, coming = {-1, -1};
    outcome_begin(m, OUTCOME_REOPEN);
    int status = open_fresh(m->present, &present, why, sizeof why);
    if (status == 0 && m->coming)
        status = open_fresh(m->coming, &coming, why, sizeof why);
    if (status) {
        close_fresh(&present);
        outcome_end(m, OUTCOME_REOPEN, status, why);
        return;
    }
    m->logs.begun = clock_ms();
    m->logs.until = m->logs.begun + REOPEN_WAIT_MS;
    m->logs.opened = 0;
    m->logs.number++;
    m->logs.is_reopening = true;
    give_fresh(m, m->present, &present);
    if (m->coming)
        give_fresh(m, m->coming, &coming);
    close_fresh(&present);
    close_fresh(&coming);
    reopen_leaving(m);
    logs_look(m);
}

/* Is the path's file another than the open one? */
static bool is_elsewhere(const char *path, int fd, bool if_missing)
{
    struct stat at_path, open;
    if (fstat(fd, &open) < 0 || !S_ISREG(open.st_mode))
        return false;
    if (stat(path, &at_path) < 0)
        return if_missing;
    return at_path.st_ino != open.st_ino || at_path.st_dev != open.st_dev;
}

static bool has_moved(const struct generation *g, bool if_missing)
{
    const struct settings *s = g->settings;
    const struct logs *logs = &g->logs;
    return (has_path(s) && is_elsewhere(s->log, logs->output.fd, if_missing)) ||
           (has_access_path(s) && is_elsewhere(s->access_log, logs->access.fd, if_missing));
}

void logs_take_over(struct master *m)
{
    if (has_moved(m->present, true))
        logs_reopen(m);
}

/* Somebody has made the files anew. Who has only renamed them makes them later. */
static bool lags(const struct master *m)
{
    bool result = has_moved(m->present, false);
    for (const struct generation *g = m->leaving; g && !result; g = g->next)
        result = has_moved(g, false);
    return result;
}

/* After an upgrade the new master is asked to open them anew, and this one is not told. */
static void follow(struct master *m)
{
    if (lags(m))
        logs_reopen(m);
    m->logs.look_at = m->now + (lags(m) ? LOGS_AGAIN_MS : LOGS_LOOK_MS);
}

static void end_reopening(struct master *m, const char *words)
{
    m->logs.is_reopening = false;
    m->logs.until = CLOCK_NEVER;
    outcome_end(m, OUTCOME_REOPEN, 0, words);
}

static const struct child *first_awaited(const struct master *m, int *count)
{
    const struct child *first = NULL;
    *count = 0;
    for (size_t i = 0; i < m->children.count; i++) {
        if (!m->children.list[i].is_reopening)
            continue;
        *count += 1;
        if (!first)
            first = &m->children.list[i];
    }
    return first;
}

void logs_look(struct master *m)
{
    char words[96];
    int count;
    if (!m->logs.is_reopening || first_awaited(m, &count))
        return;
    if (m->logs.opened == 0)
        snprintf(words, sizeof words, "no log is a file");
    else
        snprintf(words, sizeof words, "%d file%s opened anew, after %lld ms", m->logs.opened,
                 m->logs.opened == 1 ? " was" : "s were", (long long)(clock_ms() - m->logs.begun));
    end_reopening(m, words);
}

void logs_tick(struct master *m)
{
    char words[160];
    int count;
    if (m->is_handed_over && m->logs.look_at <= m->now && !m->logs.is_reopening)
        follow(m);
    if (!m->logs.is_reopening || m->logs.until > m->now)
        return;
    const struct child *child = first_awaited(m, &count);
    snprintf(words, sizeof words,
             "the files were opened anew; %d worker%s, worker %d (pid %d) first, will write there "
             "when they go on",
             count, count == 1 ? "" : "s", child ? child->slot : -1, child ? (int)child->pid : 0);
    for (size_t i = 0; i < m->children.count; i++)
        m->children.list[i].is_reopening = false;
    end_reopening(m, words);
}

int64_t logs_next(const struct master *m)
{
    bool is_looking = m->is_handed_over && !m->logs.is_reopening;
    return clock_sooner(m->logs.until, is_looking ? m->logs.look_at : CLOCK_NEVER);
}
