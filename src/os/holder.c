/*
 * Who listens at an address: the socket's inode from /proc/net, then the process that has it open.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/net.h"
#include "os/proc.h"

/* tcp(7) state TCP_LISTEN, as /proc/net/tcp prints it. */
#define STATE_LISTEN 0x0A

/* __SO_ACCEPTCON, as /proc/net/unix prints it among a socket's flags (proc(5)). */
#define FLAG_LISTENS 0x10000

/* An address as /proc/net/tcp prints it: each 32-bit word in hex, as the machine has it. */
static void print_words(char text[33], const void *address, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word;
        memcpy(&word, (const char *)address + i * sizeof word, sizeof word);
        snprintf(text + 8 * i, 9, "%08X", word);
    }
}

static unsigned describe(const struct net_address *address, char text[33])
{
    if (address->any.sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &address->storage, sizeof in);
        print_words(text, &in.sin_addr, 1);
        return ntohs(in.sin_port);
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, &address->storage, sizeof in6);
    print_words(text, &in6.sin6_addr, 4);
    return ntohs(in6.sin6_port);
}

/* How surely a listener at `theirs` is in the way of `ours`: it is the same address, or one of the
 * two is all addresses. */
static int rank(const char *theirs, const char *ours)
{
    if (strcmp(theirs, ours) == 0)
        return 3;
    if (strspn(theirs, "0") == strlen(theirs))
        return 2;
    return strspn(ours, "0") == strlen(ours);
}

/* The listener in one table that is most surely in the way. *best is the rank so far. */
static void search_table(const char *table, const char *ours, unsigned port, int *best,
                         unsigned long *found)
{
    char line[512], theirs[33];
    FILE *f = fopen(table, "re");
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, "%*u: %32[0-9A-F]:%x %*s %x %*s %*s %*s %*u %*u %lu", theirs, &local,
                   &state, &inode) != 4)
            continue;
        if (local != port || state != STATE_LISTEN || rank(theirs, ours) <= *best)
            continue;
        *best = rank(theirs, ours);
        *found = inode;
    }
    fclose(f);
}

static unsigned long inode_of_port(const struct net_address *address)
{
    char ours[33];
    int best = 0;
    unsigned long found = 0;
    unsigned port = describe(address, ours);
    search_table("/proc/net/tcp", ours, port, &best, &found);
    search_table("/proc/net/tcp6", ours, port, &best, &found);
    return found;
}

static unsigned long inode_of_path(const char *path)
{
    char line[512], name[256];
    unsigned flags;
    unsigned long inode, found = 0;
    FILE *f = fopen("/proc/net/unix", "re");
    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f))
        /* Connections bear their listener's name, too. */
        if (sscanf(line, "%*s %*s %*s %x %*s %*s %lu %255s", &flags, &inode, name) == 3 &&
            (flags & FLAG_LISTENS) && strcmp(name, path) == 0)
            found = inode;
    fclose(f);
    return found;
}

static unsigned long inode_of(const struct net_address *address)
{
    if (address->any.sa_family == AF_UNIX) {
        char text[NET_TEXT_SIZE];
        net_text(address, text);
        return inode_of_path(text + strlen("unix:"));
    }
    return inode_of_port(address);
}

/* Does this process have the link's target open? */
static bool has_open(const char *pid, const char *target)
{
    char path[64], seen[64];
    snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, seen, sizeof seen - 1);
        if (n <= 0)
            continue;
        seen[n] = '\0';
        found = strcmp(seen, target) == 0;
    }
    closedir(dir);
    return found;
}

static void command_of(const char *pid, char *name, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%.20s/comm", pid);
    snprintf(name, size, "a process");
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fgets(name, (int)size, f))
        name[strcspn(name, "\n")] = '\0';
    fclose(f);
}

/* Of the processes that have the target open, from this one on: whose parent has it not. Pids tell
 * nobody's age, since they wrap. */
static long eldest(long pid, const char *target)
{
    char parent[24];
    struct proc proc;
    while (proc_read((pid_t)pid, &proc) == 0 && proc.parent > 0) {
        snprintf(parent, sizeof parent, "%ld", (long)proc.parent);
        if (!has_open(parent, target))
            break;
        pid = proc.parent;
    }
    return pid;
}

/* Of a prefork server all have the socket: it is the master. */
pid_t net_holder(const struct net_address *address, char *name, size_t size)
{
    char target[64];
    long holder = 0;
    unsigned long inode = inode_of(address);
    DIR *proc = inode ? opendir("/proc") : NULL;
    if (!proc)
        return 0;
    snprintf(target, sizeof target, "socket:[%lu]", inode);
    for (struct dirent *entry; !holder && (entry = readdir(proc));)
        if (isdigit((unsigned char)entry->d_name[0]) && has_open(entry->d_name, target))
            holder = eldest(strtol(entry->d_name, NULL, 10), target);
    closedir(proc);
    if (holder == 0)
        return 0;
    snprintf(target, sizeof target, "%ld", holder);
    command_of(target, name, size);
    return (pid_t)holder;
}
