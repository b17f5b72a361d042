#include "os/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "base/utf8.h"
#include "os/pass.h"

/* ------------------------------------------------------------------------------- the socket */

/* An abstract name has no NUL at its end: its length is what the address' length says. */
static int parse_address(const char *text, struct notify *n)
{
    size_t length = strlen(text), room = sizeof n->to.sun_path - (text[0] == '/');
    errno = text[0] == '/' || text[0] == '@' ? ENAMETOOLONG : EAFNOSUPPORT;
    if (errno == EAFNOSUPPORT || length > room)
        return -1;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, text, length);
    if (text[0] == '@')
        n->to.sun_path[0] = '\0';
    length += offsetof(struct sockaddr_un, sun_path) + (text[0] == '/');
    n->length = (socklen_t)length;
    return 0;
}

int notify_open(struct notify *n)
{
    const char *text = getenv("NOTIFY_SOCKET");
    *n = (struct notify){.fd = -1};
    if (!text || !*text)
        return 0;
    if (parse_address(text, n) < 0)
        return -1;
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return n->fd < 0 ? -1 : 0;
}

void notify_close(struct notify *n)
{
    if (n->fd >= 0)
        close(n->fd);
    n->fd = -1;
}

/* ----------------------------------------------------------------------------- the messages */

int notify_send(const struct notify *n, const char *text)
{
    return notify_send_fds(n, text, NULL, 0);
}

int notify_send_fds(const struct notify *n, const char *text, const int *fds, size_t count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * NOTIFY_FDS_MAX)];
    } control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)&n->to,
                             .msg_namelen = n->length,
                             .msg_iov = &part,
                             .msg_iovlen = 1};
    if (n->fd < 0)
        return 0;
    errno = count > NOTIFY_FDS_MAX ? EINVAL : EMSGSIZE;
    if (count > NOTIFY_FDS_MAX || part.iov_len > NOTIFY_TEXT_MAX)
        return -1;
    if (count > 0)
        pass_attach(&message, &control, fds, count);
    return sendmsg(n->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* BARRIER=1 stands alone, with one descriptor: the manager ignores a message with more. */
int notify_barrier(const struct notify *n)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    int status = notify_send_fds(n, "BARRIER=1", &ends[1], 1);
    int saved = errno;
    close(ends[1]);
    if (status == 0)
        return ends[0];
    close(ends[0]);
    errno = saved;
    return -1;
}

size_t notify_status(char *out, size_t size, const char *words)
{
    size_t n = (size_t)(stpcpy(out, "STATUS=") - out), left = strlen(words);
    for (size_t length; left > 0; words += length, left -= length) {
        size_t whole = utf8_length(words, left);
        length = whole ? whole : 1;
        if (length >= size - n)
            break;
        memcpy(out + n, words, length);
        if ((unsigned char)*words < ' ')
            out[n] = ' ';
        else if (whole == 0 || *words == 0x7f)
            out[n] = '?';
        n += length;
    }
    out[n] = '\0';
    return n;
}

/* -------------------------------------------------------------------------- the environment */

int64_t notify_watchdog(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t value, usec;
    if (pid && (!span_to_u64(span_of(pid), &value) || value != (uint64_t)getpid()))
        return 0;
    if (!span_to_u64(span_of(getenv("WATCHDOG_USEC")), &usec) || usec == 0 || usec == UINT64_MAX)
        return 0; /* the last is systemd's "never" */
    return usec < 1000 ? 1 : (int64_t)(usec / 1000);
}

bool notify_keeps_descriptors(const struct notify *n, uint64_t *room)
{
    uint64_t told = 0;
    bool is_told = span_to_u64(span_of(getenv("FDSTORE")), &told);
    *room = n->fd >= 0 && is_told ? told : 0;
    return n->fd >= 0 && (!is_told || told > 0);
}

void notify_forget(void)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    unsetenv("FDSTORE");
}
