#include "handlers/accept.h"

#include <string.h>
#include <strings.h>

/* What covers text/html, the closest last. */
static const char *const ranges[] = {"*/*", "text/*", "text/html"};

#define RANGES ((int)(sizeof ranges / sizeof *ranges))

static struct drover_span trim(struct drover_span s)
{
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Takes what is before the separator off the front, and the separator with it. */
static struct drover_span take(struct drover_span *rest, char separator)
{
    const char *end = memchr(rest->p, separator, rest->n);
    struct drover_span first = {.p = rest->p, .n = end ? (size_t)(end - rest->p) : rest->n};
    size_t gone = first.n + (end != NULL);
    rest->p += gone;
    rest->n -= gone;
    return trim(first);
}

/* "q=0", "q=0.0", ..: a weight without another digit than 0 (RFC 9110, 12.4.2). */
static bool is_zero_weight(struct drover_span parameter)
{
    if (parameter.n < 3 || strncasecmp(parameter.p, "q=0", 3) != 0)
        return false;
    for (size_t i = 3; i < parameter.n; i++)
        if (parameter.p[i] >= '1' && parameter.p[i] <= '9')
            return false;
    return true;
}

/* Its place in `ranges`, -1 for any other. */
static int range_of(struct drover_span name)
{
    int i = RANGES - 1;
    while (i >= 0 && (strlen(ranges[i]) != name.n || strncasecmp(ranges[i], name.p, name.n) != 0))
        i--;
    return i;
}

bool accept_has_html(struct drover_span accept)
{
    bool is_taken = false;
    int closest = -1;
    if (!accept.p)
        return true;
    while (accept.n > 0) {
        struct drover_span element = take(&accept, ',');
        int range = range_of(take(&element, ';'));
        bool is_refused = false;
        while (element.n > 0)
            is_refused |= is_zero_weight(take(&element, ';'));
        if (range > closest) {
            closest = range;
            is_taken = !is_refused;
        }
    }
    return is_taken;
}
