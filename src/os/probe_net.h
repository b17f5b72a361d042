/*
 * probe_net - what the kernel gives a server's listeners (socket(7), tcp(7)). All are for
 * probe_try(), on loopback, at ports of the kernel's choice.
 *
 * PROBE_UNKNOWN: there is no loopback address, or no TCP socket may be made, and `cause` says why.
 */
#ifndef DROVER_OS_PROBE_NET_H
#define DROVER_OS_PROBE_NET_H

#include "os/probe.h"

/* A listener can be had at all, and a client comes to it; never PROBE_UNKNOWN for want of one. */
probe_fn probe_listener;

/* Two listeners share a port. */
probe_fn probe_reuseport;

/* A classic, and an extended, BPF program chooses which of them gets a client. */
probe_fn probe_classic_bpf;
probe_fn probe_extended_bpf;

/* A client that has sent nothing yet is not there to be accepted. */
probe_fn probe_defer_accept;

/* Handshakes that begin can be dropped, as a stop does: net_drop_new(). */
probe_fn probe_drop_new;

/* What is queued at a listener that is closed is served by another of its group
 * (net.ipv4.tcp_migrate_req). */
probe_fn probe_migration;

/* The argument is a backlog, `value` what the kernel makes of it (net.core.somaxconn): less is
 * PROBE_NO. */
probe_fn probe_backlog;

#endif
