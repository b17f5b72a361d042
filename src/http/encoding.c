#include "http/encoding.h"

#include <string.h>

/* The better one first; "*" is a name as others while a list is read. */
enum { BR, ZSTD, GZIP, IDENTITY, ANY, NAMES };

_Static_assert(HTTP_CODING_BR == 1 << BR && HTTP_CODING_ZSTD == 1 << ZSTD &&
                   HTTP_CODING_GZIP == 1 << GZIP && HTTP_CODING_IDENTITY == 1 << IDENTITY,
               "a bit a coding");

#define UNSAID (-1)

/* What all lists say. Thousandths, as 12.4.2 has three digits. */
struct wishes {
    int weights[NAMES];
    bool has_field;
};

static const struct wishes no_wishes = {.weights = {UNSAID, UNSAID, UNSAID, UNSAID, UNSAID}};

const char *http_coding_name(enum http_coding coding)
{
    switch (coding) {
    case HTTP_CODING_BR: return "br";
    case HTTP_CODING_ZSTD: return "zstd";
    case HTTP_CODING_GZIP: return "gzip";
    default: return NULL;
    }
}

/* Returns NAMES for one that is not known. */
static unsigned name_of(struct span text)
{
    static const char *const names[] = {
        [BR] = "br", [ZSTD] = "zstd", [GZIP] = "gzip", [IDENTITY] = "identity", [ANY] = "*",
    };
    _Static_assert(sizeof names / sizeof *names == NAMES, "a text a name");
    unsigned name = 0;
    if (span_eq_nocase(text, SPAN("x-gzip")))
        return GZIP;
    while (name < NAMES && !span_eq_nocase(text, span_of(names[name])))
        name++;
    return name;
}

/* qvalue: "0" and up to three digits behind a dot, or "1" and zeros there. */
static bool read_qvalue(struct span text, int *weight)
{
    if (text.n == 0 || text.n > 5 || (text.n > 1 && text.p[1] != '.'))
        return false;
    if (text.p[0] != '0' && text.p[0] != '1')
        return false;
    *weight = text.p[0] == '1' ? 1000 : 0;
    int unit = 100;
    for (size_t i = 2; i < text.n; i++, unit /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        *weight += (text.p[i] - '0') * unit;
    }
    return *weight <= 1000;
}

/* What stands behind a coding's semicolon: one weight alone. */
static bool read_weight(struct span text, int *weight)
{
    const struct span q = SPAN("q=");
    text = span_trim(text);
    if (text.n < q.n || !span_eq_nocase((struct span){.p = text.p, .n = q.n}, q))
        return false;
    return read_qvalue((struct span){.p = text.p + q.n, .n = text.n - q.n}, weight);
}

static void read_member(struct wishes *wishes, struct span member)
{
    const char *semicolon = memchr(member.p, ';', member.n);
    struct span coding = member;
    int weight = 1000;
    bool is_good = true;
    if (semicolon) {
        coding.n = (size_t)(semicolon - member.p);
        struct span rest = {.p = semicolon + 1, .n = member.n - coding.n - 1};
        is_good = read_weight(rest, &weight);
    }
    unsigned name = name_of(span_trim(coding));
    if (name == NAMES || wishes->weights[name] != UNSAID)
        return;
    if (is_good || name < IDENTITY)
        wishes->weights[name] = is_good ? weight : 0;
}

static void read_list(struct wishes *wishes, struct span list)
{
    struct span member;
    wishes->has_field = true;
    while (span_next_element(&list, &member))
        read_member(wishes, member);
}

/* The first of the largest weights that is not 0, identity excepted. */
static unsigned best_compressed(const struct wishes *wishes, unsigned offered, int *weight)
{
    unsigned best = NAMES;
    *weight = 0;
    for (unsigned name = 0; name < IDENTITY; name++) {
        int said = wishes->weights[name];
        int its = said == UNSAID ? wishes->weights[ANY] : said;
        if ((offered & 1U << name) && its > *weight) {
            best = name;
            *weight = its;
        }
    }
    return best;
}

static bool is_identity_allowed(const struct wishes *wishes)
{
    int said = wishes->weights[IDENTITY];
    return said == UNSAID ? wishes->weights[ANY] != 0 : said > 0;
}

static enum http_coding choose(struct wishes wishes, unsigned offered)
{
    int weight;
    if (!wishes.has_field) {
        wishes.weights[ANY] = 1;
        wishes.weights[IDENTITY] = 1000;
    }
    unsigned best = best_compressed(&wishes, offered, &weight);
    bool has_identity = (offered & HTTP_CODING_IDENTITY) && is_identity_allowed(&wishes);
    if (has_identity && (best == NAMES || wishes.weights[IDENTITY] > weight))
        return HTTP_CODING_IDENTITY;
    return best == NAMES ? HTTP_CODING_NONE : (enum http_coding)(1U << best);
}

enum http_coding http_coding_choose(struct span value, unsigned offered)
{
    struct wishes wishes = no_wishes;
    if (value.p)
        read_list(&wishes, value);
    return choose(wishes, offered);
}

enum http_coding http_request_coding(const struct http_request *request, unsigned offered)
{
    struct wishes wishes = no_wishes;
    for (size_t i = 0; i < request->field_count; i++)
        if (span_eq_nocase(request->fields[i].name, SPAN("Accept-Encoding")))
            read_list(&wishes, request->fields[i].value);
    return choose(wishes, offered);
}
