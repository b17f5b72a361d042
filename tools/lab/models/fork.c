/*
 * fork - a process for each connection, which serves it with blocking calls to its end; the server
 * of inetd(8) and of UNIX Network Programming. The parent reaps them as they end: those that are
 * not waited for stay as zombies, and where SIGCHLD is ignored their times are lost (wait(2)).
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab/models/model.h"
#include "lab/models/server.h"
#include "os/child.h"

/* Kernel stack, page tables, and the pages that it writes to; measured: some 250 KiB. */
#define CHILD_BYTES (384 * 1024)

static struct server_counts *counts;

/* The parent has no descriptor of a connection: that limit is not its. */
static void limit(struct bound *bound, const struct resources *resources)
{
    *bound = (struct bound){.connections = RESOURCES_ANY};
    bound_by_tasks(bound, resources, "processes", CHILD_BYTES);
}

static void on_child(int signal)
{
    (void)signal;
    int error = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        counts->processes--;
    errno = error;
}

/* A forked child's end is told by its exit alone: the supervisor sees `open` fall before. */
static void serve_in_child(const struct server *server, int fd, pid_t parent)
{
    if (child_tie(parent) < 0)
        _exit(EXIT_FAILURE);
    close(server->door);
    server_serve(server, fd);
    _exit(EXIT_SUCCESS);
}

static void run(struct server *server)
{
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    pid_t parent = getpid();
    counts = server->counts;
    if (sigaction(SIGCHLD, &action, NULL) < 0)
        return;
    server_ready(server);
    for (;;) {
        int fd = server_accept(server, 0);
        if (fd < 0)
            return;
        counts->processes++; /* before the child can end */
        pid_t pid = fork();
        if (pid == 0)
            serve_in_child(server, fd, parent);
        if (pid < 0) {
            counts->processes--;
            server_refuse(server, fd);
        } else {
            close(fd);
        }
    }
}

const struct model model_fork = {
    .name = "fork",
    .teaches = "a process for each connection: nothing is shared, so one that crashes is alone; a "
               "fork a client",
    .ends = "at the processes of the user (RLIMIT_NPROC, kernel.pid_max) and at memory",
    .limit = limit,
    .run = run,
};
