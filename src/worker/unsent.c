#include "worker/unsent.h"

#include "worker/conn.h"
#include "worker/desk.h"
#include "worker/outlet.h"

void unsent_add(struct unsent *all, struct conn *conn, struct drover_prepared *answer)
{
    all->list[all->count++] = (struct unsent_one){.conn = conn, .answer = answer};
    conn->is_unsent = true;
}

/* True when all of it has left. */
static bool send_one(struct unsent_one *one, const struct exchange_env *env)
{
    struct span whole = prepared_whole(one->answer, env);
    ssize_t n = outlet_write(one->conn->fd, whole.p, whole.n, false);
    one->is_broken = n < 0;
    one->sent = n < 0 ? 0 : (size_t)n;
    return one->sent == whole.n;
}

static void drop(const struct unsent_one *one)
{
    one->conn->is_unsent = false;
    prepared_drop(one->answer);
}

static bool claim(struct unsent *all, struct conn *conn)
{
    conn->is_held = false;
    bool is_ours = desk_claim(all->desk, conn->fd);
    all->is_taken |= !is_ours;
    return is_ours;
}

uint64_t unsent_send(struct unsent *all, const struct exchange_env *env)
{
    uint64_t bytes = 0;
    for (int i = all->tried; i < all->count; i++) {
        struct unsent_one *one = &all->list[i];
        if (all->desk && !claim(all, one->conn)) {
            drop(one);
            continue;
        }
        bool is_whole = send_one(one, env);
        bytes += one->sent;
        if (!is_whole) {
            all->list[all->tried++] = *one;
            continue;
        }
        drop(one);
        if (all->desk) /* it rested before: it waits for a request already */
            desk_rest(all->desk, one->conn->fd, CUSTODY_KEPT);
    }
    all->count = all->tried;
    return bytes;
}

void unsent_forget(struct unsent *all, const struct conn *conn)
{
    int kept = 0;
    int tried = 0;
    for (int i = 0; i < all->count; i++) {
        if (all->list[i].conn == conn) {
            prepared_drop(all->list[i].answer);
            continue;
        }
        tried += i < all->tried;
        all->list[kept++] = all->list[i];
    }
    all->count = kept;
    all->tried = tried;
}
