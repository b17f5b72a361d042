/*
 * model_trial - one model under one workload: for each of its steps ("10 idle", "100 idle", ...)
 * starts a server and clients, and makes figures of what it has used.
 *
 *     struct model_trial trial = {.model = model_find("poll"),
 *                                 .workload = model_workload_find("idle"),
 *                                 .emit = keep, .context = &kept};
 *     if (model_run(&trial) < 0)
 *         puts(trial.words);
 *
 * A model serves requests, so in its measurements the figures that are named after a connection are
 * those of one request (where each has its connection, in `short`, that is the same):
 *
 *   wakeups, switches_voluntary  sleeps of all its threads and processes, those that have ended
 *                                included (getrusage(2), models/server.h)
 *   wakeups_kernel               by the tracepoint, of models whose tasks stay the same
 *   cpu_us                       of all of them, exact; what a CPU does for the network on their
 *                                behalf is charged to whoever it interrupts
 *   cpu_user_us, cpu_system_us   how it is split: by the kernel's ticks, so of short runs roughly
 *   wasted_visible               reads and accepts that found nothing: EAGAIN
 *   rate                         requests a second
 *   run_delay_us                 of models whose tasks stay the same
 *   requests, connections, idle  answered while it was measured; that asked; that did not
 *   resident_per_connection      bytes, of connections that are held: of `idle` and `active` alone
 *   lost                         by the client's ledger; what the server has cut or turned away
 *                                shows there, as a connection that was closed or reset
 *
 * What is measured is the waiting: where connections are kept, all of them are accepted and have
 * been answered before it begins, and the clients are stopped (SIGSTOP) while the counts are read,
 * so that these are of the same moment.
 *
 * A step is emitted with `skipped` set, and no figures, where the model cannot hold so many
 * connections (nothing is started then), where this machine or user lacks what it needs, and where
 * it is so slow that not all clients were in, or served once, within 20 s.
 */
#ifndef DROVER_LAB_MODELS_MODEL_TRIAL_H
#define DROVER_LAB_MODELS_MODEL_TRIAL_H

#include <stdbool.h>

#include "lab/models/model.h"
#include "lab/models/model_workload.h"
#include "lab/trial/measurement.h"
#include "lab/trial/trial.h"

struct model_trial {
    const struct model *model;
    const struct model_workload *workload;
    struct settings settings; /* `drain` has no meaning here; pinned: the client has the last CPU,
                                 the server the others */
    unsigned only;            /* the one step of that many connections, any number; 0: all */
    bool is_quick;            /* shorter, and fewer steps, for a look */
    unsigned repeat;
    trial_emit_fn *emit; /* a measurement's words are its own as long as this is called */
    void *context;

    char words[256];
};

/*
 * Runs it, and emits a measurement for each step. Takes about a second a step, quick a third of it;
 * the limit of descriptors is raised as far as it may be, for this process too. Returns 0, or -1
 * with errno set and the reason in trial->words: what was emitted before stands. Nothing that it
 * has started is left in either case.
 */
int model_run(struct model_trial *trial);

#endif
