#include "config/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, but that two neighbours in each other's place are one slip; for names of
 * up to 31 bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][32], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t n = strlen(b);
    if (n >= sizeof rows[0] / sizeof *rows[0])
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = least(above[j - 1] + (a[i - 1] != b[j - 1]), above[j] + 1);
            best = least(best, row[j - 1] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, before[j - 2] + 1);
            row[j] = best;
        }
    }
    return row[n];
}

const char *nearest_name(const char *typed, const char *const names[], size_t count)
{
    const char *nearest = NULL;
    size_t best = strlen(typed) / 3 + 1; /* fewer slips than that are a typing error */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(typed, names[i]);
        if (d < best) {
            best = d;
            nearest = names[i];
        }
    }
    return nearest;
}
