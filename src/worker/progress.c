#include "worker/progress.h"

#include "base/limits.h"
#include "worker/outlet.h"
#include "worker/work.h"

void progress_arm(struct conn *conn, struct conn_env *env, enum deadline_kind kind)
{
    deadlines_arm(&env->deadlines, &conn->deadline, kind, env->now);
    if (!conn->work)
        return;
    conn->work->progress = 0;
    conn->work->queued = kind == DEADLINE_SEND ? outlet_queued(conn->fd) : 0;
}

bool progress_is_enough(const struct conn *conn)
{
    const struct conn_work *work = conn->work;
    return work->queued + work->progress >= outlet_queued(conn->fd) + PROGRESS_BYTES;
}

void progress_note(struct conn *conn, struct conn_env *env, enum deadline_kind kind, uint64_t moved,
                   uint64_t enough)
{
    conn->work->progress += moved;
    if (conn->deadline.kind != kind || conn->work->progress >= enough)
        progress_arm(conn, env, kind);
}
