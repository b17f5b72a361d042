/* What a connection holds in memory. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/claims/fixture.h"
#include "lab/claims/tries.h"

/* The kernel's memory that sockets take: slabs, and the pages of their buffers. */
struct kernel_memory {
    long slab_kb;
    long buffer_kb;
};

/* "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 3": pages. */
static long buffer_pages(void)
{
    char line[256];
    long pages = 0;
    FILE *file = need_pointer(fopen("/proc/net/sockstat", "re"), "/proc/net/sockstat");
    while (fgets(line, sizeof line, file)) {
        const char *mem = strncmp(line, "TCP:", 4) == 0 ? strstr(line, " mem ") : NULL;
        if (mem)
            pages = strtol(mem + 5, NULL, 10);
    }
    fclose(file);
    return pages;
}

static struct kernel_memory kernel_now(void)
{
    return (struct kernel_memory){
        .slab_kb = fixture_number("/proc/meminfo", "Slab:"),
        .buffer_kb = buffer_pages() * (sysconf(_SC_PAGESIZE) / 1024),
    };
}

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

#define STUFFED 16

void try_200_kb(struct finding *f, bool is_quick)
{
    size_t count = is_quick ? 1000 : 4000, stuffed = 0;
    if (fixture_descriptors() < 2 * count + 16)
        give_up("not tried: RLIMIT_NOFILE is too low for %zu connections", count);
    struct kernel_memory before = kernel_now();
    struct fixture_pair *pairs = open_many(count);
    int epoll = fixture_epoll();
    for (size_t i = 0; i < count; i++)
        fixture_watch(epoll, pairs[i].server, 1);
    struct kernel_memory idle = kernel_now();
    /* Both ends are here, and a server has one of them. */
    double idle_kb = (double)(idle.slab_kb - before.slab_kb + idle.buffer_kb - before.buffer_kb) /
                     (double)count / 2;
    long full_before = buffer_pages();
    for (size_t i = 0; i < STUFFED; i++)
        stuffed += fill(pairs[i]);
    double full_kb = (double)(buffer_pages() - full_before) *
                     (double)(sysconf(_SC_PAGESIZE) / 1024) / STUFFED;
    bool idle_fits = idle_kb < 200, full_fits = full_kb < 200;
    enum verdict verdict = idle_fits && full_fits ? CLAIM_HOLDS
                           : idle_fits            ? CLAIM_DEPENDS
                                                  : CLAIM_FAILS;
    finding_set(f, verdict,
                "%s%zu idle connections in an epoll set take %.1f KB of kernel memory each, a "
                "server's end; one whose server does not read takes up to %.0f KB of buffers "
                "(%.0f KB of data, both ends); the server's own buffers come on top",
                depends_on(verdict, "what is in the buffers"), count, idle_kb, full_kb,
                (double)stuffed / 1024 / STUFFED);
}
