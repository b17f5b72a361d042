/* What has not landed yet. */
#include <stdio.h>
#include <sysexits.h>

#include "lab/claim.h"
#include "lab/command.h"
#include "lab/machine.h"
#include "lab/tracepoint.h"

const struct claim claims[] = {{.text = NULL}};
int command_all(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EX_UNAVAILABLE;
}
int command_claims(int argc, char **argv)
{
    return command_all(argc, argv);
}
int command_report(int argc, char **argv)
{
    return command_all(argc, argv);
}
int command_diff(int argc, char **argv)
{
    return command_all(argc, argv);
}
void machine_command(int argc, char **argv)
{
    (void)argc;
    (void)argv;
}
void machine_add(json_t *object)
{
    (void)object;
}
struct tracepoint *tracepoint_open(const pid_t *pids, size_t count, const char **why)
{
    (void)pids;
    (void)count;
    *why = "pending";
    return NULL;
}
int tracepoint_read(const struct tracepoint *tracepoint, struct tracepoint_counts *counts)
{
    (void)tracepoint;
    (void)counts;
    return -1;
}
void tracepoint_close(struct tracepoint *tracepoint)
{
    (void)tracepoint;
}

#include "lab/strategy.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
static int ep;
static int eopen(struct lab_worker *w)
{
    struct epoll_event e = {.events = EPOLLIN, .data.fd = w->door};
    ep = epoll_create1(0);
    return epoll_ctl(ep, EPOLL_CTL_ADD, w->door, &e);
}
static void erun(struct lab_worker *w)
{
    lab_worker_ready(w->tally);
    for (;;) {
        struct epoll_event e;
        if (epoll_wait(ep, &e, 1, -1) < 1)
            continue;
        lab_worker_returned(w);
        if (e.data.fd == w->door)
            lab_worker_take(w, w->door);
        else
            lab_worker_serve(w, e.data.fd);
    }
}
static int ewatch(struct lab_worker *w, int fd)
{
    (void)w;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}
static const struct strategy lt = {
    .name = "epoll-lt", .teaches = "x", .open = eopen, .run = erun, .watch = ewatch};
static const struct strategy rp = {.name = "reuseport",
                                   .doors = DOORS_OWN,
                                   .teaches = "x",
                                   .open = eopen,
                                   .run = erun,
                                   .watch = ewatch};
const struct strategy *const strategies[] = {&lt, &rp, NULL};
const struct strategy *strategy_find(const char *name)
{
    for (int i = 0; strategies[i]; i++)
        if (!strcmp(name, strategies[i]->name))
            return strategies[i];
    return NULL;
}
