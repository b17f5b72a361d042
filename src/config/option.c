#include "config/option.h"

#include <limits.h>
#include <string.h>

#include "config/site.h"

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
