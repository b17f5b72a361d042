/* Listening addresses. The input is the text, up to a NUL or LF. Verdicts: good, bad. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "config/address.h"
#include "fuzz.h"

#define WHY_SIZE 512

/* The text stands alone, and so do `room` addresses, which the caller frees, and the reason. */
static size_t parse(struct span text, struct net_address **list, size_t room, size_t why_size)
{
    struct buf bytes = {0};
    buf_span(&bytes, text);
    buf_lit(&bytes, "\0");
    char *string = fuzz_copy(fuzz_bytes(&bytes));
    char *why = fuzz_room(why_size);
    memset(why, 0x7f, why_size);
    *list = fuzz_room(room * sizeof **list);
    size_t count = address_parse(string, *list, room, why, why_size);
    FUZZ_CHECK(count <= room, "%zu addresses in room for %zu", count, room);
    FUZZ_CHECK(count > 0 || (memchr(why, '\0', why_size) && *why), "no reason given");
    free(why);
    free(string);
    buf_free(&bytes);
    return count;
}

static bool starts(struct span text, const char *with)
{
    size_t n = strlen(with);
    return text.n >= n && memcmp(text.p, with, n) == 0;
}

/* The family is that of the form. */
static void check_family(const struct net_address *address, struct span text)
{
    int family = starts(text, "unix:")                    ? AF_UNIX
                 : starts(text, "[") || starts(text, ":") ? AF_INET6
                                                          : AF_INET;
    FUZZ_CHECK(address->any.sa_family == family, "%s is of family %d, not %d", fuzz_show(text),
               address->any.sa_family, family);
    FUZZ_CHECK(address->dual == starts(text, ":"), "dual: %d", address->dual);
    FUZZ_CHECK(address->length <= sizeof address->storage, "%u bytes", address->length);
    FUZZ_CHECK(address->backlog >= 1 && address->backlog <= 1048576, "backlog");
}

static void print_canonical(struct buf *text, const struct net_address *address)
{
    char shown[NET_TEXT_SIZE];
    net_text(address, shown);
    buf_str(text, address->dual ? shown + strlen("[::]") : shown);
    buf_printf(text, ",backlog=%d,defer=%s", address->backlog, address->defer ? "yes" : "no");
}

static void check_canonical(const struct net_address *address)
{
    struct buf text = {0};
    struct net_address *again;
    print_canonical(&text, address);
    struct span shown = fuzz_bytes(&text);
    FUZZ_CHECK(parse(shown, &again, 1, WHY_SIZE) == 1, "%s is refused", fuzz_show(shown));
    FUZZ_CHECK(again->length == address->length &&
                   memcmp(&again->any, &address->any, address->length) == 0,
               "%s is another address", fuzz_show(shown));
    FUZZ_CHECK(again->backlog == address->backlog && again->defer == address->defer &&
                   again->dual == address->dual,
               "%s has other options", fuzz_show(shown));
    free(again);
    buf_free(&text);
}

const char *fuzz_one(struct span input)
{
    struct net_address *list;
    uint32_t seed = fuzz_seed(input);
    struct span text = {.p = input.p, .n = 0};
    while (text.n < input.n && text.p[text.n] != '\0' && text.p[text.n] != '\n')
        text.n++;
    size_t count = parse(text, &list, fuzz_below(&seed, ADDRESSES_MAX) + 1, WHY_SIZE);
    for (size_t i = 0; i < count; i++) {
        check_family(&list[i], text);
        check_canonical(&list[i]);
    }
    free(list);
    parse(text, &list, ADDRESSES_MAX, fuzz_below(&seed, 80) + 2); /* a reason may be cut */
    free(list);
    return count > 0 ? "good" : "bad";
}
