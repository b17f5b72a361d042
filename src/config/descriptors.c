#include "config/descriptors.h"

#include <sys/resource.h>

#include "base/limits.h"
#include "worker/doors.h"

int64_t descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DESCRIPTORS_UNLIMITED;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return DESCRIPTORS_UNLIMITED;
    return limit.rlim_cur < DESCRIPTORS_UNLIMITED ? (int64_t)limit.rlim_cur : DESCRIPTORS_UNLIMITED;
}

/* Those of no connection: a site has its root open. */
static int64_t fixed(const struct settings *s)
{
    return s->workers * (s->address_count + INBOX_ENDS) + s->site_count + SPARE_FDS;
}

int64_t descriptors_fit(const struct settings *s, int64_t limit)
{
    int64_t fit = (limit - fixed(s)) / CONN_FDS_MAX;
    if (fit >= s->max_connections)
        return s->max_connections;
    return fit > 1 ? fit : 1;
}

int64_t descriptors_wanted(const struct settings *s)
{
    return s->max_connections * CONN_FDS_MAX + fixed(s);
}
