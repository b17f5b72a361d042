#include "worker/wake.h"

void conn_note_wake(void *context, struct conn *conn)
{
    struct conn_env *env = context;
    if (conn->is_woken)
        return;
    conn->is_woken = true;
    conn->next_woken = NULL;
    if (env->woken)
        env->woken_last->next_woken = conn;
    else
        env->woken = conn;
    env->woken_last = conn;
    env->woken_count++;
}

struct conn *conn_next_woken(struct conn_env *env)
{
    struct conn *conn = env->woken;
    env->woken = conn->next_woken;
    env->woken_count--;
    conn->is_woken = false;
    return conn;
}

void conn_forget_wake(struct conn_env *env, struct conn *conn)
{
    struct conn *before = NULL;
    if (!conn->is_woken)
        return;
    for (struct conn *one = env->woken; one != conn; one = one->next_woken)
        before = one;
    if (before)
        before->next_woken = conn->next_woken;
    else
        env->woken = conn->next_woken;
    if (env->woken_last == conn)
        env->woken_last = before;
    env->woken_count--;
}
