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

/* tcp(7) state TCP_LISTEN, as /proc/net/tcp prints it. */
#define STATE_LISTEN 0x0A

static unsigned port_of(const struct net_address *address)
{
    struct sockaddr_in in; /* the port stands at the same place for both families */
    memcpy(&in, &address->storage, sizeof in);
    return ntohs(in.sin_port);
}

static unsigned long inode_of_port(const char *table, unsigned port)
{
    char line[512];
    unsigned long found = 0;
    FILE *f = fopen(table, "re");
    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f)) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line, "%*u: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*u %*u %lu", &local, &state,
                   &inode) == 3 &&
            local == port && state == STATE_LISTEN)
            found = inode;
    }
    fclose(f);
    return found;
}

static unsigned long inode_of_path(const char *path)
{
    char line[512], name[256];
    unsigned long inode, found = 0;
    FILE *f = fopen("/proc/net/unix", "re");
    if (!f)
        return 0;
    while (!found && fgets(line, sizeof line, f))
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %255s", &inode, name) == 2 &&
            strcmp(name, path) == 0)
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
    unsigned long inode = inode_of_port("/proc/net/tcp", port_of(address));
    return inode ? inode : inode_of_port("/proc/net/tcp6", port_of(address));
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

/* The oldest process with the socket: of a prefork server that is, but for wrapped pids, the
 * master. */
bool net_holder(const struct net_address *address, char *text, size_t size)
{
    char target[64], command[32];
    long oldest = 0;
    unsigned long inode = inode_of(address);
    DIR *proc = inode ? opendir("/proc") : NULL;
    if (!proc)
        return false;
    snprintf(target, sizeof target, "socket:[%lu]", inode);
    for (struct dirent *entry; (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !has_open(entry->d_name, target))
            continue;
        long pid = strtol(entry->d_name, NULL, 10);
        if (oldest == 0 || pid < oldest)
            oldest = pid;
    }
    closedir(proc);
    if (oldest == 0)
        return false;
    snprintf(target, sizeof target, "%ld", oldest);
    command_of(target, command, sizeof command);
    snprintf(text, size, "%s (pid %ld)", command, oldest);
    return true;
}
