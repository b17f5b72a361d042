#include "load/job.h"

#include <errno.h>

static void write_request_line(struct buf *b, const struct url *url)
{
    buf_lit(b, "GET ");
    if (url->path.n == 0 || url->path.p[0] != '/')
        buf_lit(b, "/");
    buf_span(b, url->path);
    buf_lit(b, " HTTP/1.1\r\n");
}

static void write_request(struct job *job, const struct url *url, struct span fields, bool has_host)
{
    struct buf *b = &job->text;
    write_request_line(b, url);
    if (!has_host) {
        buf_lit(b, "Host: ");
        buf_span(b, url->authority);
        buf_lit(b, "\r\n");
    }
    buf_lit(b, "User-Agent: drover-load\r\n");
    buf_span(b, fields);
    if (job->close)
        buf_lit(b, "Connection: close\r\n");
    buf_lit(b, "\r\n");
}

int job_write(struct job *job, const struct url *url, struct span fields, bool has_host)
{
    buf_clear(&job->text);
    write_request(job, url, fields, has_host);
    job->length = job->text.len;
    for (unsigned i = 1; i < job->depth; i++)
        write_request(job, url, fields, has_host);
    if (!job->text.failed)
        return 0;
    errno = ENOMEM;
    return -1;
}

void job_free(struct job *job)
{
    buf_free(&job->text);
}
