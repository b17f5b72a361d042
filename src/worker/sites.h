/*
 * sites - the applications of a server that has several, and which requests are for which.
 *
 * The worker chooses among them, request by request, and an application does not know of the
 * others: each has a struct drover_worker of its own, so what it attaches there is its own, too. An
 * application that is written against drover.h alone could not do that: it would have to have the
 * body of every request at its head, and its error pages would not know whose request it was.
 */
#ifndef DROVER_WORKER_SITES_H
#define DROVER_WORKER_SITES_H

#include <drover.h>
#include <stddef.h>

#include "worker/routes.h"

struct site_app {
    const struct drover_app *app; /* borrowed */
    const char *site;             /* what the section is called; NULL: the server's own. Borrowed */
    unsigned metrics_at;          /* the column of its first metric */
};

struct sites {
    size_t count;
    struct site_app *apps; /* the first answers where no route leads to another; none comes twice */
    const struct drover_metric *metrics; /* of all, and of some that are gone, by the columns that
                                          * they have; ends with a NULL name */
    const struct routes *routes; /* their numbers are those of `apps`; NULL: there are none */
};

struct exchange_env;
struct drover_worker;

/* The worker's own for each of them, the first is `main`, which is open. -1 when memory ran out. */
int sites_open(const struct sites *sites, struct drover_worker *main, struct exchange_env *env);
void sites_close(struct exchange_env *env);

/* Calls what each of them has of these. Of sites_start() the first that fails counts: its status,
 * and its cause in `why`. */
int sites_start(const struct exchange_env *env, char *why, size_t size);
void sites_leave(const struct exchange_env *env);
void sites_stop(const struct exchange_env *env);

#endif
