#include "worker/work.h"

#include <stdlib.h>

#include "worker/access.h"

/* The last that was given back: most answers that need one need it for a moment, so that a worker
 * allocates nothing from one to the next. */
static struct conn_work *spare;

struct conn_work *work_of(struct conn *conn)
{
    if (conn->work)
        return conn->work;
    conn->work = spare ? spare : malloc(sizeof *spare);
    spare = NULL;
    if (conn->work)
        *conn->work = (struct conn_work){0};
    return conn->work;
}

void work_resume(const struct conn *conn, struct conn_env *env)
{
    env->begun_us = conn->work ? conn->work->begun_us : 0;
}

void work_remember(struct conn_work *work, const struct conn_env *env)
{
    work->begun_us = env->begun_us ? env->begun_us : env->now_us;
}

bool work_is_early(const struct conn_work *work)
{
    return work && work->in_body && work->exchange->response.is_finished;
}

void work_free(struct conn *conn)
{
    struct conn_work *work = conn->work;
    if (!work)
        return;
    conn->work = NULL;
    access_close(work->logged);
    buf_free(&work->in);
    outlet_free(&work->outlet);
    if (work->exchange)
        exchange_abandon(work->exchange);
    stream_free(work->stream);
    if (spare)
        free(work);
    else
        spare = work;
}
