#include "worker/greeting.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "http/proxy.h"
#include "worker/client.h"
#include "worker/work.h"

/* Once a second at most: it is a proxy that was set up wrong, or a client that should not be able
 * to come here at all. */
static void complain(struct conn *conn, struct conn_env *env)
{
    char host[DROVER_HOST_SIZE] = "somebody";
    struct http_address peer;
    if (env->greeting_warned_at == env->exchanges.now)
        return;
    env->greeting_warned_at = env->exchanges.now;
    if (client_address(conn, &peer) == 0)
        client_print(&peer, host, NULL);
    log_warnx("%s sends no PROXY header, which this address requires: closed", host);
}

/* Behind what came before, if anything did. */
static struct span gather(struct conn *conn, struct span fresh)
{
    if (!conn->work || conn->work->in.len == 0)
        return fresh;
    struct buf *in = &conn->work->in;
    buf_span(in, fresh);
    return (struct span){.p = in->failed ? NULL : in->p, .n = in->len};
}

static enum greeting keep(struct conn *conn, struct span bytes)
{
    struct conn_work *work = work_of(conn);
    if (!work)
        return GREETING_REFUSED;
    if (work->in.len == 0)
        buf_span(&work->in, bytes);
    return work->in.failed ? GREETING_REFUSED : GREETING_MORE;
}

static enum greeting take(struct conn *conn, struct conn_env *env, struct span bytes,
                          struct span *rest)
{
    struct proxy_header header;
    int n = proxy_parse(bytes.p, bytes.n, &header);
    if (n == 0)
        return keep(conn, bytes);
    if (n < 0) {
        complain(conn, env);
        return GREETING_REFUSED;
    }
    if (!header.is_local && !client_remember(conn, &header.source))
        return GREETING_REFUSED;
    conn->is_named = conn->client != NULL;
    client_note(conn, env); /* it is BUSY: nobody reads that yet */
    *rest = (struct span){.p = bytes.p + n, .n = bytes.n - (size_t)n};
    if (conn->work && conn->work->in.len > 0) {
        buf_drop(&conn->work->in, (size_t)n);
        rest->p = conn->work->in.p;
    }
    return GREETING_WHOLE;
}

enum greeting greeting_read(struct conn *conn, struct conn_env *env, struct span *rest)
{
    ssize_t n = recv(conn->fd, env->read_buffer, READ_BUFFER_SIZE, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? GREETING_MORE : GREETING_REFUSED;
    if (n == 0)
        return GREETING_REFUSED;
    struct span bytes = gather(conn, (struct span){.p = env->read_buffer, .n = (size_t)n});
    return bytes.p ? take(conn, env, bytes, rest) : GREETING_REFUSED;
}
