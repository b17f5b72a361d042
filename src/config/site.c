#include "config/site.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/field.h"
#include "http/parse.h"

static bool wrong(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

bool site_field_value(const char *text, char *why, size_t size)
{
    if (!*text)
        return wrong(why, size, "must not be empty");
    if (!http_is_value(span_of(text)))
        return wrong(why, size, "has a control byte in it");
    return true;
}

/* Beside what drover writes in every answer: these the site writes, where they belong. */
static bool is_of_the_site(struct span name)
{
    static const char *const theirs[] = {"Accept-Ranges", "Allow", "Content-Encoding", "Location",
                                         "Upgrade"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        if (span_eq_nocase(name, span_of(theirs[i])))
            return true;
    return false;
}

static bool check_field(struct span name, const char *value, char *why, size_t size)
{
    if (name.n >= SITE_FIELD_NAME_MAX)
        return wrong(why, size, "the name has more than %d bytes", SITE_FIELD_NAME_MAX - 1);
    if (!http_is_token(name))
        return wrong(why, size, "must be NAME: VALUE, the name of letters, digits and dashes");
    if (!http_is_value(span_of(value)))
        return wrong(why, size, "has a control byte in it");
    if (span_eq_nocase(name, SPAN("Cache-Control")))
        return wrong(why, size, "is what --cache-control is for");
    if (http_field_is_ours(name) || is_of_the_site(name))
        return wrong(why, size, "is a field that drover writes itself");
    return true;
}

bool site_field(const char *text, struct settings *settings, char *why, size_t size)
{
    struct span name = {.p = text, .n = strcspn(text, ":")};
    if (!text[name.n])
        return wrong(why, size, "must be NAME: VALUE, with a colon");
    const char *value = text + name.n + 1;
    value += strspn(value, " \t");
    if (!check_field(name, value, why, size))
        return false;
    if (settings->field_count == SITE_FIELDS_MAX)
        return wrong(why, size, "there are too many fields; %d are allowed", SITE_FIELDS_MAX);
    struct setting_field *field = &settings->fields[settings->field_count++];
    memcpy(field->name, name.p, name.n);
    field->name[name.n] = '\0';
    field->value = value;
    return true;
}

bool site_path(const char *text, char *why, size_t size)
{
    if (text[0] != '/' || !text[1])
        return wrong(why, size, "must be a file below ROOT, as in /index.html");
    return true;
}

/* Where the page of this status is, or the first place that is free. */
static size_t place_of(const struct settings *settings, int status)
{
    size_t i = 0;
    while (i < settings->page_count && settings->pages[i].status != status)
        i++;
    return i;
}

bool site_page(const char *text, struct settings *settings, char *why, size_t size)
{
    int status = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && i < 4; i++)
        status = status * 10 + (text[i] - '0');
    if (digits != 3 || status < 400 || status > 599 || text[digits] != '=')
        return wrong(why, size, "must be STATUS=/PATH, a status from 400 to 599");
    if (!site_path(text + digits + 1, why, size))
        return false;
    size_t place = place_of(settings, status);
    if (place == SITE_PAGES_MAX)
        return wrong(why, size, "there are too many pages; %d are allowed", SITE_PAGES_MAX);
    settings->pages[place] = (struct setting_page){.status = status, .path = text + digits + 1};
    if (place == settings->page_count)
        settings->page_count++;
    return true;
}

/* Is every bracket closed? Where one is not, fnmatch(3) takes it for itself, here and there not. */
static bool has_whole_sets(struct span glob)
{
    for (size_t i = 0; i < glob.n; i++) {
        if (glob.p[i] != '[')
            continue;
        /* A ] that comes first is one of the set. */
        size_t first = i + 1 + (i + 1 < glob.n && glob.p[i + 1] == '!') + 1;
        const char *end = first < glob.n ? memchr(glob.p + first, ']', glob.n - first) : NULL;
        if (!end)
            return false;
        i = (size_t)(end - glob.p);
    }
    return true;
}

bool site_cache(const char *text, struct settings *settings, char *why, size_t size)
{
    struct span glob = {.p = text, .n = strcspn(text, " \t")};
    const char *value = text + glob.n + strspn(text + glob.n, " \t");
    if (glob.n == 0 || !*value)
        return wrong(why, size, "must be PATTERN VALUE, as in *.css max-age=3600");
    if (glob.n >= SITE_CACHE_GLOB_SIZE)
        return wrong(why, size, "the pattern has more than %d bytes", SITE_CACHE_GLOB_SIZE - 1);
    if (memchr(glob.p, '/', glob.n))
        return wrong(why, size, "the pattern is of a file's name alone, without a slash");
    if (!has_whole_sets(glob))
        return wrong(why, size, "the pattern has a [ that is not closed");
    if (!site_field_value(value, why, size))
        return false;
    if (settings->cache_count == SITE_CACHES_MAX)
        return wrong(why, size, "there are too many rules; %d are allowed", SITE_CACHES_MAX);
    struct setting_cache *rule = &settings->caches[settings->cache_count++];
    memcpy(rule->glob, glob.p, glob.n);
    rule->glob[glob.n] = '\0';
    rule->value = value;
    return true;
}

/* ------------------------------------------------------------------- which requests are for it */

struct span site_host_name(const char *text)
{
    struct span name = span_of(text);
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    return name;
}

static bool is_host_of(struct span name, const char *others)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_plain && (!c || !strchr(others, c)))
            return false;
    }
    return name.n > 0;
}

/* Labels with one dot between them. */
static bool is_host_name(struct span name)
{
    if (!is_host_of(name, "-_.") || name.p[0] == '.' || name.p[name.n - 1] == '.')
        return false;
    return !memmem(name.p, name.n, "..", 2);
}

static bool is_bracketed(struct span name)
{
    return name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']' &&
           is_host_of((struct span){.p = name.p + 1, .n = name.n - 2}, ":.");
}

static const char *host_fault(struct span name)
{
    bool is_wildcard = name.n > 2 && name.p[0] == '*' && name.p[1] == '.';
    struct span labels = {.p = name.p + 2 * is_wildcard, .n = name.n - 2 * is_wildcard};
    if (is_host_name(labels) || is_bracketed(name))
        return name.n > HOST_NAME_MAX_LENGTH ? "is longer than 253 bytes" : NULL;
    if (name.n == 1 && name.p[0] == '*')
        return "stands for any host, which a site without host answers for";
    if (memchr(name.p, '*', name.n))
        return "a star stands for the first labels, as in *.example.org";
    if (name.n > 0 && name.p[0] != '[' && memchr(name.p, ':', name.n))
        return "must be a name without a port; all ports are meant";
    return "must be a host's name, as in example.org, or *.example.org for all below it";
}

bool site_host(const char *text, struct settings *settings, char *why, size_t size)
{
    const char *fault = host_fault(site_host_name(text));
    if (fault)
        return wrong(why, size, "%s", fault);
    if (settings->host_count == SITE_HOSTS_MAX)
        return wrong(why, size, "there are too many hosts; %d are allowed", SITE_HOSTS_MAX);
    settings->hosts[settings->host_count++] = text;
    return true;
}

bool site_prefix(const char *text, char *why, size_t size)
{
    if (text[0] != '/')
        return wrong(why, size, "must be a path, as in /api");
    if (strlen(text) > SITE_PREFIX_MAX)
        return wrong(why, size, "is longer than %d bytes", SITE_PREFIX_MAX);
    if (strpbrk(text, "%?#"))
        return wrong(why, size, "is written as it is after decoding: without %%, ? and #");
    for (const char *at = text; *at;) {
        at++;
        size_t n = strcspn(at, "/");
        if (n == 0 && *at)
            return wrong(why, size, "must not have // in it");
        if ((n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return wrong(why, size, "must not have . or .. for a segment");
        at += n;
    }
    return true;
}
