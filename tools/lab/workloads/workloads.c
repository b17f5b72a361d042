#include "lab/workloads/workload.h"

#include <string.h>

/* X(singles) declares workload_singles and lists it: a new one is a file and a line. */
#define WORKLOADS(X) \
    X(singles) X(steady) X(storm) X(heavy) X(stall_stop) X(stall_spin) X(burst) X(zipf) X(death)

#define DECLARE(name) extern const struct workload workload_##name;
#define LIST(name)    &workload_##name,

WORKLOADS(DECLARE)

const struct workload *const workloads[] = {WORKLOADS(LIST) NULL};

const struct workload *workload_find(const char *name)
{
    for (const struct workload *const *w = workloads; *w; w++)
        if (strcmp((*w)->name, name) == 0)
            return *w;
    return NULL;
}
