/*
 * tries - the experiments, one a claim: what the table of claims.c names. Each is run by
 * claim_try() in a process of its own (fixture.h).
 */
#ifndef DROVER_LAB_CLAIMS_TRIES_H
#define DROVER_LAB_CLAIMS_TRIES_H

#include <stdbool.h>

#include "lab/claims/claim.h"

/* epoll.c */
void try_epoll_default(struct finding *f, bool is_quick);
void try_epoll_mmap(struct finding *f, bool is_quick);
void try_epoll_size(struct finding *f, bool is_quick);
void try_maxevents(struct finding *f, bool is_quick);
void try_epoll_limit(struct finding *f, bool is_quick);
void try_et_blocking(struct finding *f, bool is_quick);
void try_et_once(struct finding *f, bool is_quick);
void try_level_only(struct finding *f, bool is_quick);
void try_eventfd(struct finding *f, bool is_quick);

/* triggers.c */
void try_et_faster(struct finding *f, bool is_quick);
void try_oneshot(struct finding *f, bool is_quick);

/* select.c */
void try_poll_limit(struct finding *f, bool is_quick);
void try_select_1024(struct finding *f, bool is_quick);
void try_select_twice(struct finding *f, bool is_quick);
void try_select_anew(struct finding *f, bool is_quick);
void try_regular_file(struct finding *f, bool is_quick);
void try_wrong_readiness(struct finding *f, bool is_quick);
void try_1024_descriptors(struct finding *f, bool is_quick);

/* waits.c */
void try_select_timer(struct finding *f, bool is_quick);
void try_interrupted(struct finding *f, bool is_quick);
void try_busy_polling(struct finding *f, bool is_quick);

/* cost.c */
void try_epoll_o1(struct finding *f, bool is_quick);
void try_exponential(struct finding *f, bool is_quick);
void try_all_active(struct finding *f, bool is_quick);
void try_control_log(struct finding *f, bool is_quick);
void try_highest(struct finding *f, bool is_quick);

/* connections.c */
void try_close_last(struct finding *f, bool is_quick);
void try_close_only(struct finding *f, bool is_quick);
void try_two_to_48(struct finding *f, bool is_quick);
void try_nonblocking_connect(struct finding *f, bool is_quick);
void try_accept_completes(struct finding *f, bool is_quick);
void try_backlog(struct finding *f, bool is_quick);
void try_error_reads_0(struct finding *f, bool is_quick);

/* sockets.c */
void try_out_of_band(struct finding *f, bool is_quick);
void try_rcvlowat(struct finding *f, bool is_quick);
void try_sndlowat(struct finding *f, bool is_quick);
void try_recv_read(struct finding *f, bool is_quick);
void try_udp_accept(struct finding *f, bool is_quick);
void try_sticky(struct finding *f, bool is_quick);
void try_types(struct finding *f, bool is_quick);
void try_unix_name(struct finding *f, bool is_quick);
void try_blocking_default(struct finding *f, bool is_quick);
void try_open_socket(struct finding *f, bool is_quick);

/* binding.c */
void try_bind_interface(struct finding *f, bool is_quick);

/* signals.c */
void try_sigio(struct finding *f, bool is_quick);
void try_sigpipe(struct finding *f, bool is_quick);

/* aio.c */
void try_aio_threads(struct finding *f, bool is_quick);

/* models.c */
void try_process_each(struct finding *f, bool is_quick);
void try_thread_each(struct finding *f, bool is_quick);

/* pool.c */
void try_pool_lock(struct finding *f, bool is_quick);

/* switching.c */
void try_thread_switch(struct finding *f, bool is_quick);
void try_thread_create(struct finding *f, bool is_quick);
void try_zombies(struct finding *f, bool is_quick);

/* memory.c */
void try_200_kb(struct finding *f, bool is_quick);

/* herd.c */
void try_accept_herd(struct finding *f, bool is_quick);
void try_epoll_herd(struct finding *f, bool is_quick);
void try_reuseport_herd(struct finding *f, bool is_quick);
void try_reuseport_balance(struct finding *f, bool is_quick);
void try_exclusive_one(struct finding *f, bool is_quick);
void try_exclusive_lifo(struct finding *f, bool is_quick);
void try_exclusive_loses(struct finding *f, bool is_quick);

#endif
