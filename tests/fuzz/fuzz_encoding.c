/*
 * Accept-Encoding. The input is lines: the codings that are offered, as letters out of "bzgi"; then
 * a field's value a line. Verdicts: br, zstd, gzip, identity or none, which is chosen.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/encoding.h"

#define ALL 15U

static unsigned read_offered(struct span line)
{
    static const char letters[] = "bzgi"; /* in the order of the bits */
    unsigned offered = 0;
    for (size_t i = 0; i < line.n; i++) {
        const char *letter = memchr(letters, line.p[i], sizeof letters - 1);
        if (letter)
            offered |= 1U << (letter - letters);
    }
    return offered;
}

static void add_value(struct http_request *request, struct span value)
{
    if (request->field_count < HTTP_FIELDS_MAX)
        request->fields[request->field_count++] = (struct http_field){
            .name = SPAN("accept-ENCODING"), .value = span_trim(value)};
}

/* Whatever is left of the offer, the one that was chosen still is; without it, another or none. */
static void check_offers(const struct http_request *request, unsigned offered,
                         enum http_coding chosen)
{
    FUZZ_CHECK(chosen == HTTP_CODING_NONE || (offered & (unsigned)chosen), "%d of %u", (int)chosen,
               offered);
    FUZZ_CHECK(((unsigned)chosen & ((unsigned)chosen - 1)) == 0, "several: %d", (int)chosen);
    for (unsigned fewer = 0; fewer <= ALL; fewer++) {
        enum http_coding other = http_request_coding(request, fewer & offered);
        FUZZ_CHECK((fewer & (unsigned)chosen) == (unsigned)chosen ? other == chosen
                                                                  : other != chosen,
                   "%d of %u, %d of %u", (int)chosen, offered, (int)other, fewer & offered);
    }
}

/* A quote that is not closed in a line would take the next one in. */
static bool has_quote(const struct http_request *request)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (memchr(request->fields[i].value.p, '"', request->fields[i].value.n))
            return true;
    return false;
}

/* The values as one list, the case of letters swapped, something unknown and nothing behind it. */
static void check_joined(const struct http_request *request, unsigned offered,
                         enum http_coding chosen)
{
    struct buf list = {0};
    for (size_t i = 0; i < request->field_count; i++) {
        struct span value = request->fields[i].value;
        for (size_t k = 0; k < value.n; k++)
            buf_add(&list, (char[]){fuzz_swap_case(value.p[k])}, 1);
        buf_lit(&list, "\t, ,");
    }
    buf_lit(&list, "compress;q=1, ,");
    enum http_coding other = http_coding_choose(fuzz_bytes(&list), offered);
    FUZZ_CHECK(other == chosen, "%d, in one line %d", (int)chosen, (int)other);
    buf_free(&list);
}

/* Who sends no field has no wish; who sends an empty one wants it as it is. */
static void check_silence(unsigned offered)
{
    unsigned identity = offered & HTTP_CODING_IDENTITY;
    unsigned silent = http_coding_choose((struct span){0}, offered);
    FUZZ_CHECK(http_coding_choose(SPAN(""), offered) == identity, "an empty field");
    FUZZ_CHECK(identity ? silent == identity : !offered == !silent, "no field: %u", silent);
}

static const char *name_of(enum http_coding coding)
{
    const char *name = http_coding_name(coding);
    if (name)
        return name;
    return coding == HTTP_CODING_IDENTITY ? "identity" : "none";
}

const char *fuzz_one(struct span input)
{
    static struct http_request request; /* 3 kB */
    char *copy = fuzz_copy(input);
    struct span rest = {.p = copy, .n = input.n};
    unsigned offered = read_offered(fuzz_line(&rest));
    request.field_count = 0;
    while (rest.n > 0)
        add_value(&request, fuzz_line(&rest));
    enum http_coding chosen = http_request_coding(&request, offered);
    check_offers(&request, offered, chosen);
    check_silence(offered);
    if (request.field_count > 0 && !has_quote(&request))
        check_joined(&request, offered, chosen);
    free(copy);
    return name_of(chosen);
}
