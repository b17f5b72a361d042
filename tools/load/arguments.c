#include "load/arguments.h"

#include <stddef.h>
#include <stdio.h>

#include "load/pace.h"

/* 64 of them are a realistic load; the port numbers of one source end well below the bound. */
#define CLIENTS_DEFAULT 64
#define CLIENTS_MAX     100000

/* Deeper than any server answers in one write; the bytes of all of them are kept. */
#define PIPELINE_MAX 1024

/* 127.0.0.1 to 127.1.0.0: more would need more clients than CLIENTS_MAX to differ. */
#define SOURCES_MAX 65536

/* Milliseconds. */
#define HOUR             (UINT64_C(3600) * 1000)
#define DURATION_DEFAULT 10000
#define DURATION_MAX     (1000 * HOUR)
#define TIMEOUT_DEFAULT  5000
#define TIMEOUT_MAX      HOUR

#define AT(member) offsetof(struct arguments, member)

static const struct option options[] = {
    {.name = "clients",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(clients),
     .min = 1,
     .max = CLIENTS_MAX,
     .help = "clients that ask at the same time (64)"},
    {.name = "rate",
     .value = "N[/s|/m]",
     .kind = OPTION_RATE,
     .at = AT(per_minute),
     .min = 1,
     .max = PACE_RATE_MAX,
     .help = "open loop: a request is due that often, whatever became of those before;\n"
             "latency counts from then on (closed loop: as soon as a client is free)"},
    {.name = "duration",
     .value = "TIME",
     .kind = OPTION_DURATION,
     .at = AT(duration_ms),
     .min = 1,
     .max = DURATION_MAX,
     .help = "start no request after that time (10s; no limit with --requests)"},
    {.name = "requests",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(requests),
     .min = 1,
     .max = UINT64_MAX - 1,
     .help = "start no more requests than that, all clients together"},
    {.name = "close",
     .kind = OPTION_FLAG,
     .at = AT(close),
     .help = "a connection a request, instead of kept connections"},
    {.name = "pipeline",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(pipeline),
     .min = 1,
     .max = PIPELINE_MAX,
     .help = "up to N requests under way on each connection (1)"},
    {.name = "sources",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(sources),
     .min = 1,
     .max = SOURCES_MAX,
     .help = "spread the clients over N source addresses from 127.0.0.1 on\n"
             "(one, and the next when it has no port left)"},
    {.name = "unix",
     .value = "PATH",
     .kind = OPTION_TEXT,
     .at = AT(unix_path),
     .help = "connect to that unix socket (@NAME: abstract); the URL gives Host, path"},
    {.name = "timeout",
     .value = "TIME",
     .kind = OPTION_DURATION,
     .at = AT(timeout_ms),
     .min = 1,
     .max = TIMEOUT_MAX,
     .help = "a request without its whole answer after that is lost: silent (5s)"},
    {.name = "field",
     .value = "'NAME: VALUE'",
     .kind = OPTION_FIELD,
     .at = AT(fields),
     .help = "send this field with each request; may be repeated"},
    {.name = "expect-status",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(expect_status),
     .min = 101,
     .max = 999,
     .help = "another status is lost: wrong_status (200)"},
    {.name = "expect-length",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(expect_length),
     .min = 0,
     .max = UINT64_MAX - 1,
     .help = "another length of the body is lost: wrong_body"},
    {.name = "expect-same",
     .kind = OPTION_FLAG,
     .at = AT(expect_same),
     .help = "another length or checksum than the first right answer's is: wrong_body"},
    {.name = "expect-file",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .at = AT(expect_file),
     .help = "another length or checksum than this file's is: wrong_body"},
    {.name = "expect-checksum",
     .value = "HEX",
     .kind = OPTION_CHECKSUM,
     .at = AT(expect_checksum),
     .max = UINT32_MAX,
     .help = "another CRC-32 of the body is: wrong_body"},
    {.name = "max-lost",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(max_lost),
     .min = 0,
     .max = UINT64_MAX,
     .help = "exit status 0 with that many lost requests, too (0)"},
    {.name = "window",
     .value = "TIME",
     .kind = OPTION_DURATION,
     .at = AT(window_ms),
     .min = 1,
     .max = HOUR,
     .help = "report each such stretch of time, too: answered, lost, latencies"},
    {.name = "json", .kind = OPTION_FLAG, .at = AT(json), .help = "report as one JSON object"},
    {.name = "quiet",
     .kind = OPTION_FLAG,
     .at = AT(quiet),
     .help = "no progress line on a terminal"},
    {.name = "help", .kind = OPTION_FLAG, .at = AT(help), .help = "this text"},
    {.name = "version", .kind = OPTION_FLAG, .at = AT(version), .help = "the version"},
};

static const struct option_table table = {
    .program = "drover-load",
    .options = options,
    .count = sizeof options / sizeof *options,
};

static int read_url(void *into, const char *word)
{
    struct arguments *arguments = into;
    if (arguments->url) {
        fprintf(stderr, "drover-load: '%s': one URL is allowed, and '%s' came before it\n", word,
                arguments->url);
        return -1;
    }
    arguments->url = word;
    return 0;
}

/* Returns what contradicts itself, or NULL. */
static const char *contradiction(const struct arguments *a)
{
    bool length = a->expect_length != ARGUMENTS_NONE;
    bool checksum = a->expect_checksum != ARGUMENTS_NONE;
    if (!a->url)
        return "the URL is missing (see --help)";
    if (a->close && a->pipeline > 1)
        return "--pipeline and --close: a connection has either several requests or one";
    if (a->expect_file && (length || checksum))
        return "--expect-file says the length and the checksum already";
    if (a->expect_same && (a->expect_file || checksum))
        return "--expect-same: the checksum is that of the first answer or a given one";
    return NULL;
}

int arguments_read(struct arguments *arguments, int argc, char **argv)
{
    *arguments = (struct arguments){
        .clients = CLIENTS_DEFAULT,
        .requests = ARGUMENTS_NONE,
        .pipeline = 1,
        .expect_status = 200,
        .expect_length = ARGUMENTS_NONE,
        .expect_checksum = ARGUMENTS_NONE,
        .duration_ms = ARGUMENTS_NONE,
        .timeout_ms = TIMEOUT_DEFAULT,
    };
    if (option_table_read(&table, arguments, argc, argv, read_url) < 0)
        return -1;
    if (arguments->help || arguments->version)
        return 0;
    const char *wrong = contradiction(arguments);
    if (wrong) {
        fprintf(stderr, "drover-load: %s\n", wrong);
        return -1;
    }
    if (arguments->duration_ms == ARGUMENTS_NONE && arguments->requests == ARGUMENTS_NONE)
        arguments->duration_ms = DURATION_DEFAULT;
    return 0;
}

void arguments_free(struct arguments *arguments)
{
    buf_free(&arguments->fields.lines);
}

static const char help_head[] =
    "usage: drover-load [OPTIONS] http://HOST[:PORT][/PATH]\n"
    "Asks an HTTP/1.1 server, as fast as it answers or at a steady rate, and names every lost\n"
    "request's cause.\n";

static const char help_tail[] =
    "\nTIME is a whole number and ms, s, m or h. SIGINT and SIGTERM end the load early, and\n"
    "the report is printed; a second one ends the process. A second in which connections were\n"
    "refused, and none ever came to be, ends it, too.\n"
    "\n"
    "Causes of a loss:\n"
    "  refused          no connection came to be\n"
    "  reset            a new connection was reset before a byte of the answer\n"
    "  closed           a new connection ended before a byte of the answer\n"
    "  unanswered       a kept connection was reset or ended before a byte of the answer, or\n"
    "                   ended behind the answer to an earlier request\n"
    "  reset_in_answer  reset after the answer's first byte\n"
    "  cut_short        ended between the answer's first byte and its last\n"
    "  silent           no whole answer within --timeout, connecting included\n"
    "  wrong_status     whole, with another status than expected; the report says which\n"
    "  wrong_body       another length or checksum than expected, or bytes after its end\n"
    "  malformed        not HTTP/1\n"
    "What this machine could not do (no port, no descriptor) is counted as local, not lost. With\n"
    "--rate, what was due and found every client busy until the end is counted as unsent.\n"
    "\n"
    "Exit status: 0 lost at most --max-lost, 1 lost more, 64 wrong usage, 66 --expect-file cannot\n"
    "be read, 69 the server was not reached at all, 71 this machine could not make the load.";

void arguments_help(void)
{
    puts(help_head);
    option_table_help(&table);
    puts(help_tail);
}
