#include "worker/logging.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

void logging_open(struct access *access, struct conn_env *env, const struct worker_job *job)
{
    if (job->access.fd < 0)
        return;
    access_init(access, job->access_format, &job->access_buffers[job->row - job->board->rows],
                &job->access, job->row, job->slot);
    env->access = access;
}

void logging_change(const struct conn_env *env, const struct worker_job *job,
                    const struct order *order, const int *fds, size_t count)
{
    size_t at = 0;
    if (order->has_log && at < count && dup3(fds[at++], job->log_fd, O_CLOEXEC) < 0)
        log_warn("a log file that was opened anew cannot be used");
    if (order->has_access && at < count && env->access)
        access_change(env->access, fds[at], order->until);
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}
