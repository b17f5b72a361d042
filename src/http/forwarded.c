#include "http/forwarded.h"

#include <string.h>

/* All lines of the field, read from the end. */
struct walk {
    const struct http_request *request;
    size_t field;     /* fields before this one are still to come */
    struct span list; /* of the present field, what is still to come */
    bool is_open;     /* there is one more element in the list, be it empty */
};

static bool next_list(struct walk *walk)
{
    while (walk->field > 0) {
        const struct http_field *field = &walk->request->fields[--walk->field];
        if (!span_eq_nocase(field->name, SPAN("X-Forwarded-For")))
            continue;
        walk->list = field->value;
        walk->is_open = true;
        return true;
    }
    return false;
}

/* Not span_next_element(): this one goes backwards, and there are no quotes. */
static bool next_element(struct walk *walk, struct span *element)
{
    if (!walk->is_open && !next_list(walk))
        return false;
    struct span list = walk->list;
    const char *comma = list.n > 0 ? memrchr(list.p, ',', list.n) : NULL;
    size_t start = comma ? (size_t)(comma - list.p) + 1 : 0;
    *element = span_trim((struct span){.p = list.p + start, .n = list.n - start});
    walk->list.n = comma ? start - 1 : 0;
    walk->is_open = comma;
    return true;
}

static bool read_port(struct span text, uint16_t *port)
{
    uint64_t value;
    if (text.n > 5 || !span_to_u64(text, &value) || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* The text in front of the mark is an address, that behind it a port. */
static bool read_with_port(struct span text, const char *mark, struct http_address *address)
{
    size_t n = (size_t)(mark - text.p);
    struct span port = {.p = mark + 1, .n = text.n - n - 1};
    return ip_parse((struct span){.p = text.p, .n = n}, address) && read_port(port, &address->port);
}

/* "[::1]" or "[::1]:80", without its first bracket. */
static bool read_bracketed(struct span text, struct http_address *address)
{
    const char *bracket = memchr(text.p, ']', text.n);
    if (!bracket)
        return false;
    struct span inner = {.p = text.p, .n = (size_t)(bracket - text.p)};
    struct span rest = {.p = bracket + 1, .n = text.n - inner.n - 1};
    if (!ip_parse(inner, address) || address->family != 6)
        return false;
    if (rest.n == 0)
        return true;
    return *rest.p == ':' &&
           read_port((struct span){.p = rest.p + 1, .n = rest.n - 1}, &address->port);
}

static bool read_element(struct span text, struct http_address *address)
{
    if (text.n > 0 && *text.p == '[')
        return read_bracketed((struct span){.p = text.p + 1, .n = text.n - 1}, address);
    const char *colon = text.n > 0 ? memchr(text.p, ':', text.n) : NULL;
    if (colon && memchr(text.p, '.', (size_t)(colon - text.p))) /* IPv6 starts with no dot */
        return read_with_port(text, colon, address);
    return ip_parse(text, address);
}

static bool is_trusted(const struct http_address *address, const struct forwarded_rules *rules)
{
    if (address->family == 0)
        return rules->trusts_unix;
    for (size_t i = 0; i < rules->count; i++)
        if (ip_network_has(&rules->networks[i], address))
            return true;
    return false;
}

struct http_address forwarded_client(const struct http_request *request,
                                     const struct http_address *peer,
                                     const struct forwarded_rules *rules)
{
    struct walk walk = {.request = request, .field = request->field_count};
    struct http_address client = *peer;
    struct span element;
    while (is_trusted(&client, rules) && next_element(&walk, &element)) {
        struct http_address before;
        if (!read_element(element, &before))
            break;
        client = before;
    }
    return ip_unmapped(client);
}
