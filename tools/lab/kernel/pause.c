#include "lab/kernel/pause.h"

#include <errno.h>
#include <time.h>

void pause_us(int64_t us)
{
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
