#include "worker/routes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* Heads of the chains of hosts; a power of two. */
#define CHAINS 1024

/* Of one host, the longest prefix first. */
struct entry {
    struct route route;
    struct entry *next;
};

struct host {
    struct span name; /* of *.NAME the NAME */
    uint64_t hash;
    bool is_wildcard;
    struct entry *entries;
    struct host *next; /* of the same chain */
};

struct routes {
    struct host *chains[CHAINS];
    struct host any;
    bool has_wildcards;
};

/* ------------------------------------------------------------------------------- the hosts */

/* Case goes with this bit, and with it what else differs in it alone: they share a hash. Nobody
 * from outside can choose what is in the table. */
#define FOLD UINT64_C(0x2020202020202020)

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ (word | FOLD)) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Of a name, eight bytes at a time; the last eight may be counted in part twice. */
static inline uint64_t hash_of_name(struct span name)
{
    uint64_t hash = name.n, word = 0;
    if (name.n < sizeof word) {
        for (size_t i = 0; i < name.n; i++)
            word = word << 8 | (unsigned char)name.p[i];
        return mix(hash, word);
    }
    for (size_t i = 0; i + sizeof word < name.n; i += sizeof word) {
        memcpy(&word, name.p + i, sizeof word);
        hash = mix(hash, word);
    }
    memcpy(&word, name.p + name.n - sizeof word, sizeof word);
    return mix(hash, word);
}

/* Of what a wildcard stands before: from the last byte to the first, so that the hashes of all that
 * a host ends with come on the way. */
static inline uint64_t step(uint64_t hash, char c)
{
    return mix(hash, (unsigned char)c);
}

static uint64_t hash_of_end(struct span name)
{
    uint64_t hash = 0;
    for (size_t i = name.n; i-- > 0;)
        hash = step(hash, name.p[i]);
    return hash;
}

/* Most clients send it as it is written. */
static inline bool is_same(struct span one, struct span other)
{
    return span_eq(one, other) || span_eq_nocase(one, other);
}

static struct host *find_host(const struct routes *routes, uint64_t hash, struct span name,
                              bool is_wildcard)
{
    struct host *host = routes->chains[hash & (CHAINS - 1)];
    while (host &&
           (host->hash != hash || host->is_wildcard != is_wildcard || !is_same(host->name, name)))
        host = host->next;
    return host;
}

static struct host *add_host(struct routes *routes, struct span name, bool is_wildcard)
{
    uint64_t hash = is_wildcard ? hash_of_end(name) : hash_of_name(name);
    struct host *host = find_host(routes, hash, name, is_wildcard);
    if (host)
        return host;
    struct host **chain = &routes->chains[hash & (CHAINS - 1)];
    host = calloc(1, sizeof *host);
    if (!host)
        return NULL;
    *host = (struct host){.name = name, .hash = hash, .is_wildcard = is_wildcard, .next = *chain};
    *chain = host;
    routes->has_wildcards |= is_wildcard;
    return host;
}

static struct span without_dot(struct span name)
{
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    return name;
}

/* The port goes from the last colon on; those of an IPv6 address stand in brackets. */
static struct span host_of(struct span authority)
{
    for (size_t i = authority.n; i-- > 0 && authority.p[i] != ']';)
        if (authority.p[i] == ':') {
            authority.n = i;
            break;
        }
    return without_dot(authority);
}

/* ---------------------------------------------------------------------------- their routes */

struct routes *routes_new(void)
{
    return calloc(1, sizeof(struct routes));
}

static void free_entries(struct host *host)
{
    while (host->entries) {
        struct entry *entry = host->entries;
        host->entries = entry->next;
        free(entry);
    }
}

void routes_free(struct routes *routes)
{
    if (!routes)
        return;
    for (size_t i = 0; i < CHAINS; i++)
        while (routes->chains[i]) {
            struct host *host = routes->chains[i];
            routes->chains[i] = host->next;
            free_entries(host);
            free(host);
        }
    free_entries(&routes->any);
    free(routes);
}

static struct host *host_named(struct routes *routes, const char *text)
{
    struct span name = without_dot(span_of(text));
    bool is_wildcard = name.n > 2 && name.p[0] == '*' && name.p[1] == '.';
    if (!text)
        return &routes->any;
    if (is_wildcard) {
        name.p += 2;
        name.n -= 2;
    }
    return add_host(routes, name, is_wildcard);
}

int routes_add(struct routes *routes, const char *host, const struct route *route)
{
    struct host *of = host_named(routes, host);
    struct entry *entry = of ? malloc(sizeof *entry) : NULL;
    if (!entry)
        return -1;
    struct entry **at = &of->entries;
    while (*at && (*at)->route.prefix.n >= route->prefix.n)
        at = &(*at)->next;
    *entry = (struct entry){.route = *route, .next = *at};
    *at = entry;
    return 0;
}

/* ----------------------------------------------------------------------------- the look-up */

/* Whole segments: "/api" is the start of "/api" and "/api/x", and not of "/apis". */
static const struct route *match(const struct host *host, struct span path)
{
    for (const struct entry *entry = host ? host->entries : NULL; entry; entry = entry->next) {
        struct span prefix = entry->route.prefix;
        struct span start = {.p = path.p, .n = prefix.n};
        if (prefix.n <= path.n && span_eq(prefix, start) &&
            (prefix.n == path.n || path.p[prefix.n] == '/'))
            return &entry->route;
    }
    return NULL;
}

/* From the right: the last wildcard that is met is the longest. */
static const struct route *find_wildcard(const struct routes *routes, struct span host,
                                         struct span path)
{
    const struct route *best = NULL;
    uint64_t hash = 0;
    for (size_t i = host.n; i-- > 1;) {
        if (host.p[i] == '.') {
            struct span rest = {.p = host.p + i + 1, .n = host.n - i - 1};
            const struct route *route = match(find_host(routes, hash, rest, true), path);
            best = route ? route : best;
        }
        hash = step(hash, host.p[i]);
    }
    return best;
}

const struct route *routes_find(const struct routes *routes, struct span authority,
                                struct span path)
{
    struct span host = host_of(authority);
    const struct route *route = NULL;
    if (host.n > 0 && host.n <= HOST_NAME_MAX_LENGTH)
        route = match(find_host(routes, hash_of_name(host), host, false), path);
    if (!route && routes->has_wildcards && host.n <= HOST_NAME_MAX_LENGTH)
        route = find_wildcard(routes, host, path);
    return route ? route : match(&routes->any, path);
}
