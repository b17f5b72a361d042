/*
 * values - the text of numbers, sizes, durations and yes or no.
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

/* A size, into bytes: "4096", "64k", "1m", "2g"; a unit is 1024 of the one before it. */
bool value_size(const char *text, int64_t *bytes);

/* "yes" or "no". */
bool value_bool(const char *text, bool *value);

/* "on" or "off". */
bool value_on_off(const char *text, bool *value);

/* Writes a duration as value_duration() reads it, in the largest unit that is exact. */
void value_print_duration(int64_t milliseconds, char *text, size_t size);

/* The same for value_size(). */
void value_print_size(int64_t bytes, char *text, size_t size);

#endif
