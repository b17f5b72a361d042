/*
 * dice - numbers that look random and are the same for the same seed (splitmix64, and Zipf's law
 * over it). Pure.
 */
#ifndef DROVER_LAB_CLIENT_DICE_H
#define DROVER_LAB_CLIENT_DICE_H

#include <stdint.h>

/* Zipf's dice fall on 1 to this. */
#define DICE_ZIPF_MAX 16

/* The exponent of Zipf's law: 1 falls 2.3 times as often as 2, and 28 times as often as 16. */
#define DICE_ZIPF_S 1.2

struct dice {
    uint64_t state;              /* private */
    double up_to[DICE_ZIPF_MAX]; /* private: the share of throws that fall on n + 1 or less */
};

void dice_init(struct dice *dice, uint64_t seed);

/* Any number of 64 bits. */
uint64_t dice_throw(struct dice *dice);

/* 0 to n - 1, n at least 1. */
uint64_t dice_below(struct dice *dice, uint64_t n);

/* 1 to DICE_ZIPF_MAX, by Zipf's law. */
unsigned dice_zipf(struct dice *dice);

/* What Zipf's dice fall on, on average. */
double dice_zipf_mean(const struct dice *dice);

#endif
