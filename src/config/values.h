/*
 * values - the text of numbers, durations and yes or no.
 */
#ifndef DROVER_CONFIG_VALUES_H
#define DROVER_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A whole number, digits alone. False on anything else. */
bool value_number(const char *text, int64_t *value);

/*
 * A duration, into milliseconds: "250ms", "10s", "5m", "1h", or "0". A number without a unit is
 * refused: whether it means seconds is not to be guessed.
 */
bool value_duration(const char *text, int64_t *milliseconds);

/* "yes" or "no". */
bool value_bool(const char *text, bool *value);

/* Writes a duration as value_duration() reads it, in the largest unit that is exact. */
void value_print_duration(int64_t milliseconds, char *text, size_t size);

#endif
