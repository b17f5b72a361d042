#include "lab/models/model.h"

#include <string.h>

/* One line a model: its file in models/ defines `model_NAME`. */
#define MODELS(X)   \
    X(blocking)     \
    X(fork)         \
    X(thread)       \
    X(pool)         \
    X(reactor_pool) \
    X(nonblock)     \
    X(select)       \
    X(poll)         \
    X(epoll_lt)     \
    X(epoll_et)     \
    X(sigio)        \
    X(aio)          \
    X(uring)        \
    X(drover)

#define DECLARE(name) extern const struct model model_##name;
#define LIST(name)    &model_##name,

MODELS(DECLARE)

const struct model *const models[] = {MODELS(LIST) NULL};

const struct model *model_find(const char *name)
{
    for (const struct model *const *at = models; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

void model_limit(const struct model *model, const struct resources *resources, struct bound *bound)
{
    bound_of_process(bound, resources);
    if (model->limit)
        model->limit(bound, resources);
}
