#include "http/conditional.h"

#include <string.h>

#include "http/date.h"
#include "http/field.h"

/* How two entity tags are compared (RFC 9110, 8.8.3.2). */
enum comparison { WEAK, STRONG };

/* What a field says about the representation. */
enum verdict { ABSENT, HOLDS, FAILS };

/* Takes the front's `n` bytes. */
static struct span take(struct span *s, size_t n)
{
    struct span front = {.p = s->p, .n = n};
    s->p += n;
    s->n -= n;
    return front;
}

static bool is_weak(struct span etag)
{
    return etag.n > 1 && etag.p[0] == 'W' && etag.p[1] == '/';
}

static bool etag_matches(struct span a, struct span b, enum comparison comparison)
{
    bool a_weak = is_weak(a);
    bool b_weak = is_weak(b);
    if (a.n == 0 || (comparison == STRONG && (a_weak || b_weak)))
        return false;
    if (a_weak)
        take(&a, 2);
    if (b_weak)
        take(&b, 2);
    return span_eq(a, b);
}

/*
 * Takes an entity tag off the front. Not span_next_element(): a backslash is a byte like others
 * in an entity tag, not an escape.
 */
static bool take_etag(struct span *list, struct span *etag)
{
    size_t open = is_weak(*list) ? 2 : 0;
    if (list->n <= open || list->p[open] != '"')
        return false;
    const char *close = memchr(list->p + open + 1, '"', list->n - open - 1);
    if (!close)
        return false;
    *etag = take(list, (size_t)(close - list->p) + 1);
    return !memchr(etag->p, ' ', etag->n) && !memchr(etag->p, '\t', etag->n);
}

static void skip_commas(struct span *list)
{
    while (list->n > 0 && (*list->p == ',' || *list->p == ' ' || *list->p == '\t'))
        take(list, 1);
}

/* Is the tag in the list? What follows a malformed element is not looked at. */
static bool list_has(struct span list, struct span etag, enum comparison comparison)
{
    struct span element;
    for (skip_commas(&list); take_etag(&list, &element); skip_commas(&list)) {
        list = span_trim(list);
        if (list.n > 0 && *list.p != ',')
            return false;
        if (etag_matches(element, etag, comparison))
            return true;
    }
    return false;
}

/* Does any line of the field hold "*" or the tag? */
static enum verdict judge_etags(const struct http_request *request, struct span name,
                                struct span etag, enum comparison comparison)
{
    enum verdict verdict = ABSENT;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (!span_eq_nocase(field->name, name))
            continue;
        if (span_eq(field->value, SPAN("*")) || list_has(field->value, etag, comparison))
            return HOLDS;
        verdict = FAILS;
    }
    return verdict;
}

/* Is the representation no newer than the field's date? Two lines are no date. */
static enum verdict judge_date(const struct http_request *request, struct span name,
                               const struct http_validators *has, time_t now)
{
    const struct http_field *field = http_request_sole(request, name);
    time_t date;
    if (!field || !has->has_modified || !http_date_parse(field->value, now, &date))
        return ABSENT;
    return has->modified <= date ? HOLDS : FAILS;
}

/* RFC 9110, 13.2.1: the other methods neither select nor change a representation. */
static bool is_conditional(enum http_method method)
{
    return method != HTTP_CONNECT && method != HTTP_OPTIONS && method != HTTP_TRACE;
}

int http_precondition(const struct http_request *request, const struct http_validators *has,
                      time_t now)
{
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    if (!is_conditional(request->method))
        return 0;

    enum verdict same = judge_etags(request, SPAN("If-Match"), has->etag, STRONG);
    if (same == ABSENT)
        same = judge_date(request, SPAN("If-Unmodified-Since"), has, now);
    if (same == FAILS)
        return 412;

    enum verdict known = judge_etags(request, SPAN("If-None-Match"), has->etag, WEAK);
    if (known == ABSENT && reads)
        known = judge_date(request, SPAN("If-Modified-Since"), has, now);
    if (known == HOLDS)
        return reads ? 304 : 412;
    return 0;
}

bool http_if_range(const struct http_request *request, const struct http_validators *has,
                   time_t now)
{
    const struct span name = SPAN("If-Range");
    const struct http_field *field = http_request_sole(request, name);
    time_t date;
    if (!field)
        return !http_request_field(request, name);
    struct span rest = field->value;
    struct span etag;
    if (take_etag(&rest, &etag))
        return rest.n == 0 && etag_matches(etag, has->etag, STRONG);
    return has->has_modified && http_date_parse(field->value, now, &date) && date == has->modified;
}
