/*
 * doctor - what is looked at by `drover doctor`: three parts, each of which adds its findings.
 */
#ifndef DROVER_CLI_DOCTOR_H
#define DROVER_CLI_DOCTOR_H

#include <stdbool.h>

#include "cli/finding.h"
#include "config/settings.h"
#include "os/probe_service.h"

struct doctor {
    const struct settings *settings; /* what a server would be told; borrowed */
    struct probe_service service;
    struct findings findings;
};

/* Can a server listen, wait, fork and steer? */
void doctor_kernel(struct doctor *d);

/* How much of it is there: queues, descriptors, CPUs, ports, system calls. */
void doctor_limits(struct doctor *d);

/* What the service manager gives. */
void doctor_service(struct doctor *d);

/* Were there activated sockets for a server in the place of this process? */
bool doctor_has_sockets(const struct doctor *d);

/* Who confines a process mostly does so in one of these places. */
#define DOCTOR_PERMIT                                                                              \
    "permit it where this process is confined: SystemCallFilter= and RestrictAddressFamilies= in " \
    "the unit, the seccomp profile of a container"

/* Where SIGSYS is the answer. */
#define DOCTOR_REFUSE_KINDLY                                                                   \
    "SystemCallErrorNumber=EPERM in the unit, so that a filter refuses and does not kill; or " \
    "SystemCallFilter=@system-service, which permits it"

#endif
