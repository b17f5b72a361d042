/*
 * X-Forwarded-For. The input is lines: the peer's address; the trusted networks, a blank between
 * them; then a field's value a line. Verdicts: peer or other, whose address is taken for the
 * client's.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/forwarded.h"

#define PEER_PORT 4711

struct question {
    struct http_address peer;
    struct forwarded_rules trusted;
    struct http_request request;
};

static bool same_address(const struct http_address *a, const struct http_address *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static void read_networks(struct question *q, struct span line)
{
    while (line.n > 0 && q->trusted.count < FORWARDED_NETWORKS_MAX) {
        const char *blank = memchr(line.p, ' ', line.n);
        struct span word = {.p = line.p, .n = blank ? (size_t)(blank - line.p) : line.n};
        size_t taken = word.n + (blank != NULL);
        if (!ip_network_parse(word, &q->trusted.networks[q->trusted.count]))
            q->trusted.count++;
        line = (struct span){.p = line.p + taken, .n = line.n - taken};
    }
}

static void add_value(struct question *q, struct span value)
{
    if (q->request.field_count < HTTP_FIELDS_MAX)
        q->request.fields[q->request.field_count++] = (struct http_field){
            .name = SPAN("x-forwarded-FOR"), .value = span_trim(value)};
}

static void read_question(struct question *q, struct span input)
{
    memset(q, 0, sizeof *q);
    q->peer.family = 0;
    ip_parse(fuzz_line(&input), &q->peer);
    q->peer.port = PEER_PORT;
    read_networks(q, fuzz_line(&input));
    while (input.n > 0)
        add_value(q, fuzz_line(&input));
}

static struct http_address ask(const struct question *q)
{
    return forwarded_client(&q->request, &q->peer, &q->trusted);
}

static bool is_trusted(const struct question *q, const struct http_address *address)
{
    for (size_t i = 0; i < q->trusted.count; i++)
        if (ip_network_has(&q->trusted.networks[i], address))
            return true;
    return false;
}

static void check_same(const struct question *q, const struct http_address *client, const char *how)
{
    char text[IP_TEXT_SIZE];
    struct http_address other = ask(q);
    ip_print(&other, text);
    FUZZ_CHECK(same_address(&other, client), "%s: %s:%d", how, text, other.port);
}

/* All lines are one list. */
static void check_joined(const struct question *q, const struct http_address *client)
{
    static struct question joined;
    struct buf list = {0};
    if (q->request.field_count == 0)
        return;
    joined = *q;
    joined.request.field_count = 0;
    for (size_t i = 0; i < q->request.field_count; i++) {
        if (i > 0)
            buf_lit(&list, " ,\t");
        buf_span(&list, q->request.fields[i].value);
    }
    add_value(&joined, fuzz_bytes(&list));
    check_same(&joined, client, "in one line");
    buf_free(&list);
}

/* What the client wrote before a proxy that is trusted wrote something is not believed. */
static void check_lie(const struct question *q, const struct http_address *client)
{
    static struct question lie;
    lie = *q;
    lie.request.field_count = 0;
    add_value(&lie, SPAN("192.0.2.66, 10.0.0.1, ::1"));
    for (size_t i = 0; i < q->request.field_count; i++)
        add_value(&lie, q->request.fields[i].value);
    if (lie.request.field_count > q->request.field_count && !is_trusted(q, client))
        check_same(&lie, client, "with a lie in front");
}

static void check_trust(const struct question *q, const struct http_address *client, bool is_peer)
{
    static struct question nobody;
    struct http_address peer = ip_unmapped(q->peer);
    nobody = *q;
    nobody.trusted.count = 0;
    check_same(&nobody, &peer, "nobody is trusted");
    FUZZ_CHECK(is_peer || is_trusted(q, &q->peer), "the peer is not trusted, but believed");
    FUZZ_CHECK(client->family != 6 || ip_unmapped(*client).family == 6, "a mapped address");
}

const char *fuzz_one(struct span input)
{
    static struct question q; /* 3 kB */
    char *copy = fuzz_copy(input);
    read_question(&q, (struct span){.p = copy, .n = input.n});
    struct http_address client = ask(&q);
    struct http_address peer = ip_unmapped(q.peer);
    bool is_peer = same_address(&client, &peer);
    check_trust(&q, &client, is_peer);
    check_joined(&q, &client);
    check_lie(&q, &client);
    free(copy);
    return is_peer ? "peer" : "other";
}
