/*
 * demand - how much load asks for how much of this machine.
 */
#ifndef DROVER_LAB_CLIENT_DEMAND_H
#define DROVER_LAB_CLIENT_DEMAND_H

#include <stdint.h>

struct trial;

/* CPU time that a connection costs workers and client beside what its requests ask for, in
 * microseconds: about, and rather too much than too little. */
#define DEMAND_CONNECTION_US 50

/* CPUs that the workers of a trial can use at the same time. */
unsigned demand_cpus(const struct trial *trial);

/* Connections a minute that use this share (of 1) of these CPUs when each costs so much. At least
 * one a second. */
uint64_t demand_per_minute(const struct trial *trial, double share, double connection_us);

#endif
