#include "lab/client/demand.h"

#include <sched.h>

#include "lab/trial/trial.h"

#define MINUTE_US 60e6

unsigned demand_cpus(const struct trial *trial)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) < 0)
        return 1; /* more CPUs than the set has bits: the least is always right */
    unsigned cpus = (unsigned)CPU_COUNT(&allowed);
    return cpus < trial->workers ? cpus : trial->workers;
}

uint64_t demand_per_minute(const struct trial *trial, double share, double connection_us)
{
    double rate = share * demand_cpus(trial) * MINUTE_US / connection_us;
    return rate < 60 ? 60 : (uint64_t)rate;
}
