#include "lab/client/client.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "lab/client/crowd.h"
#include "lab/client/load.h"
#include "lab/client/plain.h"
#include "lab/kernel/resources.h"
#include "lab/kernel/shared.h"
#include "os/child.h"

struct client {
    pid_t pid;
    int control;                  /* a byte from it: ready, and again: through; one to it: go */
    bool is_through;              /* it has said so, or has ended */
    struct client_result *result; /* a mapping that is shared with the process */
};

/* ---- in the client's process -------------------------------------------------------------- */

/* An error of the set-up; the others are told by load_fail(). */
static int fail(struct client_result *result, const char *words)
{
    result->error = errno;
    snprintf(result->words, sizeof result->words, "%s", words);
    return -1;
}

/* A listener that is open here, too, would not be closed when its worker's copy is. */
static int keep_only(int fd)
{
    if (fd > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0) < 0)
        return -1;
    return close_range((unsigned)fd + 1, ~0U, 0);
}

static int pin(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set);
}

static int settle_in(const struct client_plan *plan, struct client_result *result, pid_t parent,
                     int control)
{
    if (child_tie(parent) < 0)
        return fail(result, "being tied to its maker");
    if (plan->netns >= 0 && setns(plan->netns, CLONE_NEWNET) < 0)
        return fail(result, "entering the network namespace");
    if (keep_only(control) < 0 || resources_raise() < 0)
        return fail(result, "setting its descriptors in order");
    if (plan->cpu >= 0 && pin(plan->cpu) < 0)
        return fail(result, "being pinned to a CPU");
    return 0;
}

/* Returns the descriptors, to be freed; NULL after load_fail(). */
static int *open_idle(struct load *load)
{
    struct client_result *result = load->score.result;
    unsigned count = load->plan->idle;
    int *idle = calloc(count + 1, sizeof *idle);
    if (!idle)
        load_fail(load, "making room for its idle connections");
    while (idle && result->idle < count) {
        idle[result->idle] = plain_open_idle(load);
        if (idle[result->idle] < 0) {
            free(idle);
            return NULL;
        }
        result->idle++;
    }
    return idle;
}

static bool send_byte(int fd)
{
    return send(fd, "", 1, MSG_NOSIGNAL) == 1;
}

/* False when the other side has ended. */
static bool await_byte(int fd)
{
    char byte;
    ssize_t n;
    do
        n = recv(fd, &byte, 1, 0);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static uint64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool is_plain(const struct client_plan *plan)
{
    return plan->seats == 1 && !plan->is_burst;
}

static void run(struct load *load, int *idle)
{
    struct client_result *result = load->score.result;
    uint64_t begun = cpu_us();
    if (is_plain(load->plan))
        plain_run(load);
    else
        crowd_run(load, idle, load->plan->idle);
    result->cpu_us += cpu_us() - begun;
}

static int serve_maker(const struct client_plan *plan, struct client_result *result, pid_t parent,
                       int control)
{
    struct load load;
    load_init(&load, plan, result);
    if (settle_in(plan, result, parent, control) < 0)
        return -1;
    int *idle = open_idle(&load);
    if (!idle)
        return -1;
    if (send_byte(control) && await_byte(control)) {
        run(&load, idle);
        if (send_byte(control))
            await_byte(control); /* its maker closes it */
    }
    free(idle);
    return result->error ? -1 : 0;
}

/* ---- in its maker's ----------------------------------------------------------------------- */

static int release(struct client *client)
{
    int saved = errno;
    if (client->control >= 0)
        close(client->control);
    shared_close(client->result, sizeof *client->result);
    free(client);
    errno = saved;
    return -1;
}

static int start_process(struct client *client, const struct client_plan *plan)
{
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    client->pid = fork();
    if (client->pid == 0)
        _exit(serve_maker(plan, client->result, parent, ends[1]) < 0 ? EXIT_FAILURE : 0);
    close(ends[1]);
    client->control = ends[0];
    return client->pid < 0 ? -1 : 0;
}

/* Ends it without waiting for what it does. */
static void end_process(const struct client *client)
{
    kill(client->pid, SIGKILL);
    while (waitpid(client->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

struct client *client_start(const struct client_plan *plan, const char **words)
{
    static char text[sizeof((struct client_result *)0)->words];
    struct client *client = calloc(1, sizeof *client);
    *words = "starting the client's process";
    if (!client)
        return NULL;
    client->control = -1;
    client->result = shared_open(sizeof *client->result);
    if (!client->result || start_process(client, plan) < 0) {
        release(client);
        return NULL;
    }
    if (await_byte(client->control))
        return client;
    end_process(client);
    errno = client->result->error ? client->result->error : ECHILD;
    snprintf(text, sizeof text, "%s", client->result->words);
    *words = text;
    release(client);
    return NULL;
}

void client_go(struct client *client)
{
    send_byte(client->control); /* that it has ended shows in client_wait() */
}

pid_t client_pid(const struct client *client)
{
    return client->pid;
}

const struct client_result *client_watch(const struct client *client)
{
    return client->result;
}

bool client_is_through(struct client *client, int timeout_ms)
{
    struct pollfd control = {.fd = client->control, .events = POLLIN};
    if (!client->is_through && poll(&control, 1, timeout_ms) > 0)
        client_wait(client);
    return client->is_through;
}

void client_wait(struct client *client)
{
    if (!client->is_through)
        await_byte(client->control);
    client->is_through = true;
}

/* Reaps it. A process that was ended from outside has told no error. */
static void reap(const struct client *client, struct client_result *result)
{
    int status;
    pid_t pid;
    do
        pid = waitpid(client->pid, &status, 0);
    while (pid < 0 && errno == EINTR);
    *result = *client->result;
    if (result->error || (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0))
        return;
    result->error = ECHILD;
    if (pid > 0)
        child_describe(status, result->words, sizeof result->words);
}

int client_join(struct client *client, struct client_result *result)
{
    if (!result) {
        end_process(client);
        release(client);
        return 0;
    }
    client_wait(client);
    /* A worker that was forked meanwhile has a copy, so closing it would not be its end. */
    shutdown(client->control, SHUT_RDWR);
    reap(client, result);
    release(client);
    errno = result->error;
    return result->error ? -1 : 0;
}
