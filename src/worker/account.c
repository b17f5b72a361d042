#include "worker/account.h"

#include "worker/access.h"

void account_answer(struct conn *conn, struct conn_env *env, const struct account *account)
{
    unsigned class = (unsigned)account->status / 100 - 1;
    board_add(&env->row->requests, 1);
    if (class < BOARD_CLASSES)
        board_add(&env->row->answers[class], 1);
    if (env->access)
        access_answer(env->access, conn, env, account);
}
