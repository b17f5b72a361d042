/* What a connection holds in memory. */
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

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
            fixture_sleep_us(1000);
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

void try_200_kb(struct finding *f, bool is_quick)
{
    size_t count = is_quick ? 1000 : 4000;
    if (fixture_descriptors() < 2 * count + 16)
        give_up("not tried: RLIMIT_NOFILE is too low for %zu connections", count);
    long before = fixture_number("/proc/meminfo", "Slab:");
    struct fixture_pair *pairs = open_many(count);
    int epoll = fixture_epoll();
    for (size_t i = 0; i < count; i++)
        fixture_watch(epoll, pairs[i].server, EPOLLIN);
    /* Both ends are here, and a server has one of them. */
    long after = fixture_number("/proc/meminfo", "Slab:");
    double idle_kb = (double)(after - before) / (double)count / 2;
    if (idle_kb <= 0)
        give_up("could not be tried: %zu connections took no kernel memory, as others gave it back",
                count);
    size_t sent = fill(pairs[0]);
    double unread_kb = buffers_kb(pairs[0].server), unsent_kb = buffers_kb(pairs[0].client);
    bool idle_fits = idle_kb < 200, full_fits = unread_kb < 200 && unsent_kb < 200;
    enum verdict verdict = idle_fits && full_fits ? CLAIM_HOLDS
                           : idle_fits            ? CLAIM_DEPENDS
                                                  : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s%zu idle connections in an epoll set take %.1f KB of kernel memory each, a "
                "server's end; after %zu KB were sent to one that is not read, its end holds %.0f "
                "KB and the sender's %.0f; what the program itself keeps comes on top",
                depends_on(verdict, "what is in the buffers"), count, idle_kb, sent / 1024,
                unread_kb, unsent_kb);
}
