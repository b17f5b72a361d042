#include "worker/work.h"

#include <stdlib.h>

struct conn_work *work_of(struct conn *conn)
{
    if (!conn->work)
        conn->work = calloc(1, sizeof *conn->work);
    return conn->work;
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
    buf_free(&work->in);
    outlet_free(&work->outlet);
    if (work->exchange)
        exchange_abandon(work->exchange);
    stream_free(work->stream);
    free(work);
}
