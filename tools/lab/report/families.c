#include "lab/report/families.h"

#include <string.h>

struct known {
    const char *title;
    const char *names[FAMILY_SIZE_MAX];
};

static const struct known strategies_known[] = {
    {"accept(2) itself", {"accept-blocking", "accept-mutex"}},
    {"One epoll, shared by all", {"shared-epoll-lt", "shared-epoll-et", "shared-epoll-oneshot"}},
    {"An epoll each, one listener",
     {"epoll-lt", "epoll-et", "epoll-exclusive", "epoll-exclusive-readd"}},
    {"poll and select, one listener", {"poll", "select"}},
    {"Signals", {"sigio-owner", "sigio-group"}},
    {"One acceptor passes them on", {"fdpass-rr", "fdpass-least"}},
    {"SO_REUSEPORT, a listener each",
     {"reuseport", "reuseport-random", "reuseport-cpu", "reuseport-load"}},
    {"io_uring", {"uring-single", "uring-multishot", "uring-multishot-reuseport"}},
};

static const struct known models_known[] = {
    {"A process or a thread each", {"blocking", "fork", "thread", "pool"}},
    {"All are asked each time", {"nonblock", "select", "poll"}},
    {"epoll", {"epoll-lt", "epoll-et", "reactor-pool", "drover"}},
    {"Signals and completions", {"sigio", "aio", "uring"}},
};

static bool is_measured(const struct groups *groups, unsigned machine, const char *kind,
                        const char *name)
{
    for (size_t i = 0; i < groups->count; i++) {
        const struct result *row = groups->all[i].rows[0];
        if (row->machine == machine && strcmp(row->kind, kind) == 0 && strcmp(row->name, name) == 0)
            return true;
    }
    return false;
}

static bool has(const struct families *families, const char *name)
{
    for (size_t i = 0; i < families->name_count; i++)
        if (strcmp(families->names[i], name) == 0)
            return true;
    return false;
}

/* To the last family, or a new one when that is full or has another title. */
static void add(struct families *families, const char *title, const char *name)
{
    struct family *last = families->count ? &families->all[families->count - 1] : NULL;
    if (has(families, name))
        return;
    if (!last || last->count == FAMILY_SIZE_MAX || strcmp(last->title, title) != 0) {
        if (families->count == FAMILIES_MAX)
            return;
        last = &families->all[families->count++];
        *last = (struct family){.title = title};
    }
    last->names[last->count++] = name;
    families->names[families->name_count++] = name;
}

void families_make(struct families *families, const struct groups *groups, unsigned machine,
                   const char *kind)
{
    bool is_model = strcmp(kind, "model") == 0;
    const struct known *known = is_model ? models_known : strategies_known;
    size_t count = is_model ? sizeof models_known / sizeof *models_known
                            : sizeof strategies_known / sizeof *strategies_known;
    *families = (struct families){0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < FAMILY_SIZE_MAX && known[i].names[j]; j++)
            if (is_measured(groups, machine, kind, known[i].names[j]))
                add(families, known[i].title, known[i].names[j]);
    for (size_t i = 0; i < groups->count; i++) {
        const struct result *row = groups->all[i].rows[0];
        if (row->machine == machine && strcmp(row->kind, kind) == 0)
            add(families, "Others", row->name);
    }
}
