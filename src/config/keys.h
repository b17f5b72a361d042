/*
 * keys - what an application has to configure (struct drover_key): its table is checked, every
 * value set to its default, and then to what --set says.
 *
 * The values go where the application's table points to; texts are borrowed.
 */
#ifndef DROVER_CONFIG_KEYS_H
#define DROVER_CONFIG_KEYS_H

#include <drover.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The table may be NULL. Each returns 0, or -1, and then what is wrong in `why`. keys_check() finds
 * fault with the table itself, and is the first; keys_default() is that and sets the defaults;
 * keys_set() reads "NAME=VALUE".
 */
int keys_check(const struct drover_key *keys, char *why, size_t why_size);
int keys_default(const struct drover_key *keys, char *why, size_t why_size);
int keys_set(const struct drover_key *keys, const char *assignment, char *why, size_t why_size);

/* Whether keys_set() would take it. Sets nothing; `what` does not name the assignment. */
int keys_test(const struct drover_key *keys, const char *assignment, char *what, size_t size);

/* A line a key, as for an option. Nothing without keys. The table must be a good one. */
void keys_print(FILE *to, const struct drover_key *keys);

#endif
