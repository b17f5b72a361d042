#include "worker/linger.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "worker/progress.h"
#include "worker/work.h"

enum conn_want linger_start(struct conn *conn, struct conn_env *env)
{
    if (shutdown(conn->fd, SHUT_WR) < 0 || !work_of(conn))
        return CONN_WANT_CLOSE;
    conn->state = CONN_LINGERING;
    progress_arm(conn, env, DEADLINE_LINGER);
    return CONN_WANT_READ;
}

enum conn_want linger_step(struct conn *conn, struct conn_env *env)
{
    ssize_t n = 0;
    for (size_t turn = 0; turn < LINGER_TURN_MAX; turn += (size_t)n) {
        n = recv(conn->fd, env->read_buffer, READ_BUFFER_SIZE, 0);
        if (n <= 0)
            break;
        conn->work->dropped += (uint64_t)n;
        if (conn->work->dropped > LINGER_BYTES_MAX)
            return CONN_WANT_CLOSE;
        progress_note(conn, env, DEADLINE_LINGER, (uint64_t)n, LINGER_TURN_MAX);
    }
    if (n > 0)
        return CONN_WANT_READ;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? CONN_WANT_READ : CONN_WANT_CLOSE;
}
