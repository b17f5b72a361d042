#include "lab/models/threads.h"

#include <errno.h>

static int start(unsigned count, pthread_attr_t *attributes, thread_fn *fn, void *context)
{
    int error = pthread_attr_setstacksize(attributes, THREAD_STACK);
    if (error == 0)
        error = pthread_attr_setdetachstate(attributes, PTHREAD_CREATE_DETACHED);
    for (unsigned i = 0; i < count && error == 0; i++) {
        pthread_t thread;
        error = pthread_create(&thread, attributes, fn, context);
    }
    return error;
}

int threads_start(unsigned count, thread_fn *fn, void *context)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0) {
        error = start(count, &attributes, fn, context);
        pthread_attr_destroy(&attributes);
    }
    errno = error;
    return error == 0 ? 0 : -1;
}
