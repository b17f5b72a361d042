/*
 * thread - a thread for each connection, which serves it with blocking calls to its end: the memory
 * is shared, the waiting is the kernel's.
 */
#include <stdint.h>

#include "lab/models/model.h"
#include "lab/models/server.h"
#include "lab/models/threads.h"

/* Of the mappings of a process a stack takes two: itself and its guard page. */
#define MAPS_PER_THREAD 2

/* Kernel stack and what is touched of the other; measured: some 40 KiB. */
#define THREAD_BYTES (64 * 1024)

/* The handler of a thread has one argument, which is the connection. */
static const struct server *the_server;

static void limit(struct bound *bound, const struct resources *resources)
{
    bound_by_tasks(bound, resources, "threads", THREAD_BYTES);
    if (resources->maps != RESOURCES_ANY)
        bound_lower(bound, resources->maps / MAPS_PER_THREAD - 64,
                    "threads end where their stacks do, at vm.max_map_count mappings");
}

static void *serve(void *context)
{
    server_serve(the_server, (int)(intptr_t)context);
    return NULL;
}

static void run(struct server *server)
{
    the_server = server;
    server_ready(server);
    for (;;) {
        int fd = server_accept(server, 0);
        if (fd < 0)
            return;
        // NOLINTNEXTLINE(performance-no-int-to-ptr): the connection is the whole argument
        if (threads_start(1, serve, (void *)(intptr_t)fd) < 0)
            server_refuse(server, fd);
    }
}

const struct model model_thread = {
    .name = "thread",
    .teaches =
        "a thread for each connection: code as simple as blocking, a stack and a task a client",
    .ends = "at the threads of the user, at vm.max_map_count mappings and at memory for stacks",
    .limit = limit,
    .run = run,
};
