#include "worker/account.h"

static void count_times(struct board_row *row, int64_t us, uint64_t requests)
{
    uint64_t time = us > 0 ? (uint64_t)us : 0;
    board_add(&row->times[board_bucket(time)], (int64_t)requests);
    board_add(&row->time_us, (int64_t)(time * requests));
}

static void count_late(struct conn_env *env, int64_t now)
{
    struct conn_turn *turn = &env->turn;
    for (int i = 0; i < turn->late_count; i++)
        count_times(env->row, now - turn->late[i], 1);
    turn->late_count = 0;
}

void account_late(struct conn_env *env, int status)
{
    struct conn_turn *turn = &env->turn;
    if (env->begun_us == BEGUN_ELSEWHERE)
        return;
    account_status(env->row, status);
    if (turn->late_count == CONN_TURN_LATE_MAX)
        count_late(env, env->now_us);
    turn->late[turn->late_count++] = env->begun_us;
}

void account_turn_end(struct conn_env *env, int64_t now)
{
    struct conn_turn *turn = &env->turn;
    if (turn->fresh > 0)
        count_times(env->row, now - env->now_us, turn->fresh);
    turn->fresh = 0;
    if (turn->late_count > 0)
        count_late(env, now);
}
