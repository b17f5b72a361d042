#include "master/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_status.h"
#include "base/log.h"
#include "master/outcome.h"
#include "master/service.h"
#include "master/state.h"
#include "master/verb.h"
#include "os/control_path.h"
#include "os/pass.h"

/* Tells the new master where the file is: bind(2)'s own word for it is wrong after a rename(2). */
#define VARIABLE "DROVER_CONTROL"

_Static_assert(CONTROL_ANSWER_MAX >= OUTCOME_TEXT_SIZE + 4, "a status has three digits");

void control_init(struct control *control)
{
    *control = (struct control){.listener = -1, .asking = -1, .pause_until = CLOCK_NEVER};
}

/* ---------------------------------------------------------------------------- the connections */

static struct control_peer *place_of(struct control *c, int fd)
{
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
        if (c->peers[i].stage != CONTROL_FREE && c->peers[i].fd == fd)
            return &c->peers[i];
    return NULL;
}

static struct control_peer *free_place(struct control *c)
{
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
        if (c->peers[i].stage == CONTROL_FREE)
            return &c->peers[i];
    return NULL;
}

/* Who finds no place waits in the queue, and costs nothing. */
static void watch(struct master *m)
{
    struct control *c = &m->control;
    bool takes_more = free_place(c) && c->pause_until == CLOCK_NEVER;
    if (c->listener >= 0 && loop_change(m->loop, c->listener, takes_more ? EPOLLIN : 0) < 0)
        log_warn("control socket");
}

static void forget(struct master *m, struct control_peer *peer)
{
    if (peer->stage != CONTROL_ANSWERED)
        loop_delete(m->loop, peer->fd);
    close(peer->fd);
    peer->stage = CONTROL_FREE;
    watch(m);
}

static void say(int fd, int status, const char *words)
{
    static char text[CONTROL_ANSWER_MAX]; /* more than a stack is for */
    int n = snprintf(text, sizeof text, "%d %s", status, words);
    size_t length = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (pass_send(fd, text, length, NULL, 0) < 0) /* it does not read, or is gone */
        log_debug("control: an answer cannot be sent");
}

static void answer(struct master *m, struct control_peer *peer, int status, const char *words)
{
    bool is_end = peer->stage == CONTROL_WAITING && peer->kind == OUTCOME_STOP;
    say(peer->fd, status, words);
    if (!is_end) {
        forget(m, peer);
        return;
    }
    loop_delete(m->loop, peer->fd);
    peer->stage = CONTROL_ANSWERED;
    peer->deadline = CLOCK_NEVER;
}

/* Whoever has it looks for itself from then on, and asks nobody. */
static void give_board(struct master *m, struct control_peer *peer)
{
    char text[32];
    if (m->board_fd < 0) {
        answer(m, peer, EX_OSERR,
               "this server cannot be looked at: its board is no file; its log has why, at the "
               "start");
        return;
    }
    int n = snprintf(text, sizeof text, "0 %d", (int)m->pid);
    if (pass_send(peer->fd, text, (size_t)n, &m->board_fd, 1) < 0)
        log_debug("control: the board cannot be sent");
    forget(m, peer);
}

void control_tell(struct master *m, unsigned kind, int status, const char *words)
{
    struct control *c = &m->control;
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        struct control_peer *peer = &c->peers[i];
        if (peer->stage == CONTROL_WAITING && peer->kind == kind &&
            (peer->fd == c->asking || !m->is_under_way[kind]))
            answer(m, peer, status, words);
    }
}

void control_tell_others(struct master *m, unsigned kind, int status, const char *words)
{
    struct control *c = &m->control;
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        struct control_peer *peer = &c->peers[i];
        if (peer->stage == CONTROL_WAITING && peer->kind == kind && peer->fd != c->asking)
            answer(m, peer, status, words);
    }
}

/* What was not answered until the master ends never is; or it can be asked of the new one. */
static void tell_all(struct master *m)
{
    char why[VERB_WHY_SIZE];
    int status = verb_refuse(m, NULL, why);
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        const struct control_peer *peer = &m->control.peers[i];
        if (peer->stage == CONTROL_WAITING || peer->stage == CONTROL_SILENT)
            say(peer->fd, status, why);
    }
}

/* It may be answered, and gone, before this returns. */
static void heed(struct master *m, struct control_peer *peer, const char *words, size_t n)
{
    struct peer who = {.pid = 0};
    char why[VERB_WHY_SIZE];
    const struct verb *verb = verb_find(words, n, why);
    if (!verb) {
        answer(m, peer, EX_USAGE, why);
        return;
    }
    void (*tell)(const char *format, ...) = verb->begin ? log_info : log_debug;
    if (peer_get(peer->fd, &who) == 0)
        tell("%s: is asked for by pid %d (uid %u)", verb->words, (int)who.pid, who.uid);
    int status = verb_refuse(m, verb, why);
    if (status == 0 && !verb_read(m, verb, words, n, why))
        status = EX_USAGE;
    if (status) {
        answer(m, peer, status, why);
        return;
    }
    if (!verb->begin) {
        give_board(m, peer);
        return;
    }
    peer->stage = CONTROL_WAITING;
    peer->kind = verb->kind;
    peer->deadline = CLOCK_NEVER;
    m->control.asking = peer->fd;
    verb->begin(m);
    m->control.asking = -1;
}

static void on_peer(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    struct control_peer *peer = place_of(&m->control, fd);
    char words[CONTROL_REQUEST_MAX], why[VERB_WHY_SIZE];
    (void)loop;
    (void)events;
    if (!peer)
        return;
    ssize_t n = pass_receive(fd, words, sizeof words, NULL, NULL);
    if (n < 0 && errno == EAGAIN)
        return;
    bool is_too_long = n < 0 && errno == EMSGSIZE;
    if (peer->stage != CONTROL_SILENT || (n <= 0 && !is_too_long)) {
        forget(m, peer); /* gone, or it says more than one may */
    } else if (is_too_long) {
        verb_find("", 0, why);
        answer(m, peer, EX_USAGE, why);
    } else {
        heed(m, peer, words, (size_t)n);
    }
}

/* The file's mode lets in nobody else; unless somebody has changed it. */
static bool may_ask(int fd)
{
    struct peer who;
    char why[VERB_WHY_SIZE];
    if (peer_get(fd, &who) < 0) {
        log_warn("control: who asks cannot be known");
        return false;
    }
    if (who.uid == 0 || who.uid == geteuid())
        return true;
    log_warnx("control: pid %d (uid %u) may not ask this server", (int)who.pid, who.uid);
    snprintf(why, sizeof why, "uid %u may not ask this server: root may, and uid %u", who.uid,
             geteuid());
    say(fd, EX_NOPERM, why);
    return false;
}

static void admit(struct master *m, struct control_peer *place, int fd)
{
    if (!may_ask(fd)) {
        close(fd);
        return;
    }
    if (loop_add(m->loop, fd, EPOLLIN, on_peer, m) < 0) {
        log_warn("control: a connection is dropped");
        close(fd);
        return;
    }
    *place = (struct control_peer){
        .stage = CONTROL_SILENT, .fd = fd, .deadline = m->now + CONTROL_REQUEST_MS};
}

static void pause_accepting(struct master *m)
{
    if (!m->control.is_short)
        log_warn("control: no connection can be taken");
    m->control.is_short = true;
    m->control.pause_until = m->now + ACCEPT_PAUSE_MS;
}

static void on_listener(struct loop *loop, int fd, uint32_t events, void *context)
{
    struct master *m = context;
    struct control_peer *place = free_place(&m->control);
    (void)loop;
    (void)events;
    int end = place ? peer_accept(fd) : -1;
    if (end >= 0) {
        m->control.is_short = false;
        admit(m, place, end);
    } else if (place && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        pause_accepting(m); /* no descriptor, or no memory */
    }
    watch(m);
}

void control_tick(struct master *m)
{
    struct control *c = &m->control;
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++) {
        if (c->peers[i].stage != CONTROL_SILENT || c->peers[i].deadline > m->now)
            continue;
        log_info("control: a connection that asks for nothing is closed");
        forget(m, &c->peers[i]);
    }
    if (c->pause_until <= m->now) {
        c->pause_until = CLOCK_NEVER;
        watch(m);
    }
}

int64_t control_next(const struct master *m)
{
    const struct control *c = &m->control;
    int64_t next = c->pause_until;
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
        if (c->peers[i].stage == CONTROL_SILENT && c->peers[i].deadline < next)
            next = c->peers[i].deadline;
    return next;
}

/* --------------------------------------------------------------------------------- the socket */

/* False: there is to be none. */
static bool wanted_path(const struct master *m, char path[PEER_PATH_SIZE])
{
    const char *given = m->present->settings->control;
    struct control_places places = control_places();
    if (!given)
        return control_path(&places, m->pid, path);
    snprintf(path, PEER_PATH_SIZE, "%s", given);
    return strcmp(given, "off") != 0;
}

static void close_listener(struct master *m)
{
    struct control *c = &m->control;
    if (c->listener >= 0 && m->loop)
        loop_delete(m->loop, c->listener); /* close(2) alone does not, where another has a copy */
    if (c->listener >= 0)
        close(c->listener);
    free(c->path);
    c->listener = -1;
    c->path = NULL;
    c->file = (struct sockfile){.inode = 0};
}

static int open_at(struct master *m, const char *path)
{
    struct sockfile file;
    struct control *c = &m->control;
    int fd = peer_listen(path, CONTROL_PEERS_MAX, &file);
    if (fd < 0)
        return -1;
    char *copy = strdup(path);
    if (!copy || loop_add(m->loop, fd, EPOLLIN, on_listener, m) < 0) {
        int saved = errno;
        sockfile_remove(path, &file);
        close(fd);
        free(copy);
        errno = saved;
        return -1;
    }
    c->listener = fd;
    c->path = copy;
    c->file = file;
    return 0;
}

static int fail(struct master *m, const char *path)
{
    int cause = errno;
    struct peer holder;
    int fd = cause == EADDRINUSE ? peer_connect(path, CONTROL_CONNECT_MS) : -1;
    bool is_held = fd >= 0 && peer_get(fd, &holder) == 0;
    if (fd >= 0)
        close(fd);
    if (is_held)
        return service_failx(m, exit_status_of(cause),
                             "--control %s: is held by pid %d, which is running", path,
                             (int)holder.pid);
    return service_failx(m, exit_status_of(cause), "--control %s: %s", path, strerror(cause));
}

static void warn(const char *path)
{
    log_warn("drover status, reload, upgrade and stop cannot ask this server: %s", path);
}

static void warn_of_none(void)
{
    const char *user = control_places().user;
    log_warnx("drover status, reload, upgrade and stop cannot ask this server: XDG_RUNTIME_DIR is "
              "%s; --control PATH makes a socket",
              user && *user ? "too long" : "not set");
}

int control_open(struct master *m)
{
    char path[PEER_PATH_SIZE];
    if (m->predecessor >= 0) /* it has one until this master serves */
        return 0;
    close_listener(m); /* whoever handed it over, it was no master */
    const char *given = m->present->settings->control;
    bool is_wanted = wanted_path(m, path);
    if (!is_wanted && !given)
        warn_of_none();
    if (!is_wanted || open_at(m, path) == 0)
        return 0;
    if (given)
        return fail(m, path);
    warn(path);
    return 0;
}

void control_close(struct master *m)
{
    struct control *c = &m->control;
    tell_all(m);
    if (c->path)
        sockfile_remove(c->path, &c->file);
    close_listener(m);
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
        if (c->peers[i].stage != CONTROL_FREE)
            forget(m, &c->peers[i]);
}

void control_leave(const struct control *c)
{
    if (c->listener >= 0)
        close(c->listener);
    for (size_t i = 0; i < CONTROL_PEERS_MAX; i++)
        if (c->peers[i].stage != CONTROL_FREE)
            close(c->peers[i].fd);
}

/* ------------------------------------------------------------------------------- the upgrade */

bool control_inherit(struct master *m, int fd)
{
    struct control *c = &m->control;
    const char *path = getenv(VARIABLE);
    if (c->listener >= 0 || !path)
        return false;
    c->path = strdup(path);
    unsetenv(VARIABLE);
    if (!c->path)
        return false;
    c->listener = fd;
    return true;
}

bool control_variable(const struct control *c, char *text, size_t size)
{
    return c->listener >= 0 && (size_t)snprintf(text, size, VARIABLE "=%s", c->path) < size;
}

/* Its file goes where this master wants it. */
static int move_to(struct control *c, const char *path)
{
    char *copy = strdup(path);
    if (!copy)
        return -1;
    if (strcmp(c->path, path) != 0 && sockfile_move(c->path, path, SOCK_SEQPACKET) < 0) {
        free(copy);
        return -1;
    }
    free(c->path);
    c->path = copy;
    return sockfile_at(path, &c->file);
}

/* listen(2) once more, since whoever connects sees the pid of the process that has called it. */
static int begin(struct master *m)
{
    struct control *c = &m->control;
    if (listen(c->listener, CONTROL_PEERS_MAX) < 0)
        return -1;
    return loop_add(m->loop, c->listener, EPOLLIN, on_listener, m);
}

void control_take_over(struct master *m)
{
    char path[PEER_PATH_SIZE];
    struct control *c = &m->control;
    bool is_wanted = wanted_path(m, path);
    bool is_inherited = c->listener >= 0;
    if (is_inherited && is_wanted && move_to(c, path) == 0 && begin(m) == 0)
        return;
    if (is_inherited) { /* it is not to be there, is gone, or cannot be moved so far */
        if (sockfile_at(c->path, &c->file) == 0)
            sockfile_remove(c->path, &c->file);
        close_listener(m);
    }
    if (is_wanted && open_at(m, path) < 0)
        warn(path);
}

/* Where no configuration says where it goes, it is called after its master. */
static bool rename_back(const struct control *c, pid_t pid)
{
    char path[PEER_PATH_SIZE];
    struct control_places places = control_places();
    return control_path(&places, pid, path) && sockfile_is_at(path, &c->file) &&
           sockfile_move(path, c->path, SOCK_SEQPACKET) == 0 &&
           listen(c->listener, CONTROL_PEERS_MAX) == 0;
}

void control_take_back(struct master *m, pid_t pid)
{
    char path[PEER_PATH_SIZE];
    struct control *c = &m->control;
    if (c->listener < 0 || sockfile_is_at(c->path, &c->file) || rename_back(c, pid))
        return;
    close_listener(m);
    if (wanted_path(m, path) && open_at(m, path) < 0)
        warn(path);
}

void control_hand_over(struct master *m)
{
    close_listener(m);
}
