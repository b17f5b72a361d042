#include "base/span.h"

#include <string.h>

struct span span_of(const char *s)
{
    return (struct span){.p = s, .n = s ? strlen(s) : 0};
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Not strncasecmp(3): its idea of case depends on the locale. */
bool span_eq_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

/* Where the first element of a list ends: at a comma that is not inside quotes, or at the end. */
static size_t element_end(struct span list)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < list.n; i++) {
        if (quoted && list.p[i] == '\\' && i + 1 < list.n)
            i++;
        else if (list.p[i] == '"')
            quoted = !quoted;
        else if (list.p[i] == ',' && !quoted)
            break;
    }
    return i;
}

bool span_next_element(struct span *list, struct span *element)
{
    while (list->n > 0) {
        size_t end = element_end(*list);
        size_t taken = end < list->n ? end + 1 : end;
        *element = span_trim((struct span){.p = list->p, .n = end});
        list->p += taken;
        list->n -= taken;
        if (element->n > 0)
            return true;
    }
    return false;
}

bool span_to_u64(struct span s, uint64_t *value)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10U, &v) ||
            __builtin_add_overflow(v, (unsigned)(s.p[i] - '0'), &v))
            return false;
    }
    *value = v;
    return true;
}
