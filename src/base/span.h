/*
 * span - borrowed bytes: a pointer and a length, never owned, not terminated by NUL.
 *
 * Whoever hands out a span says how long its bytes live; a span is passed by value.
 */
#ifndef DROVER_BASE_SPAN_H
#define DROVER_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

/* A span over a string literal. */
#define SPAN(literal) ((struct span){.p = (literal), .n = sizeof(literal) - 1})

/* A span over a C string; NULL gives the empty span. */
struct span span_of(const char *s);

static inline bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case is ignored, as for field names (RFC 9110, 5.1). */
bool span_eq_nocase(struct span a, struct span b);

/* Without the spaces and tabs at both ends (OWS, RFC 9110, 5.6.3). */
static inline struct span span_trim(struct span s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/*
 * Takes the next element of a comma-separated list off the front of *list and trims it. Empty
 * elements are passed over (RFC 9110, 5.6.1). Commas inside "quoted strings" do not separate.
 * Returns false when nothing is left.
 */
bool span_next_element(struct span *list, struct span *element);

/*
 * Reads a whole decimal number: digits alone, at least one, no sign.
 * Returns false, and leaves *value alone, on anything else or above UINT64_MAX.
 */
bool span_to_u64(struct span s, uint64_t *value);

#endif
