/* What a connection holds in memory. */
#include <linux/sock_diag.h>
#include <math.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"
#include "lab/kernel/pause.h"
#include "lab/models/model_trial.h"

/* Opens `count` connections, both ends here. */
static struct fixture_pair *open_many(size_t count)
{
    struct sockaddr_in address;
    int door = fixture_listen(64, &address);
    struct fixture_pair *pairs = need_pointer(calloc(count, sizeof *pairs), "calloc");
    for (size_t i = 0; i < count; i++) {
        pairs[i].client = fixture_connect(&address);
        pairs[i].server = need(accept4(door, NULL, NULL, SOCK_CLOEXEC), "accept4");
    }
    return pairs;
}

/* Sends until nothing more goes in; bytes that are in the buffers of both ends then. */
static size_t fill(struct fixture_pair pair)
{
    static char bytes[65536];
    size_t sent = 0;
    for (int quiet = 0; quiet < 3;) {
        ssize_t n = send(pair.client, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            sent += (size_t)n;
            quiet = 0;
        } else {
            quiet++;
            pause_us(1000);
        }
    }
    return sent;
}

/* What a socket's buffers hold, as the kernel accounts for it: data, and room around it. */
static double buffers_kb(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    need(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length), "SO_MEMINFO");
    return (memory[SK_MEMINFO_RMEM_ALLOC] + memory[SK_MEMINFO_WMEM_QUEUED] +
            memory[SK_MEMINFO_BACKLOG]) /
           1024.0;
}

static void keep_resident(const struct measurement *m, void *context)
{
    double *bytes = context;
    if (m->skipped)
        give_up("could not be tried: %s: %s", m->name, m->skipped);
    *bytes = isnan(m->resident_per_connection) ? 0 : m->resident_per_connection; /* none was seen */
}

/* What the lab's own server by epoll has in memory for each idle connection; bytes. */
static double server_bytes(size_t count, bool is_quick)
{
    double bytes = 0;
    struct model_trial trial = {.model = model_find("epoll-lt"),
                                .workload = model_workload_find("idle"),
                                .settings = {.seed = 1},
                                .only = (unsigned)count,
                                .is_quick = is_quick,
                                .emit = keep_resident,
                                .context = &bytes};
    if (!trial.model || !trial.workload)
        give_up("could not be tried: there is no model epoll-lt or no workload idle");
    if (model_run(&trial) < 0)
        give_up("could not be tried: epoll-lt: %s", trial.words);
    return bytes;
}

/* The kernel's memory for one end of each of these connections, in an epoll set; KB. */
static double kernel_kb(struct fixture_pair **pairs, size_t count)
{
    long before = fixture_number("/proc/meminfo", "Slab:");
    *pairs = open_many(count);
    int epoll = fixture_epoll();
    for (size_t i = 0; i < count; i++)
        fixture_watch(epoll, (*pairs)[i].server, EPOLLIN);
    long after = fixture_number("/proc/meminfo", "Slab:");
    if (after <= before)
        give_up("could not be tried: %zu connections took no kernel memory, as others gave it back",
                count);
    /* Both ends are here, and a server has one of them. */
    return (double)(after - before) / (double)count / 2;
}

void try_200_kb(struct finding *f, bool is_quick)
{
    size_t count = is_quick ? 1000 : 4000;
    if (fixture_descriptors() < 2 * count + 16)
        give_up("not tried: RLIMIT_NOFILE is too low for %zu connections", count);
    struct fixture_pair *pairs;
    /* Its memory first: what is freed would be taken again, and not count. */
    double kernel = kernel_kb(&pairs, count);
    size_t sent = fill(pairs[0]);
    double unread_kb = buffers_kb(pairs[0].server), unsent_kb = buffers_kb(pairs[0].client);
    for (size_t i = 0; i < count; i++) {
        close(pairs[i].client);
        close(pairs[i].server);
    }
    double server = server_bytes(count, is_quick);
    bool idle_fits = kernel + server / 1024 < 200, full_fits = unread_kb < 200 && unsent_kb < 200;
    enum verdict verdict = !idle_fits ? CLAIM_FAILS : full_fits ? CLAIM_HOLDS : CLAIM_DEPENDS;
    finding_set(
        f, verdict,
        "%s%zu idle connections take %.1f KB of kernel memory each, a server's end and its "
        "place in an epoll set, and %.0f bytes in the lab's own server; after %zu KB were sent "
        "to one that is not read, its end holds %.0f KB and the sender's %.0f",
        depends_on(verdict, "what is in the buffers"), count, kernel, server, sent / 1024,
        unread_kb, unsent_kb);
}
