/*
 * machine - where figures come from: kernel, CPUs, limits, and the command line that asked for
 * them. No name of the host and no path is among it, so that a result file may be shown to others.
 */
#ifndef DROVER_LAB_KERNEL_MACHINE_H
#define DROVER_LAB_KERNEL_MACHINE_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

struct machine {
    char kernel[65];   /* release, as uname(2) has it */
    char build[65];    /* its version: which build of that release */
    char words[192];   /* architecture, CPU and memory: "x86_64, Intel(R) Xeon(R) CPU, 16 GiB" */
    char governor[32]; /* of the CPUs' frequency; "none" where nothing governs it, "mixed" when they
                          differ */
    unsigned cpus_online;
    unsigned cpus_allowed; /* of sched_getaffinity(2) */
    uint64_t memory;       /* bytes */

    /* Soft limits, getrlimit(2); UINT64_MAX: unlimited. */
    uint64_t nofile;
    uint64_t nproc;
    uint64_t sigpending;
};

/* What cannot be found out is empty, or 0. */
void machine_read(struct machine *machine);

/* Keeps the command line, as it would be typed into a shell, the program without its folder. Bytes
 * that are no UTF-8 become '?'. */
void machine_command(int argc, char **argv);

/*
 * An object with kernel, build, machine (its words), cpus (allowed), cpus_online, memory, governor,
 * limits (an object: nofile, nproc, sigpending; null: unlimited), command (null unless it was
 * kept), version (drover-lab's) and time (now; ISO 8601, UTC). The machine is read once a process,
 * but for the limits. NULL without memory.
 */
json_t *machine_json(void);

/* A limit as it stands there. NULL without memory. */
json_t *machine_limit(uint64_t limit);

/* Adds these members to an object; nothing without memory. */
void machine_add(json_t *object);

#endif
