#include "worker/shed.h"

#include <sys/socket.h>

#include "http/respond.h"

size_t shed_send(int fd, struct buf *scratch, const char *date, size_t *page_length)
{
    struct buf page = {0};
    ssize_t sent = 0;
    http_page(&page, 503);
    struct http_head head = {.status = 503,
                             .persistence = HTTP_CLOSE,
                             .date = date,
                             .type = SPAN("text/html; charset=utf-8"),
                             .fields = SPAN("Retry-After: 1\r\n"),
                             .has_length = true,
                             .length = page.len};
    buf_clear(scratch);
    http_respond_head(scratch, &head);
    buf_add(scratch, page.p, page.len);
    if (!page.failed && !scratch->failed)
        sent = send(fd, scratch->p, scratch->len, MSG_NOSIGNAL);
    buf_clear(scratch);
    *page_length = sent > 0 ? page.len : 0;
    buf_free(&page);
    return sent > 0 ? (size_t)sent : 0;
}
