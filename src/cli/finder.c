#include "cli/finder.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/control_path.h"
#include "os/peer.h"

static bool is_denied(int cause)
{
    return cause == EACCES || cause == EPERM;
}

/* Whose it is, as far as it can be seen. */
static int deny(const char *program, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        fprintf(stderr, "%s: %s: Permission denied\n", program, path);
        return EX_NOPERM;
    }
    const struct passwd *owner = getpwuid(st.st_uid);
    fprintf(stderr, "%s: %s: the server is uid %u's%s%s%s; it and root may ask it\n", program, path,
            st.st_uid, owner ? " (" : "", owner ? owner->pw_name : "", owner ? ")" : "");
    return EX_NOPERM;
}

static int fail(const char *program, const char *path)
{
    int cause = errno;
    if (is_denied(cause))
        return deny(program, path);
    const char *why = strerror(cause);
    if (cause == ECONNREFUSED || cause == ENOENT)
        why = "no server is there";
    else if (cause == EAGAIN)
        why = "the server takes no connection";
    else if (cause == EPROTOTYPE)
        why = "is no control socket";
    fprintf(stderr, "%s: %s: %s\n", program, path, why);
    return EX_UNAVAILABLE;
}

static int connect_to(const char *program, const char *path, int *fd)
{
    *fd = peer_connect(path, CONTROL_CONNECT_MS);
    return *fd < 0 ? fail(program, path) : 0;
}

/* ------------------------------------------------------------------------------- one of many */

struct found {
    char **paths;
    size_t count;
    size_t at;          /* the first that answers */
    size_t answering;   /* how many do */
    int fd;             /* to that one */
    const char *denied; /* the first that does, but not to this user; NULL */
};

static void list_one(const char *path, int fd)
{
    struct peer server;
    if (peer_get(fd, &server) == 0)
        fprintf(stderr, "  --control %s   (pid %d)\n", path, (int)server.pid);
}

/* The list of several begins with the second one. */
static void try(struct found *found, size_t i, const char *program)
{
    const char *path = found->paths[i];
    int fd = peer_connect(path, CONTROL_CONNECT_MS);
    if (fd < 0) {
        if (is_denied(errno) && !found->denied)
            found->denied = path;
        return;
    }
    if (found->answering++ == 0) {
        found->at = i;
        found->fd = fd;
        return;
    }
    if (found->answering == 2) {
        fprintf(stderr, "%s: several servers run; name the one that is meant:\n", program);
        list_one(found->paths[found->at], found->fd);
    }
    list_one(path, fd);
    close(fd);
}

static int tell_none(const char *program, const struct control_places *places)
{
    const char *user = places->user && *places->user ? places->user : NULL;
    fprintf(stderr,
            "%s: no running server was found: looked for drover*/control and drover-*.control in "
            "%s%s%s; name its socket with --control PATH\n",
            program, user ? user : "", user ? " and " : "", places->system);
    return EX_UNAVAILABLE;
}

static int find(const char *program, const struct control_places *places, int *fd)
{
    struct found found = {.fd = -1};
    int status = 0;
    found.count = control_paths(places, &found.paths);
    for (size_t i = 0; i < found.count; i++)
        try(&found, i, program);
    *fd = found.fd;
    if (found.answering > 1) {
        close(found.fd);
        status = EX_USAGE;
    } else if (found.answering == 0) {
        status = found.denied ? deny(program, found.denied) : tell_none(program, places);
    }
    control_paths_free(found.paths, found.count);
    return status;
}

int finder_connect(const char *program, const char *path, int *fd)
{
    char own[PEER_PATH_SIZE];
    struct control_places places = control_places();
    if (path)
        return connect_to(program, path, fd);
    if (control_path_of_service(&places, own)) /* another service's would be the wrong one */
        return connect_to(program, own, fd);
    return find(program, &places, fd);
}
