#include "lab/client/dice.h"

#include <math.h>

void dice_init(struct dice *dice, uint64_t seed)
{
    double sum = 0;
    dice->state = seed;
    for (unsigned i = 0; i < DICE_ZIPF_MAX; i++)
        dice->up_to[i] = sum += pow(i + 1, -DICE_ZIPF_S);
    for (unsigned i = 0; i < DICE_ZIPF_MAX; i++)
        dice->up_to[i] /= sum;
}

uint64_t dice_throw(struct dice *dice)
{
    uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t dice_below(struct dice *dice, uint64_t n)
{
    return dice_throw(dice) % n; /* for the n of a lab the bias is far below 1 of 10^12 */
}

unsigned dice_zipf(struct dice *dice)
{
    double at = (double)(dice_throw(dice) >> 11) * 0x1p-53;
    for (unsigned i = 0; i < DICE_ZIPF_MAX - 1; i++)
        if (at < dice->up_to[i])
            return i + 1;
    return DICE_ZIPF_MAX;
}

double dice_zipf_mean(const struct dice *dice)
{
    double mean = DICE_ZIPF_MAX;
    for (unsigned i = 0; i < DICE_ZIPF_MAX - 1; i++)
        mean -= dice->up_to[i]; /* the mean of n is the sum of the chances of more than 0, 1, ... */
    return mean;
}
