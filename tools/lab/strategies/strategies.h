/*
 * strategies - the list of them: a strategy is one file in strategies/, and one line here. The
 * order is that of all tables and plots.
 */
#ifndef DROVER_LAB_STRATEGIES_STRATEGIES_H
#define DROVER_LAB_STRATEGIES_STRATEGIES_H

#include "lab/strategies/strategy.h"

#define STRATEGIES(X)        \
    X(accept_blocking)       \
    X(accept_mutex)          \
    X(shared_epoll_lt)       \
    X(shared_epoll_et)       \
    X(shared_epoll_oneshot)  \
    X(epoll_lt)              \
    X(epoll_et)              \
    X(epoll_exclusive)       \
    X(epoll_exclusive_readd) \
    X(poll)                  \
    X(select)                \
    X(sigio_owner)           \
    X(sigio_group)           \
    X(fdpass_rr)             \
    X(fdpass_least)          \
    X(reuseport)             \
    X(reuseport_random)      \
    X(reuseport_cpu)         \
    X(reuseport_load)        \
    X(uring_single)          \
    X(uring_multishot)       \
    X(uring_multishot_reuseport)

#define STRATEGY_DECLARE(name) extern const struct strategy strategy_##name;
STRATEGIES(STRATEGY_DECLARE)
#undef STRATEGY_DECLARE

#endif
