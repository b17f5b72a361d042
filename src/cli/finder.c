#include "cli/finder.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/control_path.h"
#include "os/peer.h"

/* How often it is looked again before what was found, none or several, is believed. */
#define SEARCHES_MORE 3

static bool is_denied(int cause)
{
    return cause == EACCES || cause == EPERM;
}

/* Whose it is, as far as it can be seen. */
static int deny(const char *path, struct buf *why)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        buf_printf(why, "%s: Permission denied", path);
        return EX_NOPERM;
    }
    const struct passwd *owner = getpwuid(st.st_uid);
    buf_printf(why, "%s: the server is uid %u's%s%s%s; it and root may ask it", path, st.st_uid,
               owner ? " (" : "", owner ? owner->pw_name : "", owner ? ")" : "");
    return EX_NOPERM;
}

static int fail(const char *path, struct buf *why)
{
    int cause = errno;
    if (is_denied(cause))
        return deny(path, why);
    const char *what = strerror(cause);
    if (cause == ECONNREFUSED || cause == ENOENT)
        what = "no server is there";
    else if (cause == EAGAIN)
        what = "the server takes no connection";
    else if (cause == EPROTOTYPE)
        what = "is no control socket";
    buf_printf(why, "%s: %s", path, what);
    return EX_UNAVAILABLE;
}

static int connect_to(const char *path, int *fd, struct buf *why)
{
    *fd = peer_connect(path, CONTROL_CONNECT_MS);
    return *fd < 0 ? fail(path, why) : 0;
}

/* ------------------------------------------------------------------------------- one of many */

struct found {
    char **paths;
    size_t count;
    size_t answering;   /* how many do */
    int fd;             /* to the first that does; -1 */
    const char *denied; /* the first that does, but not to this user; NULL */
    bool has_failed;    /* a server is there, and does not answer: that is no upgrade's doing */
};

static void try(struct found *found, const char *path)
{
    int fd = peer_connect(path, CONTROL_CONNECT_MS);
    if (fd < 0) {
        found->has_failed |= errno != ENOENT && errno != ECONNREFUSED;
        if (is_denied(errno) && !found->denied)
            found->denied = path;
        return;
    }
    if (found->answering++ == 0)
        found->fd = fd;
    else
        close(fd);
}

static void forget(struct found *found)
{
    if (found->fd >= 0)
        close(found->fd);
    control_paths_free(found->paths, found->count);
}

static void search(struct found *found, const struct control_places *places)
{
    *found = (struct found){.fd = -1};
    found->count = control_paths(places, &found->paths);
    for (size_t i = 0; i < found->count; i++)
        try(found, found->paths[i]);
}

static void list_one(const char *path, struct buf *why)
{
    struct peer server;
    int fd = peer_connect(path, CONTROL_CONNECT_MS);
    if (fd >= 0 && peer_get(fd, &server) == 0)
        buf_printf(why, "\n  --control %s   (pid %d)", path, (int)server.pid);
    if (fd >= 0)
        close(fd);
}

static int tell_several(const struct found *found, struct buf *why)
{
    buf_lit(why, "several servers run; name the one that is meant:");
    for (size_t i = 0; i < found->count; i++)
        list_one(found->paths[i], why);
    return EX_USAGE;
}

static int tell_none(const struct control_places *places, struct buf *why)
{
    const char *user = places->user && *places->user ? places->user : NULL;
    buf_printf(why,
               "no running server was found: looked for drover*/control and drover-*.control in "
               "%s%s%s; name its socket with --control PATH",
               user ? user : "", user ? " and " : "", places->system);
    return EX_UNAVAILABLE;
}

/* A server that is upgraded gives its socket another name, and may then be missed, or be found at
 * both. */
static int find(const struct control_places *places, int *fd, struct buf *why)
{
    struct found found;
    int status = 0;
    search(&found, places);
    for (int more = SEARCHES_MORE; found.answering != 1 && !found.has_failed && more > 0; more--) {
        forget(&found);
        search(&found, places);
    }
    if (found.answering > 1)
        status = tell_several(&found, why);
    else if (found.answering == 0)
        status = found.denied ? deny(found.denied, why) : tell_none(places, why);
    *fd = status ? -1 : found.fd;
    if (status == 0)
        found.fd = -1; /* the caller's */
    forget(&found);
    return status;
}

static int connect_by(const char *path, int *fd, struct buf *why)
{
    char own[PEER_PATH_SIZE];
    struct control_places places = control_places();
    if (path)
        return connect_to(path, fd, why);
    if (control_path_of_service(&places, own)) /* another service's would be the wrong one */
        return connect_to(own, fd, why);
    return find(&places, fd, why);
}

int finder_connect(const char *path, int *fd, struct buf *why)
{
    int status = connect_by(path, fd, why);
    buf_add(why, "", 1);
    return status;
}
