#include "worker/access.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/client.h"
#include "worker/work.h"

void access_init(struct access *access, const struct access_format *format,
                 struct access_buffer *buffer, const struct access_file *file,
                 struct board_row *row, int slot)
{
    *access = (struct access){.format = format,
                              .buffer = buffer,
                              .file = *file,
                              .row = row,
                              .time = {.second = -1},
                              .slot = slot,
                              .pid = getpid(),
                              .flush_at = CLOCK_NEVER};
}

/* ------------------------------------------------------------------------------- the losses */

static void lose(struct access *access, uint64_t lines)
{
    board_add(&access->row->log_lost, (int64_t)lines);
    access->untold += lines;
}

static void tell_lost(struct access *access, int64_t now)
{
    if (access->untold == 0 || now < access->warn_at)
        return;
    log_warn("access log: %llu lines were lost", (unsigned long long)access->untold);
    access->untold = 0;
    access->warn_at = now + ACCESS_WARN_MS;
}

void access_flush(struct access *access, int64_t now)
{
    uint64_t lost = 0;
    int result = access_buffer_write(access->buffer, &access->file, &lost);
    access->flush_at = result == 0 ? CLOCK_NEVER : now + ACCESS_FLUSH_MS;
    access->retry_at = result == 0 ? 0 : now + ACCESS_RETRY_MS;
    lose(access, lost);
    if (result < 0) {
        access_buffer_shift(access->buffer);
        tell_lost(access, now);
    }
}

void access_tick(struct access *access, int64_t now)
{
    if (now >= access->flush_at)
        access_flush(access, now);
}

/* Where the next line goes; NULL: it is lost. */
static char *room(struct access *access, int64_t now)
{
    char *to = access_buffer_room(access->buffer);
    if (to)
        return to;
    if (now >= access->retry_at)
        access_flush(access, now);
    to = access_buffer_room(access->buffer);
    if (!to)
        lose(access, 1);
    return to;
}

static void add(struct access *access, size_t length, int64_t now)
{
    access_buffer_add(access->buffer, length);
    if (access->flush_at == CLOCK_NEVER)
        access->flush_at = now + ACCESS_FLUSH_MS;
}

/* ------------------------------------------------------------------------------- the records */

/* Of a connection that goes on, the address is kept for its next requests. */
static bool know_client(struct conn *conn, const struct exchange *exchange,
                        struct http_address *client)
{
    struct http_address peer;
    if (client_address(conn, &peer) < 0)
        return false;
    if (!conn->client && !conn->closing)
        client_remember(conn, &peer);
    *client = forwarded_client(&exchange->request.head, &peer, exchange->env->forwarded);
    return true;
}

static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_storage storage;
    } own = {.storage = {0}};
    socklen_t length = sizeof own;
    if (getsockname(fd, &own.any, &length) < 0)
        return -1;
    if (own.any.sa_family == AF_INET)
        return ntohs(own.in.sin_port);
    return own.any.sa_family == AF_INET6 ? ntohs(own.in6.sin6_port) : -1;
}

static struct access_record begin_record(struct access *access, time_t second, int fd)
{
    struct access_record record = {
        .time = &access->time, .slot = access->slot, .pid = access->pid, .port = -1};
    if (second != access->time.second)
        access_time(&access->time, second);
    if (access->format->has_port)
        record.port = port_of(fd);
    if (access->format->is_json) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        record.milliseconds = now.tv_sec == second ? (int)(now.tv_nsec / 1000000) : 0;
    }
    return record;
}

/* Bytes of the head. */
static size_t head_of(const struct account *account)
{
    struct span made = account->made;
    size_t at = 0;
    if (account->head > 0)
        return account->head;
    while (at < made.n && made.p[at] != '\r') {
        const char *newline = memchr(made.p + at, '\n', made.n - at);
        at = newline ? (size_t)(newline - made.p) + 1 : made.n;
    }
    return at < made.n ? at + 2 : made.n;
}

/* -------------------------------------------------------------------------------- the lines */

/* When the turn began that had the request's first byte, as clock_us(). */
static int64_t begun_of(const struct conn_env *env)
{
    return env->begun_us ? env->begun_us : env->now_us;
}

/* What has to be filled in stays with the connection. NULL when memory ran out. */
static struct access_open *open_line(struct access *access, const struct conn_env *env,
                                     const struct access_record *record,
                                     const struct account *account)
{
    struct access_open *open = malloc(sizeof *open + ACCESS_LINE_ROOM);
    if (!open)
        return NULL;
    *open = (struct access_open){.access = access,
                                 .before = account->before,
                                 .head = head_of(account),
                                 .begun_us = begun_of(env),
                                 .length = access_line(access->format, record, open->line)};
    struct access_open *fitting = realloc(open, sizeof *open + open->length);
    if (fitting)
        open = fitting;
    return open;
}

static void keep(struct access *access, struct conn *conn, const struct conn_env *env,
                 struct access_record *record, const struct account *account)
{
    struct conn_work *work = work_of(conn);
    record->is_open = true;
    struct access_open *open = work ? open_line(access, env, record, account) : NULL;
    if (open)
        work->logged = open;
    else
        lose(access, 1);
}

void access_answer(struct access *access, struct conn *conn, struct conn_env *env,
                   const struct account *account)
{
    const struct exchange *exchange = account->exchange;
    struct http_address client;
    if (env->begun_us == BEGUN_ELSEWHERE)
        return;
    struct access_record record = begin_record(access, env->exchanges.now, conn->fd);
    record.client = know_client(conn, exchange, &client) ? &client : NULL;
    record.request = &exchange->request.head;
    record.refused = account->refused;
    record.status = account->status;
    record.served = conn->served;
    if (account->is_open) {
        keep(access, conn, env, &record, account);
        return;
    }
    record.sent = account->made.n;
    record.body = account->made.n - head_of(account);
    record.us = clock_us() - begun_of(env);
    char *to = room(access, env->now);
    if (to)
        add(access, access_line(access->format, &record, to), env->now);
}

void access_close(struct access_open *open)
{
    if (!open)
        return;
    struct access *access = open->access;
    int64_t us = clock_us();
    uint64_t sent = open->sent > open->before ? open->sent - open->before : 0;
    struct access_record record = {
        .sent = sent, .body = sent > open->head ? sent - open->head : 0, .us = us - open->begun_us};
    char *to = room(access, us / 1000);
    if (to)
        add(access,
            access_line_close(&record, open->line, open->length, access->format->is_json, to),
            us / 1000);
    free(open);
}

void access_shed(struct access *access, const struct conn_env *env, int fd, size_t bytes,
                 size_t body)
{
    static const struct http_request nothing;
    struct conn conn = {.fd = fd};
    struct http_address client;
    struct access_record record = begin_record(access, env->exchanges.now, fd);
    record.client = client_address(&conn, &client) == 0 ? &client : NULL;
    record.request = &nothing;
    record.status = 503;
    record.sent = bytes;
    record.body = body;
    char *to = room(access, env->now);
    if (to)
        add(access, access_line(access->format, &record, to), env->now);
}

void access_change(struct access *access, int fd, int64_t until)
{
    int64_t now = clock_ms();
    if (now < until)
        access_flush(access, now);
    if (dup3(fd, access->file.fd, O_CLOEXEC) < 0)
        log_warn("an access log that was opened anew cannot be used");
    access->file = access_file_of(access->file.fd, access->file.shared);
    access->retry_at = 0;
}
