#include "config/nearest.h"

#include <stdint.h>
#include <string.h>

/* Levenshtein's distance, for names of up to 31 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32];
    size_t n = strlen(b);
    if (n >= sizeof row / sizeof *row)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j];
            size_t best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

const char *nearest_name(const char *typed, const char *const names[], size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(typed) / 3 + 2; /* fewer slips than that are a typing error */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(typed, names[i]);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}
