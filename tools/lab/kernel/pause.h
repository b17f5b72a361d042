/*
 * pause - this thread sleeps for so long, whatever signals come (nanosleep(2)).
 */
#ifndef DROVER_LAB_KERNEL_PAUSE_H
#define DROVER_LAB_KERNEL_PAUSE_H

#include <stdint.h>

void pause_us(int64_t us);

#endif
