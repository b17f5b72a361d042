#include "config/address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/values.h"

/* The kernel clips it to net.core.somaxconn, listen(2). */
#define BACKLOG_DEFAULT 4096
#define BACKLOG_MAX     1048576

struct result {
    struct net_address *list;
    size_t room;
    size_t count;
    bool is_full; /* there were more than fit */
    char *why;
    size_t why_size;
};

static size_t wrong(const struct result *result, const char *why)
{
    snprintf(result->why, result->why_size, "%s", why);
    return 0;
}

static bool read_option(char *text, struct net_address *pattern, const struct result *result)
{
    int64_t n;
    char *value = strchr(text, '=');
    if (value)
        *value++ = '\0';
    if (value && strcmp(text, "backlog") == 0) {
        if (!value_number(value, &n) || n < 1 || n > BACKLOG_MAX)
            return wrong(result, "backlog= takes a number from 1 to 1048576");
        pattern->backlog = (int)n;
        return true;
    }
    if (value && strcmp(text, "defer") == 0) {
        if (!value_bool(value, &pattern->defer))
            return wrong(result, "defer= takes yes or no");
        return true;
    }
    if (!value && strcmp(text, "proxy") == 0) {
        pattern->proxy = true;
        return true;
    }
    return wrong(result, "after a comma may stand backlog=N, defer=yes, defer=no or proxy");
}

static bool read_options(char *text, struct net_address *pattern, const struct result *result)
{
    while (text) { /* not strtok(3), which passes over empty ones */
        char *one = strsep(&text, ",");
        if (!read_option(one, pattern, result))
            return false;
    }
    return true;
}

static bool is_same(const struct net_address *a, const struct net_address *b)
{
    return a->length == b->length && memcmp(&a->any, &b->any, a->length) == 0 &&
           strcmp(a->name, b->name) == 0;
}

/* The same address twice, as "localhost" may have it, would be in its own way. */
static void add(struct result *result, const struct net_address *address)
{
    for (size_t i = 0; i < result->count; i++)
        if (is_same(&result->list[i], address))
            return;
    if (result->count < result->room)
        result->list[result->count++] = *address;
    else
        result->is_full = true;
}

static size_t read_unix(const char *path, struct net_address *pattern, struct result *result)
{
    size_t n = strlen(path);
    bool is_abstract = path[0] == '@';
    if (path[0] != '/' && !(is_abstract && n > 1))
        return wrong(result, "a unix address is unix:/path, absolute, or unix:@name");
    if (n >= sizeof pattern->un.sun_path)
        return wrong(result, "a unix address has at most 107 bytes after the colon (unix(7))");
    pattern->un.sun_family = AF_UNIX;
    memcpy(pattern->un.sun_path, path, n);
    if (is_abstract)
        pattern->un.sun_path[0] = '\0';
    /* An abstract name is all bytes of its length, the NUL of a path is not counted there. */
    pattern->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + !is_abstract);
    add(result, pattern);
    return result->count;
}

/* fdname_is_valid() of systemd, but for the comma, behind which our own options stand. */
static size_t read_name(const char *name, struct net_address *pattern, struct result *result)
{
    size_t n = strlen(name);
    if (n == 0)
        return wrong(result, "the name of an inherited socket stands behind fd:, as in fd:web");
    if (n >= sizeof pattern->name)
        return wrong(result, "the name of an inherited socket has at most 255 bytes");
    for (size_t i = 0; i < n; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
            return wrong(result, "the name of an inherited socket has neither blanks, nor colons, "
                                 "nor anything but ASCII (systemd.socket(5), "
                                 "FileDescriptorName=)");
    memcpy(pattern->name, name, n + 1);
    add(result, pattern);
    return result->count;
}

static size_t read_any(const char *port, struct net_address *pattern, struct result *result)
{
    int64_t n = 0;
    value_number(port, &n);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)n)};
    memcpy(&pattern->storage, &in6, sizeof in6);
    pattern->length = sizeof in6;
    pattern->dual = true;
    add(result, pattern);
    return result->count;
}

static size_t resolve(const char *host, const char *port, struct addrinfo hints,
                      struct net_address *pattern, struct result *result)
{
    struct addrinfo *found;
    if (strcmp(host, "*") == 0) /* which getaddrinfo(3) takes for no host: loopback */
        return wrong(result, "all addresses are an empty host, as in :8080");
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags |= AI_NUMERICSERV;
    int error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        snprintf(result->why, result->why_size, "host \"%s\": %s", host, gai_strerror(error));
        return 0;
    }
    for (const struct addrinfo *one = found; one; one = one->ai_next) {
        if (one->ai_addrlen > sizeof pattern->storage)
            continue;
        memcpy(&pattern->storage, one->ai_addr, one->ai_addrlen);
        pattern->length = one->ai_addrlen;
        add(result, pattern);
    }
    freeaddrinfo(found);
    return result->count;
}

static size_t read_inet(char *text, struct net_address *pattern, struct result *result)
{
    const struct addrinfo any = {.ai_family = AF_UNSPEC};
    const struct addrinfo v6 = {.ai_family = AF_INET6, .ai_flags = AI_NUMERICHOST};
    int64_t n;
    size_t length = strlen(text);
    char *colon = length > 0 && text[length - 1] == ']' ? NULL : strrchr(text, ':');
    if (strstr(text, "://"))
        return wrong(result, "an address is without http://, as in localhost:8080");
    if (!colon && value_number(text, &n))
        return wrong(result, "a port alone stands behind a colon, as in :8080");
    if (!colon)
        return wrong(result, "there is no port; an address is HOST:PORT, :PORT, [V6]:PORT, "
                             "unix:/path, unix:@name or fd:NAME");
    const char *port = colon + 1;
    if (!value_number(port, &n) || n > 65535)
        return wrong(result, "the port must be a number from 0 to 65535");
    pattern->any_port = n == 0;
    *colon = '\0';
    if (colon == text)
        return read_any(port, pattern, result);
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        return resolve(text + 1, port, v6, pattern, result);
    }
    if (strchr(text, ':'))
        return wrong(result, "an IPv6 number stands in brackets, as in [::1]:8080");
    return resolve(text, port, any, pattern, result);
}

size_t address_parse(const char *text, struct net_address *list, size_t room, char *why,
                     size_t why_size)
{
    struct result result = {.list = list, .room = room, .why = why, .why_size = why_size};
    struct net_address pattern = {.defer = true};
    char copy[512];
    if (strlen(text) >= sizeof copy)
        return wrong(&result, "it is longer than 511 bytes");
    memcpy(copy, text, strlen(text) + 1);
    char *options = strchr(copy, ',');
    if (options)
        *options++ = '\0';
    if (options && !read_options(options, &pattern, &result))
        return 0;
    size_t count = 0;
    if (strncmp(copy, "fd:", 3) == 0) {
        count = read_name(copy + 3, &pattern, &result); /* its backlog is its owner's */
    } else {
        if (pattern.backlog == 0)
            pattern.backlog = BACKLOG_DEFAULT;
        count = strncmp(copy, "unix:", 5) == 0 ? read_unix(copy + 5, &pattern, &result)
                                               : read_inet(copy, &pattern, &result);
    }
    if (result.is_full)
        return wrong(&result, "there are too many addresses; 16 are allowed");
    return count;
}
