/*
 * reuseport-cpu: as reuseport, but a classic BPF program chooses by the CPU that works on the
 * client's first packet, modulo the number of workers (SO_ATTACH_REUSEPORT_CBPF, SKF_AD_CPU).
 *
 * With a network card that spreads its queues over the CPUs and a worker pinned to each, a
 * connection stays on one CPU from the interrupt to the answer. Over loopback there is no card: the
 * packet is worked on where the client runs. So all clients of one CPU are given to one worker,
 * and with more workers than CPUs some never see any.
 *
 * socket(7), bpf(2); linux/filter.h.
 */
#include <linux/filter.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

/* One socket is no group: there is nothing to choose. */
static int prepare(struct arena *arena)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, arena->workers),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program;
    memset(&program, 0, sizeof program); /* the kernel is given its padding, too */
    program.len = sizeof code / sizeof *code;
    program.filter = code;
    if (arena->workers < 2)
        return 0;
    return setsockopt(arena->doors[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                      sizeof program);
}

static int open_own(struct lab_worker *worker)
{
    return own_epoll_open_door(worker, EPOLLIN);
}

const struct strategy strategy_reuseport_cpu = {
    .name = "reuseport-cpu",
    .teaches = "the packet's CPU chooses the worker: over loopback that is the client's CPU, and "
               "not the least loaded",
    .doors = DOORS_OWN,
    .prepare = prepare,
    .open = open_own,
    .run = own_epoll_run,
    .watch = own_epoll_watch,
};
