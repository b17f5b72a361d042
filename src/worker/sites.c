#include "worker/sites.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/exchange.h"

int sites_open(const struct sites *sites, struct drover_worker *main, struct exchange_env *env)
{
    main->metrics = sites->metrics;
    main->metrics_at = sites->apps[0].metrics_at;
    env->sites = sites;
    env->routes = sites->routes;
    if (sites->count == 1)
        return 0;
    env->others = calloc(sites->count - 1, sizeof *env->others);
    for (size_t i = 1; env->others && i < sites->count; i++) {
        const struct site_app *one = &sites->apps[i];
        env->others[i - 1] = (struct drover_worker){.app = one->app,
                                                    .main = main,
                                                    .metrics = sites->metrics,
                                                    .metrics_at = one->metrics_at,
                                                    .board = main->board,
                                                    .row = main->row};
        env->asks_ready |= one->app->ready != NULL;
    }
    return env->others ? 0 : -1;
}

void sites_close(struct exchange_env *env)
{
    free(env->others);
    env->others = NULL;
}

static struct drover_worker *worker_of(const struct exchange_env *env, size_t i)
{
    return i == 0 ? env->worker : &env->others[i - 1];
}

int sites_start(const struct exchange_env *env, char *why, size_t size)
{
    for (size_t i = 0; i < env->sites->count; i++) {
        char cause[DROVER_WHY_SIZE] = "the application gave no reason";
        const struct site_app *one = &env->sites->apps[i];
        const struct drover_app *app = one->app;
        int status = app->worker_start ? app->worker_start(app->context, worker_of(env, i), cause)
                                       : 0;
        if (status == 0)
            continue;
        cause[sizeof cause - 1] = '\0';
        snprintf(why, size, "%s%s%s%s", one->site ? "site " : "", one->site ? one->site : "",
                 one->site ? ": " : "", cause);
        return status;
    }
    return 0;
}

void sites_leave(const struct exchange_env *env)
{
    for (size_t i = 0; i < env->sites->count; i++) {
        const struct drover_app *app = env->sites->apps[i].app;
        if (app->leaving)
            app->leaving(app->context, worker_of(env, i));
    }
}

void sites_stop(const struct exchange_env *env)
{
    for (size_t i = 0; i < env->sites->count; i++) {
        const struct drover_app *app = env->sites->apps[i].app;
        if (app->worker_stop)
            app->worker_stop(app->context, worker_of(env, i));
    }
}
