#include "master/announce.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "master/crew.h"
#include "master/record.h"
#include "master/service.h"
#include "master/takeover.h"

void announce_close(const struct settings *s)
{
    int fd = (int)s->ready_fd;
    if (fd > STDERR_FILENO)
        close(fd);
    if (fd != STDIN_FILENO && fd != STDOUT_FILENO)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, fd) < 0)
        log_warn("--ready-fd %d: cannot be closed", fd);
    if (null >= 0)
        close(null);
}

/* All lines in one piece: who reads the first has the others, too. */
static void write_ready(const struct settings *s)
{
    char text[NET_TEXT_SIZE];
    struct buf lines = {0};
    if (s->ready_fd < 0)
        return;
    for (int i = 0; i < s->address_count; i++) {
        net_text(&s->addresses[i], text);
        buf_printf(&lines, "%s\n", text);
    }
    if (lines.failed || write((int)s->ready_fd, lines.p, lines.len) < 0)
        log_warn("--ready-fd %lld", (long long)s->ready_fd);
    buf_free(&lines);
    announce_close(s);
}

void announce_places(const struct generation *g, const char *between, char *out, size_t size)
{
    char text[NET_TEXT_SIZE];
    const struct settings *s = g->settings;
    size_t n = 0;
    *out = '\0';
    for (int i = 0; i < s->address_count && n < size; i++) {
        const struct net_address *address = &s->addresses[i];
        bool is_url = !net_is_shared(address) && !g->app->stream;
        net_text(address, text);
        n += (size_t)snprintf(out + n, size - n, is_url ? "%shttp://%s/" : "%s%s", i ? between : "",
                              text);
    }
}

void announce_what(const struct generation *g, char *text, size_t size)
{
    char root[PATH_MAX];
    const struct settings *s = g->settings;
    long long sites = s->site_count;
    const char *own = s->root && realpath(s->root, root) ? root : s->root;
    if (!own)
        own = g->app->name;
    size_t n = (size_t)snprintf(text, size, "%s", s->is_sites_only ? "" : own);
    if (sites > 0 && n < size)
        snprintf(text + n, size - n, "%s%lld site%s", n ? " and " : "", sites,
                 sites == 1 ? "" : "s");
}

static void print_line(const struct master *m)
{
    char where[1024], what[PATH_MAX + 32], how[64] = "";
    int size = crew_size(m->present);
    announce_what(m->present, what, sizeof what);
    announce_places(m->present, ", ", where, sizeof where);
    if (!*log_prefix(LOG_INFO)) /* the journal has the pid, and who reads it has no Ctrl-C */
        snprintf(how, sizeof how, "; Ctrl-C or kill %d stops it", (int)m->pid);
    log_info("serving %s at %s with %d worker%s%s", what, where, size, size == 1 ? "" : "s", how);
}

void announce(struct master *m)
{
    if (m->is_announced || !plan_is_whole(plan_of(m)))
        return;
    m->is_announced = true;
    record_tick(m); /* who is told that all accept may look at the board at once */
    print_line(m);
    write_ready(m->present->settings);
    takeover_end(m);
    service_ready(m);
}
