#include "load/url.h"

#include <string.h>

#define SCHEME "http://"

/* Blanks and control characters would end up in the request line. */
static const char *check_characters(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= 0x20 || c >= 0x7f)
            return "has a blank, a control or a non-ASCII character: write it as %XX";
        if (c == '#')
            return "has a fragment (#...), which is never sent to a server";
    }
    return NULL;
}

static const char *parse_port(struct url *url, struct span digits)
{
    uint64_t port;
    if (!span_to_u64(digits, &port) || port == 0 || port > UINT16_MAX)
        return "the port must be a number from 1 to 65535";
    url->port = (uint16_t)port;
    return NULL;
}

/* Where HOST ends in the authority: at its last byte's successor, brackets included. */
static size_t host_end(struct span authority)
{
    char mark = authority.n > 0 && authority.p[0] == '[' ? ']' : ':';
    const char *at = memchr(authority.p, mark, authority.n);
    if (!at)
        return authority.n;
    return (size_t)(at - authority.p) + (mark == ']');
}

static const char *parse_authority(struct url *url)
{
    struct span whole = url->authority;
    size_t end = host_end(whole);
    url->host = (struct span){.p = whole.p, .n = end};
    url->port = 80;
    if (end > 0 && whole.p[0] == '[') {
        if (whole.p[end - 1] != ']')
            return "the ] after the IPv6 address is missing";
        url->host = (struct span){.p = whole.p + 1, .n = end - 2};
    }
    if (url->host.n == 0)
        return "the host is missing";
    if (memchr(whole.p, '@', whole.n))
        return "a user name in it is not supported: use --field 'Authorization: ...'";
    if (end == whole.n)
        return NULL;
    if (whole.p[end] != ':')
        return "only :PORT may follow the host";
    return parse_port(url, (struct span){.p = whole.p + end + 1, .n = whole.n - end - 1});
}

const char *url_parse(struct url *url, const char *text)
{
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return "must start with " SCHEME;
    const char *wrong = check_characters(text);
    if (wrong)
        return wrong;
    text += strlen(SCHEME);
    size_t n = strcspn(text, "/?");
    url->authority = (struct span){.p = text, .n = n};
    url->path = span_of(text + n);
    return parse_authority(url);
}
