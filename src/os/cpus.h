/*
 * cpus - how many CPUs this process may use.
 */
#ifndef DROVER_OS_CPUS_H
#define DROVER_OS_CPUS_H

/* Those of its affinity mask, or of its control group's quota if that is less, rounded up; at
 * least 1. */
int cpus_usable(void);

#endif
