#include "config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "config/address.h"
#include "config/identity.h"
#include "config/nearest.h"
#include "config/site.h"
#include "config/values.h"
#include "os/cpus.h"

#define HOUR (60 * 60 * 1000LL)

enum option_type {
    ADDRESS,
    TRUST,
    WORKERS,
    TEXT,
    NUMBER,
    SIZE,
    DURATION,
    YES_NO,
    LEVEL,
    APP,
    SET,
    FIELD_VALUE,
    SITE_FIELD, /* may be repeated */
    SITE_PAGE,  /* the same */
    SITE_PATH,
};

struct option {
    const char *name;
    enum option_type type;
    const char *argument; /* how --help calls the value */
    const char *fallback; /* the default; NULL: none */
    const char *shown;    /* the default, in words; NULL: as it is */
    int64_t min, max;     /* of a number, of a size in bytes, of a duration in milliseconds */
    size_t offset;        /* in struct settings */
    const char *help;
};

#define AT(member) offsetof(struct settings, member)

static const struct option options[] = {
    {"listen", ADDRESS, "ADDR", "127.0.0.1:8080", NULL, 0, 0, AT(addresses),
     "where clients come in: HOST:PORT, :PORT, [V6]:PORT, unix:/path, unix:@name; then, each "
     "after a comma, backlog=N, defer=no, proxy (a PROXY header must come first); may be repeated"},
    {"trust-proxy", TRUST, "NETWORK", NULL, "nobody", 0, 0, AT(trusted),
     "whose X-Forwarded-For is taken for the client's address: an address, a network as in "
     "10.0.0.0/8, or unix for all that come by a unix socket; may be repeated"},
    {"workers", WORKERS, "N", "auto", NULL, 1, SLOTS_MAX, AT(workers),
     "how many processes serve; auto: as many as the CPUs that drover may use"},
    {"app", APP, "NAME", "static", NULL, 0, 0, AT(app),
     "what answers: static, echo, hello, tcp-echo, status, or a module's path, as in ./it.so"},
    {"set", SET, "NAME=VALUE", NULL, "the application's", 0, 0, AT(sets),
     "a key of the application; may be repeated; --app NAME --help lists them"},
    {"ready-fd", NUMBER, "N", NULL, "off", 0, INT_MAX, AT(ready_fd),
     "once every worker accepts, the addresses, one a line, are written to this descriptor and it "
     "is closed"},
    {"pidfile", TEXT, "FILE", NULL, "off", 0, 0, AT(pidfile),
     "the master's pid; locked, so that a second one is refused"},
    {"user", TEXT, "NAME", NULL, "as started", 0, 0, AT(user), "who the workers run as"},
    {"group", TEXT, "NAME", NULL, "the user's", 0, 0, AT(group), "and their group"},
    {"max-connections", NUMBER, "N", "10000", NULL, 1, 1000000, AT(max_connections),
     "open connections of one worker; more wait in the queue"},
    {"max-requests", NUMBER, "N", "0", "no bound", 0, INT64_MAX, AT(max_requests),
     "answers of one worker before a fresh one replaces it, up to a tenth more or less"},
    {"max-rss", SIZE, "SIZE", "0", "no bound", 0, INT64_MAX, AT(max_rss),
     "resident memory of one worker before a fresh one replaces it"},
    {"connection-requests", NUMBER, "N", "0", "no bound", 0, UINT32_MAX, AT(connection_requests),
     "answers on one connection before it is closed"},
    {"max-body", SIZE, "SIZE", "1m", NULL, 0, INT64_MAX, AT(max_body),
     "bytes of a request's body; a longer one gets 413, unless the application takes it as it "
     "comes"},
    {"header-timeout", DURATION, "TIME", "10s", NULL, 0, 24 * HOUR, AT(header_timeout),
     "for a request's head, from its first byte on"},
    {"body-timeout", DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(body_timeout),
     "for a request's body, or each further 16 KiB of it"},
    {"answer-timeout", DURATION, "TIME", "60s", NULL, 0, 24 * HOUR, AT(answer_timeout),
     "for an application that has deferred its answer; the client gets a 503 then"},
    {"send-timeout", DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(send_timeout),
     "for a client to take all that waits for it, or each 16 KiB of it"},
    {"idle-timeout", DURATION, "TIME", "75s", NULL, 0, 24 * HOUR, AT(idle_timeout),
     "for the next request on a kept connection"},
    {"drain-timeout", DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(drain_timeout),
     "how long a worker that leaves finishes what it has"},
    {"start-timeout", DURATION, "TIME", "10s", NULL, 0, 24 * HOUR, AT(start_timeout),
     "how long a worker may take until it accepts"},
    {"hang-timeout", DURATION, "TIME", "30s", NULL, 0, 24 * HOUR, AT(hang_timeout),
     "how long a worker that hangs, or was stopped, may stay; its slot is served by others at "
     "once"},
    {"lame-duck", DURATION, "TIME", "0s", "none", 0, HOUR, AT(lame_duck),
     "how long a stop goes on accepting before it begins"},
    {"log-level", LEVEL, "LEVEL", "info", NULL, 0, 0, AT(log_level), "error, warn, info or debug"},
};

/* What only the static site has. */
static const struct option site_options[] = {
    {"root", TEXT, "DIR", ".", NULL, 0, 0, AT(root),
     "what is served; the same as the argument ROOT"},
    {"listing", YES_NO, "yes|no", "yes", NULL, 0, 0, AT(listing),
     "list directories that have no index.html"},
    {"dot-files", YES_NO, "yes|no", "no", NULL, 0, 0, AT(dot_files),
     "serve and list names that start with a dot"},
    {"precompressed", YES_NO, "yes|no", "yes", NULL, 0, 0, AT(precompressed),
     "send NAME.br, NAME.zst or NAME.gz, if it is there and not older, to clients that take it for "
     "NAME"},
    {"cache-control", FIELD_VALUE, "VALUE", NULL, "none", 0, 0, AT(cache_control),
     "Cache-Control of files, as in \"max-age=3600\""},
    {"field", SITE_FIELD, "'NAME: VALUE'", NULL, "none", 0, 0, AT(fields),
     "a field of every answer, errors and redirects among them; may be repeated"},
    {"error-page", SITE_PAGE, "STATUS=/PATH", NULL, "drover's own", 0, 0, AT(pages),
     "the file below ROOT that is the page for a status, 400 to 599; at most 64 KiB; HUP reads it "
     "anew; may be repeated"},
    {"fallback", SITE_PATH, "/PATH", NULL, "off", 0, 0, AT(fallback),
     "the file below ROOT that answers, with 200, for pages that are not there: a single-page "
     "application; a name with a dot in its last segment stays 404"},
};

#define SERVER_OPTIONS (sizeof options / sizeof *options)
#define OPTION_COUNT   (SERVER_OPTIONS + sizeof site_options / sizeof *site_options)

/* The server's first. */
static const struct option *option_at(size_t i)
{
    return i < SERVER_OPTIONS ? &options[i] : &site_options[i - SERVER_OPTIONS];
}

static bool is_site(size_t i)
{
    return i >= SERVER_OPTIONS;
}

static int wrong(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, OPTIONS_WHY_SIZE, format, args);
    va_end(args);
    return EX_USAGE;
}

/* ------------------------------------------------------------------------------ the values */

static int set_address(const struct option *o, const char *value, struct settings *s, char *why)
{
    char what[OPTIONS_WHY_SIZE / 2];
    size_t have = (size_t)s->address_count;
    size_t n = address_parse(value, s->addresses + have, ADDRESSES_MAX - have, what, sizeof what);
    if (n == 0)
        return wrong(why, "--%s %.200s: %s", o->name, value, what);
    s->address_count += (int)n;
    return 0;
}

static int set_trust(const struct option *o, const char *value, struct forwarded_rules *rules,
                     char *why)
{
    if (strcmp(value, "unix") == 0) {
        rules->trusts_unix = true;
        return 0;
    }
    if (rules->count == FORWARDED_NETWORKS_MAX)
        return wrong(why, "--%s %.200s: there are too many; %d are allowed", o->name, value,
                     FORWARDED_NETWORKS_MAX);
    const char *what = ip_network_parse(span_of(value), &rules->networks[rules->count]);
    if (what)
        return wrong(why, "--%s %.200s: %s", o->name, value, what);
    rules->count++;
    return 0;
}

static int set_number(const struct option *o, const char *value, int64_t *member, char *why)
{
    int64_t n;
    bool is_auto = o->type == WORKERS && strcmp(value, "auto") == 0;
    if (is_auto)
        n = cpus_usable() < SLOTS_MAX ? cpus_usable() : SLOTS_MAX;
    else if (!value_number(value, &n) || n < o->min || n > o->max)
        return wrong(why, "--%s %.200s: must be %sa whole number from %lld to %lld", o->name, value,
                     o->type == WORKERS ? "\"auto\" or " : "", (long long)o->min,
                     (long long)o->max);
    *member = n;
    return 0;
}

static int set_duration(const struct option *o, const char *value, int64_t *member, char *why)
{
    char most[32];
    int64_t n;
    value_print_duration(o->max, most, sizeof most);
    if (!value_duration(value, &n) || n > o->max)
        return wrong(
            why,
            "--%s %.200s: must be a number with ms, s, m or h, as in 250ms or 10s, at most "
            "%s; 0 is never",
            o->name, value, most);
    *member = n;
    return 0;
}

static int set_size(const struct option *o, const char *value, int64_t *member, char *why)
{
    char least[32], most[32], bounds[80] = "";
    int64_t n;
    value_print_size(o->min, least, sizeof least);
    value_print_size(o->max, most, sizeof most);
    if (o->max < INT64_MAX)
        snprintf(bounds, sizeof bounds, ", from %s to %s", least, most);
    if (!value_size(value, &n) || n < o->min || n > o->max)
        return wrong(why,
                     "--%s %.200s: must be a number of bytes, or one with k, m or g, as in 64k%s",
                     o->name, value, bounds);
    *member = n;
    return 0;
}

static int set_level(const struct option *o, const char *value, enum log_level *member, char *why)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            *member = (enum log_level)i;
            return 0;
        }
    return wrong(why, "--%s %.200s: must be error, warn, info or debug", o->name, value);
}

static int set_text(const struct option *o, const char *value, const char **member, char *why)
{
    if (!*value)
        return wrong(why, "--%s: must not be empty", o->name);
    *member = value;
    return 0;
}

static int add_set(const char *value, struct settings *s, char *why)
{
    if (!strchr(value, '='))
        return wrong(why, "--set %.200s: its value is missing, as in --set %.200s=VALUE", value,
                     value);
    if (s->set_count == SETS_MAX)
        return wrong(why, "--set %.200s: there are too many; %d are allowed", value, SETS_MAX);
    s->sets[s->set_count++] = value;
    return 0;
}

static int set_site(const struct option *o, const char *value, struct settings *s, void *member,
                    char *why)
{
    char what[OPTIONS_WHY_SIZE / 2];
    bool is_right;
    switch (o->type) {
    case SITE_FIELD: is_right = site_field(value, s, what, sizeof what); break;
    case SITE_PAGE: is_right = site_page(value, s, what, sizeof what); break;
    case SITE_PATH: is_right = site_path(value, what, sizeof what); break;
    default: is_right = site_field_value(value, what, sizeof what); break;
    }
    if (!is_right)
        return wrong(why, "--%s %.200s: %s", o->name, value, what);
    if (o->type == SITE_PATH || o->type == FIELD_VALUE)
        *(const char **)member = value;
    return 0;
}

static int set(const struct option *o, const char *value, struct settings *s, char *why)
{
    void *member = (char *)s + o->offset;
    switch (o->type) {
    case ADDRESS: return set_address(o, value, s, why);
    case TRUST: return set_trust(o, value, member, why);
    case WORKERS:
    case NUMBER: return set_number(o, value, member, why);
    case SIZE: return set_size(o, value, member, why);
    case DURATION: return set_duration(o, value, member, why);
    case LEVEL: return set_level(o, value, member, why);
    case SET: return add_set(value, s, why);
    case APP:
    case TEXT: return set_text(o, value, member, why);
    case YES_NO:
        if (value_bool(value, member))
            return 0;
        return wrong(why, "--%s %.200s: must be yes or no", o->name, value);
    case FIELD_VALUE:
    case SITE_FIELD:
    case SITE_PAGE:
    case SITE_PATH: return set_site(o, value, s, member, why);
    }
    return EX_SOFTWARE;
}

void options_defaults(struct settings *settings)
{
    char why[OPTIONS_WHY_SIZE];
    memset(settings, 0, sizeof *settings);
    settings->program = "drover serve";
    settings->ready_fd = -1;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = option_at(i);
        if (o->fallback && o->type != ADDRESS)
            set(o, o->fallback, settings, why);
    }
}

/* ------------------------------------------------------------------------ the command line */

/* Is it an option of this program? drover_main() has an application, which is not the site. */
static bool is_offered(size_t i, const struct settings *settings)
{
    return settings->app || !(is_site(i) || option_at(i)->type == APP);
}

static int unknown(const char *typed, size_t n, const struct settings *settings, char *why)
{
    const char *names[OPTION_COUNT];
    char name[64];
    size_t count = 0;
    snprintf(name, sizeof name, "%.*s", (int)n, typed);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (is_offered(i, settings))
            names[count++] = option_at(i)->name;
    const char *nearest = nearest_name(name, names, count);
    if (nearest)
        return wrong(why, "--%s: there is no such option; did you mean --%s?", name, nearest);
    return wrong(why, "--%s: there is no such option; %.100s --help lists them", name,
                 settings->program);
}

static int not_offered(const struct option *o, const struct settings *settings, char *why)
{
    if (o->type == APP)
        return wrong(why, "--app is for drover serve; %.100s is an application", settings->program);
    return wrong(why, "--%s is for the static site", o->name);
}

/* `name`: what follows the two dashes. `next`: the argument after it, NULL at the end. */
static int read_option(const char *name, const char *next, bool *took_next,
                       struct settings *settings, char *why)
{
    size_t n = strcspn(name, "=");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option *o = option_at(i);
        if (strlen(o->name) != n || memcmp(o->name, name, n) != 0)
            continue;
        if (!is_offered(i, settings))
            return not_offered(o, settings, why);
        *took_next = name[n] != '=';
        if (*took_next && !next)
            return wrong(why, "--%s: its value is missing, as in --%s %s", o->name, o->name,
                         o->argument);
        if (is_site(i) && !settings->site_option)
            settings->site_option = o->name;
        return set(o, *took_next ? next : name + n + 1, settings, why);
    }
    return unknown(name, n, settings, why);
}

/* Only the static site has a root, and what belongs to it. */
static int check_app(struct settings *settings, const char *root, char *why)
{
    if (settings->app && strcmp(settings->app, "static") == 0)
        return 0;
    if (root)
        return wrong(why, "%.200s: a ROOT is for the static site, not for --app %.200s", root,
                     settings->app);
    if (settings->site_option)
        return wrong(why, "--%s is for the static site, not for --app %.200s",
                     settings->site_option, settings->app);
    settings->root = NULL;
    return 0;
}

static int read_arguments(struct settings *settings, int argc, char *const argv[], char *why)
{
    const char *root = NULL;
    bool only_root = false; /* after "--" */
    for (int i = 0; i < argc; i++) {
        bool took_next = false;
        if (!only_root && strcmp(argv[i], "--") == 0) {
            only_root = true;
        } else if (!only_root && strncmp(argv[i], "--", 2) == 0) {
            int status = read_option(argv[i] + 2, argv[i + 1], &took_next, settings, why);
            if (status)
                return status;
            i += took_next;
        } else if (!only_root && argv[i][0] == '-' && argv[i][1]) {
            return wrong(why, "%.200s: there is no such option; options have two dashes", argv[i]);
        } else if (!settings->app) {
            return wrong(why, "%.200s: an argument is for the static site; %.100s takes options",
                         argv[i], settings->program);
        } else if (root) {
            return wrong(why, "%.200s: ROOT was given already: %.200s", argv[i], root);
        } else {
            root = argv[i];
        }
    }
    if (root)
        settings->root = root;
    return check_app(settings, root, why);
}

static int check_root(const struct settings *settings, char *why)
{
    struct stat st;
    if (stat(settings->root, &st) < 0) {
        wrong(why, "ROOT %.300s: %s", settings->root, strerror(errno));
        return errno == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (S_ISDIR(st.st_mode))
        return 0;
    size_t n = strlen(settings->root);
    bool is_module = n > 3 && strcmp(settings->root + n - 3, ".so") == 0;
    wrong(why, "ROOT %.300s: is not a directory%s", settings->root,
          is_module ? "; a module is named with --app" : "");
    return EX_NOINPUT;
}

int options_read(struct settings *settings, int argc, char *const argv[],
                 char why[OPTIONS_WHY_SIZE])
{
    int status = read_arguments(settings, argc, argv, why);
    if (status)
        return status;
    if (settings->address_count == 0) {
        status = set(&options[0], options[0].fallback, settings, why);
        if (status)
            return status;
    }
    if (settings->ready_fd >= 0 && !settings->is_reload &&
        fcntl((int)settings->ready_fd, F_GETFD) < 0)
        return wrong(why, "--ready-fd %lld: is not an open descriptor",
                     (long long)settings->ready_fd);
    status = identity_resolve(settings->user, settings->group, &settings->identity, why,
                              OPTIONS_WHY_SIZE);
    return status || !settings->root ? status : check_root(settings, why);
}

/* --------------------------------------------------------------------------------- the help */

/* Breaks a line of help at spaces. */
static void print_wrapped(FILE *to, const char *text, int indent, int width)
{
    while (*text) {
        int n = (int)strlen(text);
        if (n > width) {
            n = width;
            while (n > 0 && text[n] != ' ')
                n--;
        }
        fprintf(to, "%*s%.*s\n", indent, "", n, text);
        text += n;
        text += *text == ' ';
    }
}

void options_print_row(FILE *to, const char *row, const char *fallback, const char *help)
{
    fprintf(to, "  --%s   (default: %s)\n", row, fallback);
    print_wrapped(to, help, 8, 72);
}

void options_print(FILE *to, const struct settings *settings)
{
    char row[64];
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!is_offered(i, settings))
            continue;
        if (i == 0)
            fprintf(to, "The server:\n");
        if (i == SERVER_OPTIONS)
            fprintf(to, "\nThe static site:\n");
        const struct option *o = option_at(i);
        snprintf(row, sizeof row, "%s %s", o->name, o->argument);
        options_print_row(to, row, o->shown ? o->shown : o->fallback, o->help);
    }
}
