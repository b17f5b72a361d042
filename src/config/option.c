#include "config/option.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/address.h"
#include "config/nearest.h"
#include "config/site.h"
#include "config/values.h"
#include "os/cpus.h"
#include "worker/access_format.h"

#define HOUR (60 * 60 * 1000LL)

#define AT(member) offsetof(struct settings, member)

static const struct option options[] = {
    {"config", OPTION_CONFIG, "FILE", NULL, "none", 0, 0, 0,
     "or -c FILE: a file of these options as KEY = VALUE lines, read anew by HUP; the command line "
     "goes before it"},
    {"listen", OPTION_ADDRESS, "ADDR", "127.0.0.1:8080", NULL, 0, 0, AT(addresses),
     "where clients come in: HOST:PORT, :PORT, [V6]:PORT, unix:/path, unix:@name, fd:NAME (the "
     "sockets that a service manager passes under that name; without --listen all that it passes); "
     "then, each after a comma, backlog=N, defer=no, proxy (a PROXY header must come first); may "
     "be repeated, up to 16 addresses, of which a HOST may have several"},
    {"admin", OPTION_ADMIN, "ADDR", NULL, "off", 0, 0, AT(admin),
     "where a process of its own answers /healthz, /readyz, /metrics (Prometheus), /status and "
     "/status.json, whatever the workers do; an address as of --listen, or off. It asks nobody "
     "who he is: for trusted networks alone"},
    {"trust-proxy", OPTION_TRUST, "NETWORK", NULL, "nobody", 0, 0, AT(trusted),
     "whose X-Forwarded-For is taken for the client's address: an address, a network as in "
     "10.0.0.0/8, or unix for all that come by a unix socket; may be repeated, up to 32 networks. "
     "The field is read from its end: the first address that is not trusted is the client's; one "
     "that is malformed ends the search"},
    {"workers", OPTION_WORKERS, "N", "auto", NULL, 1, SLOTS_MAX, AT(workers),
     "how many processes serve; auto: as many as the CPUs that drover may use"},
    {"standby", OPTION_ON_OFF, "on|off", "on", NULL, 0, 0, AT(standby),
     "beside each worker sleeps a process that goes on with its connections when it is killed or "
     "hangs: one more process and some memory a worker"},
    {"app", OPTION_APP, "NAME", "static", NULL, 0, 0, AT(app),
     "what answers: static, echo, hello, tcp-echo, status, or a module's path, as in ./it.so"},
    {"set", OPTION_SET, "NAME=VALUE", NULL, "the application's", 0, 0, AT(sets),
     "a key of the application; may be repeated, up to 64 times; --app NAME --help lists them"},
    {"ready-fd", OPTION_NUMBER, "N", NULL, "off", 0, INT_MAX, AT(ready_fd),
     "once every worker accepts, the addresses, one a line, are written to this descriptor and it "
     "is closed"},
    {"pidfile", OPTION_TEXT, "FILE", NULL, "off", 0, 0, AT(pidfile),
     "the master's pid; locked, so that a second one is refused"},
    {"control", OPTION_TEXT, "PATH", NULL, "in $RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR or /run", 0,
     SOCKET_PATH_MAX, AT(control),
     "the socket at which drover status, reload, upgrade and stop ask; /run is for root: who else "
     "has "
     "no $XDG_RUNTIME_DIR has no socket; off: none"},
    {"user", OPTION_TEXT, "NAME", NULL, "as started", 0, 0, AT(user), "who the workers run as"},
    {"group", OPTION_TEXT, "NAME", NULL, "the user's", 0, 0, AT(group), "and their group"},
    {"max-connections", OPTION_NUMBER, "N", "10000", NULL, 1, 1000000, AT(max_connections),
     "open connections of one worker; more wait in the queue"},
    {"max-requests", OPTION_NUMBER, "N", "0", "0, no bound", 0, INT64_MAX, AT(max_requests),
     "answers of one worker before a fresh one replaces it, up to a tenth more or less"},
    {"max-rss", OPTION_SIZE, "SIZE", "0", "0, no bound", 0, INT64_MAX, AT(max_rss),
     "resident memory of one worker before a fresh one replaces it"},
    {"connection-requests", OPTION_NUMBER, "N", "0", "0, no bound", 0, UINT32_MAX,
     AT(connection_requests), "answers on one connection before it is closed"},
    {"preempt", OPTION_PREEMPTION, "auto|yes|no", "auto", NULL, 0, 0, AT(preemption),
     "does a worker that a client wakes take the CPU from whoever runs there, at once? no (the "
     "policy SCHED_BATCH) costs less where clients, or a proxy, run on this machine; auto: no, as "
     "long as it need not wait for long"},
    {"max-body", OPTION_SIZE, "SIZE", "1m", NULL, 0, INT64_MAX, AT(max_body),
     "bytes of a request's body; a longer one gets 413, unless the application takes it as it "
     "comes"},
    {"header-timeout", OPTION_DURATION, "TIME", "10s", NULL, 0, 24 * HOUR, AT(header_timeout),
     "for a request's head, from its first byte on"},
    {"body-timeout", OPTION_DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(body_timeout),
     "for a request's body, or each further 16 KiB of it"},
    {"answer-timeout", OPTION_DURATION, "TIME", "60s", NULL, 0, 24 * HOUR, AT(answer_timeout),
     "for an application that has deferred its answer; the client gets a 503 then"},
    {"send-timeout", OPTION_DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(send_timeout),
     "for a client to take all that waits for it, or each 16 KiB of it"},
    {"idle-timeout", OPTION_DURATION, "TIME", "75s", NULL, 0, 24 * HOUR, AT(idle_timeout),
     "for the next request on a kept connection"},
    {"drain-timeout", OPTION_DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(drain_timeout),
     "how long a worker that leaves finishes what it has"},
    {"start-timeout", OPTION_DURATION, "TIME", "10s", NULL, 0, 24 * HOUR, AT(start_timeout),
     "how long a worker may take until it accepts"},
    {"hang-timeout", OPTION_DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(hang_timeout),
     "how long a worker that hangs, or was stopped, may stay; its slot is served by others at "
     "once"},
    {"lame-duck", OPTION_DURATION, "TIME", "0s", "0s, none", 0, HOUR, AT(lame_duck),
     "how long a stop goes on accepting before it begins"},
    {"log-level", OPTION_LEVEL, "LEVEL", "info", NULL, 0, 0, AT(log_level),
     "error, warn, info or debug"},
    {"log", OPTION_LOG, "stderr|syslog|journal|FILE", "stderr", NULL, 0, 0, AT(log),
     "where what happens to the server is logged: stderr, syslog, journal, or a file's path; USR1, "
     "or drover reopen, opens files anew"},
    {"log-format", OPTION_LOG_FORMAT, "text|json", "text", NULL, 0, 0, AT(log_format),
     "a line of text, or an object of JSON a line"},
    {"access-log", OPTION_ACCESS_LOG, "off|FILE", "off", NULL, 0, 0, AT(access_log),
     "a line for every answer; - is stdout, off is none; USR1, or drover reopen, opens it anew"},
    {"access-format", OPTION_ACCESS_FORMAT, "combined|common|json|FORMAT", "combined", NULL, 0, 0,
     AT(access_format),
     "of these lines: combined, common, json, or a text with directives, as in '%h \"%r\" %s %b "
     "%D'"},
};

/* What only the static site has. */
static const struct option site_options[] = {
    {"root", OPTION_TEXT, "DIR", ".", "where drover was started", 0, 0, AT(root),
     "what is served; the same as the argument ROOT"},
    {"listing", OPTION_YES_NO, "yes|no", "yes", NULL, 0, 0, AT(listing),
     "list directories that have no index.html"},
    {"dot-files", OPTION_YES_NO, "yes|no", "no", NULL, 0, 0, AT(dot_files),
     "serve and list names that start with a dot; what is in /.well-known/ (RFC 8615) is served "
     "in any case"},
    {"precompressed", OPTION_YES_NO, "yes|no", "yes", NULL, 0, 0, AT(precompressed),
     "send NAME.br, NAME.zst or NAME.gz, if it is there and not older, to clients that take it for "
     "NAME"},
    {"cache-control", OPTION_FIELD_VALUE, "VALUE", NULL, "none", 0, 0, AT(cache_control),
     "Cache-Control of files, as in \"max-age=3600\""},
    {"cache", OPTION_SITE_CACHE, "'PATTERN VALUE'", NULL, "none", 0, 0, AT(caches),
     "Cache-Control of files whose name matches, in place of --cache-control: '*.css "
     "max-age=3600'; "
     "* and ? stand for any bytes and any one, [a-z] for one of these; the first that matches "
     "holds; may be repeated, up to 32 times"},
    {"field", OPTION_SITE_FIELD, "'NAME: VALUE'", NULL, "none", 0, 0, AT(fields),
     "a field of every answer, errors and redirects among them; may be repeated, up to 32 "
     "times"},
    {"error-page", OPTION_SITE_PAGE, "STATUS=/PATH", NULL, "drover's own", 0, 0, AT(pages),
     "the file below ROOT that is the page for a status, 400 to 599; at most 64 KiB; HUP reads it "
     "anew; may be repeated, up to 32 times"},
    {"fallback", OPTION_SITE_PATH, "/PATH", NULL, "off", 0, 0, AT(fallback),
     "the file below ROOT that answers, with 200, for pages that are not there: a single-page "
     "application; a name with a dot in its last segment stays 404"},
};

/* What a section says of the requests that are for it. */
static const struct option section_options[] = {
    {"host", OPTION_HOST, "NAME", NULL, "any that no other site has", 0, 0, AT(hosts),
     "a host that the site answers for: a name without a port, or *.NAME for all below it; may be "
     "repeated"},
    {"prefix", OPTION_PREFIX, "/PATH", "/", NULL, 0, 0, AT(prefix),
     "the paths that it answers for: this one and all below it, as whole segments; the site sees "
     "them without it"},
};

#define SERVER_OPTIONS (sizeof options / sizeof *options)
#define SITE_OPTIONS   (sizeof site_options / sizeof *site_options)
#define OPTION_COUNT \
    (SERVER_OPTIONS + SITE_OPTIONS + sizeof section_options / sizeof *section_options)

size_t option_count(void)
{
    return OPTION_COUNT;
}

const struct option *option_at(size_t i)
{
    if (i < SERVER_OPTIONS)
        return &options[i];
    i -= SERVER_OPTIONS;
    return i < SITE_OPTIONS ? &site_options[i] : &section_options[i - SITE_OPTIONS];
}

bool option_is_site(const struct option *o)
{
    return o >= site_options && o < site_options + SITE_OPTIONS;
}

bool option_is_section(const struct option *o)
{
    return o->type == OPTION_HOST || o->type == OPTION_PREFIX;
}

bool option_in_section(const struct option *o)
{
    return option_is_site(o) || option_is_section(o) || o->type == OPTION_APP ||
           o->type == OPTION_SET;
}

const struct option *option_find(const char *name, size_t n)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = option_at(i);
        if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
            return o;
    }
    return NULL;
}

bool option_is_offered(const struct option *o, const struct settings *settings)
{
    return settings->app || !(option_in_section(o) && o->type != OPTION_SET);
}

bool option_in_file(const struct option *o)
{
    return o->type != OPTION_CONFIG && o->offset != AT(ready_fd);
}

bool option_is_list(const struct option *o)
{
    switch (o->type) {
    case OPTION_ADDRESS:
    case OPTION_TRUST:
    case OPTION_SET:
    case OPTION_SITE_FIELD:
    case OPTION_SITE_PAGE:
    case OPTION_SITE_CACHE:
    case OPTION_HOST: return true;
    default: return false;
    }
}

/* The part of a list's value that tells what it is of. */
static struct span subject(const struct option *o, const char *value)
{
    struct span all = span_of(value);
    switch (o->type) {
    case OPTION_SITE_FIELD: all.n = strcspn(value, ":"); break;
    case OPTION_SITE_CACHE: all.n = strcspn(value, " \t"); break;
    case OPTION_HOST: return site_host_name(value);
    default: all.n = strcspn(value, "="); break;
    }
    return all;
}

bool option_is_same(const struct option *o, const char *one, const char *other)
{
    if (!option_is_list(o))
        return true;
    if (o->type == OPTION_ADDRESS || o->type == OPTION_TRUST)
        return false;
    struct span a = subject(o, one), b = subject(o, other);
    bool ignores_case = o->type == OPTION_SITE_FIELD || o->type == OPTION_HOST;
    return ignores_case ? span_eq_nocase(a, b) : span_eq(a, b);
}

/* ------------------------------------------------------------------------------ the values */

struct what {
    char *text;
    size_t size;
};

static bool wrong(struct what what, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool wrong(struct what what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(what.text, what.size, format, args);
    va_end(args);
    return false;
}

/* One that another listener of this server would have. */
static const struct net_address *first_twice(const struct net_address *list, size_t have, size_t n)
{
    for (size_t i = have; i < have + n; i++)
        for (size_t k = 0; k < have && !list[i].any_port && !net_is_name(&list[i]); k++)
            if (!net_is_name(&list[k]) && net_is_same(&list[i], &list[k]))
                return &list[i];
    return NULL;
}

static bool set_address(const char *value, struct settings *s, struct what what)
{
    char text[NET_TEXT_SIZE];
    size_t have = (size_t)s->address_count;
    size_t n = address_parse(value, s->addresses + have, ADDRESSES_MAX - have, what.text,
                             what.size);
    const struct net_address *twice = first_twice(s->addresses, have, n);
    if (twice) {
        net_text(twice, text);
        return wrong(what, "was given already: %s", text);
    }
    s->address_count += (int)n;
    return n > 0;
}

/* The last one that is given holds, with all the addresses that its host has. */
static bool set_admin(const char *value, struct settings *s, struct what what)
{
    s->admin_count = 0;
    if (strcmp(value, "off") != 0)
        s->admin_count = (int)address_parse(value, s->admin, ADDRESSES_MAX, what.text, what.size);
    return s->admin_count > 0 || strcmp(value, "off") == 0;
}

static bool set_trust(const char *value, struct forwarded_rules *rules, struct what what)
{
    if (strcmp(value, "unix") == 0) {
        rules->trusts_unix = true;
        return true;
    }
    if (rules->count == FORWARDED_NETWORKS_MAX)
        return wrong(what, "there are too many; %d are allowed", FORWARDED_NETWORKS_MAX);
    const char *why = ip_network_parse(span_of(value), &rules->networks[rules->count]);
    if (why)
        return wrong(what, "%s", why);
    rules->count++;
    return true;
}

static bool set_number(const struct option *o, const char *value, int64_t *member, struct what what)
{
    int64_t n;
    bool is_auto = o->type == OPTION_WORKERS && strcmp(value, "auto") == 0;
    if (is_auto)
        n = cpus_usable() < SLOTS_MAX ? cpus_usable() : SLOTS_MAX;
    else if (!value_number(value, &n) || n < o->min || n > o->max)
        return wrong(what, "must be %sa whole number from %lld to %lld",
                     o->type == OPTION_WORKERS ? "\"auto\" or " : "", (long long)o->min,
                     (long long)o->max);
    *member = n;
    return true;
}

static bool set_duration(const struct option *o, const char *value, int64_t *member,
                         struct what what)
{
    char most[32];
    int64_t n;
    value_print_duration(o->max, most, sizeof most);
    if (!value_duration(value, &n) || n > o->max)
        return wrong(what,
                     "must be a number with ms, s, m or h, as in 250ms or 10s, at most %s; 0 is %s",
                     most, o->offset == AT(lame_duck) ? "none" : "never");
    *member = n;
    return true;
}

static bool set_size(const struct option *o, const char *value, int64_t *member, struct what what)
{
    char least[32], most[32], bounds[80] = "";
    int64_t n;
    value_print_size(o->min, least, sizeof least);
    value_print_size(o->max, most, sizeof most);
    if (o->max < INT64_MAX)
        snprintf(bounds, sizeof bounds, ", from %s to %s", least, most);
    if (!value_size(value, &n) || n < o->min || n > o->max)
        return wrong(what, "must be a number of bytes, or one with k, m or g, as in 64k%s", bounds);
    *member = n;
    return true;
}

/* Which of these names it is, the number of the first is 0; -1: none. */
static int index_of(const char *value, const char *const *names, int count)
{
    int i = count - 1;
    while (i >= 0 && strcmp(value, names[i]) != 0)
        i--;
    return i;
}

static bool set_level(const char *value, enum log_level *member, struct what what)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    int i = index_of(value, names, 4);
    if (i < 0)
        return wrong(what, "must be error, warn, info or debug");
    *member = (enum log_level)i;
    return true;
}

static bool set_log_format(const char *value, enum log_format *member, struct what what)
{
    static const char *const names[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};
    int i = index_of(value, names, 2);
    if (i < 0)
        return wrong(what, "must be text or json");
    *member = (enum log_format)i;
    return true;
}

/* Is it a word that somebody would not call a file by? */
static bool is_reserved(const char *value)
{
    static const char *const words[] = {"-",      "off",    "on",     "yes",  "no",
                                        "true",   "false",  "none",   "null", "stdout",
                                        "stderr", "syslog", "journal"};
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count && strcasecmp(value, words[i]) != 0)
        i++;
    return i < count;
}

static bool set_path(const char *value, const char *words, const char **member, struct what what)
{
    if (is_reserved(value))
        return wrong(what, "is no word here (%s, or a file's path); a file of that name is ./%s",
                     words, value);
    *member = value;
    return true;
}

static bool set_access_log(const char *value, const char **member, struct what what)
{
    if (!*value)
        return wrong(what, "must not be empty");
    if (strcmp(value, "off") != 0 && strcmp(value, "-") != 0)
        return set_path(value, "off, -", member, what);
    *member = value;
    return true;
}

static bool set_log(const char *value, const char **member, struct what what)
{
    static const char *const names[] = {"stderr", "syslog", "journal"};
    const char *nearest = strchr(value, '/') ? NULL : nearest_name(value, names, 3);
    if (!*value)
        return wrong(what, "must be stderr, syslog, journal or a file's path");
    if (nearest && strcmp(nearest, value) != 0)
        return wrong(what, "did you mean %s? A file of that name is ./%.200s", nearest, value);
    if (!nearest)
        return set_path(value, "stderr, syslog, journal", member, what);
    *member = value;
    return true;
}

static bool set_access_format(const char *value, const char **member, struct what what)
{
    struct access_format format;
    if (!access_format_read(&format, value, what.text, what.size))
        return false;
    *member = value;
    return true;
}

static bool set_preemption(const char *value, enum preemption *member, struct what what)
{
    static const char *const names[] = {
        [PREEMPT_AUTO] = "auto", [PREEMPT_YES] = "yes", [PREEMPT_NO] = "no"};
    int i = index_of(value, names, 3);
    if (i < 0)
        return wrong(what, "must be auto, yes or no");
    *member = (enum preemption)i;
    return true;
}

static bool set_text(const struct option *o, const char *value, const char **member,
                     struct what what)
{
    if (!*value)
        return wrong(what, "must not be empty");
    if (o->max && strlen(value) > (size_t)o->max)
        return wrong(what, "is longer than %lld bytes", (long long)o->max);
    *member = value;
    return true;
}

static bool add_set(const char *value, struct settings *s, struct what what)
{
    if (!strchr(value, '='))
        return wrong(what, "its value is missing, as in %.200s=VALUE", value);
    if (s->set_count == SETS_MAX)
        return wrong(what, "there are too many; %d are allowed", SETS_MAX);
    s->sets[s->set_count++] = value;
    return true;
}

static bool set_checked(const char *value, const char **member, bool is_right)
{
    if (is_right)
        *member = value;
    return is_right;
}

bool option_set(const struct option *o, const char *value, struct settings *s, char *text,
                size_t size)
{
    struct what what = {.text = text, .size = size};
    void *member = (char *)s + o->offset;
    switch (o->type) {
    case OPTION_ADDRESS: return set_address(value, s, what);
    case OPTION_ADMIN: return set_admin(value, s, what);
    case OPTION_TRUST: return set_trust(value, member, what);
    case OPTION_WORKERS:
    case OPTION_NUMBER: return set_number(o, value, member, what);
    case OPTION_SIZE: return set_size(o, value, member, what);
    case OPTION_DURATION: return set_duration(o, value, member, what);
    case OPTION_LEVEL: return set_level(value, member, what);
    case OPTION_LOG: return set_log(value, member, what);
    case OPTION_ACCESS_LOG: return set_access_log(value, member, what);
    case OPTION_LOG_FORMAT: return set_log_format(value, member, what);
    case OPTION_ACCESS_FORMAT: return set_access_format(value, member, what);
    case OPTION_PREEMPTION: return set_preemption(value, member, what);
    case OPTION_SET: return add_set(value, s, what);
    case OPTION_CONFIG: return wrong(what, "is for the command line");
    case OPTION_APP:
    case OPTION_TEXT: return set_text(o, value, member, what);
    case OPTION_YES_NO: return value_bool(value, member) || wrong(what, "must be yes or no");
    case OPTION_ON_OFF: return value_on_off(value, member) || wrong(what, "must be on or off");
    case OPTION_SITE_FIELD: return site_field(value, s, text, size);
    case OPTION_SITE_PAGE: return site_page(value, s, text, size);
    case OPTION_SITE_CACHE: return site_cache(value, s, text, size);
    case OPTION_HOST: return site_host(value, s, text, size);
    case OPTION_PREFIX: return set_checked(value, member, site_prefix(value, text, size));
    case OPTION_SITE_PATH: return set_checked(value, member, site_path(value, text, size));
    case OPTION_FIELD_VALUE: return set_checked(value, member, site_field_value(value, text, size));
    }
    return wrong(what, "has no type");
}
