#include "load/arguments.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

/* 64 of them are a realistic load; the port numbers of one source end well below the bound. */
#define CLIENTS_DEFAULT 64
#define CLIENTS_MAX     100000

/* 127.0.0.1 to 127.1.0.0: more would need more clients than CLIENTS_MAX to differ. */
#define SOURCES_MAX 65536

/* Milliseconds. */
#define HOUR             (UINT64_C(3600) * 1000)
#define DURATION_DEFAULT 10000
#define DURATION_MAX     (1000 * HOUR)
#define TIMEOUT_DEFAULT  5000
#define TIMEOUT_MAX      HOUR

enum kind { KIND_FLAG, KIND_NUMBER, KIND_DURATION, KIND_TEXT, KIND_FIELD, KIND_COUNT };

struct row {
    const char *name;
    const char *value; /* as the help shows it; NULL for a flag */
    enum kind kind;
    size_t at; /* the member of struct arguments */
    uint64_t min, max;
    const char *help;
};

#define AT(member) offsetof(struct arguments, member)

static const struct row rows[] = {
    {.name = "clients",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(clients),
     .min = 1,
     .max = CLIENTS_MAX,
     .help = "clients that ask at the same time (64)"},
    {.name = "duration",
     .value = "TIME",
     .kind = KIND_DURATION,
     .at = AT(duration_ms),
     .min = 1,
     .max = DURATION_MAX,
     .help = "start no request after that time (10s; no limit with --requests)"},
    {.name = "requests",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(requests),
     .min = 1,
     .max = UINT64_MAX - 1,
     .help = "start no more requests than that, all clients together"},
    {.name = "close",
     .kind = KIND_FLAG,
     .at = AT(close),
     .help = "a connection a request, instead of kept connections"},
    {.name = "sources",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(sources),
     .min = 1,
     .max = SOURCES_MAX,
     .help = "spread the clients over N source addresses from 127.0.0.1 on"},
    {.name = "unix",
     .value = "PATH",
     .kind = KIND_TEXT,
     .at = AT(unix_path),
     .help = "connect to that unix socket (@NAME: abstract); the URL gives Host and path"},
    {.name = "timeout",
     .value = "TIME",
     .kind = KIND_DURATION,
     .at = AT(timeout_ms),
     .min = 1,
     .max = TIMEOUT_MAX,
     .help = "a request without its whole answer after that is lost: silent (5s)"},
    {.name = "expect-status",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(expect_status),
     .min = 101,
     .max = 999,
     .help = "another status is lost: wrong_status (200)"},
    {.name = "expect-length",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(expect_length),
     .min = 0,
     .max = UINT64_MAX - 1,
     .help = "another length of the body is lost: wrong_body"},
    {.name = "field",
     .value = "'NAME: VALUE'",
     .kind = KIND_FIELD,
     .at = AT(fields),
     .help = "send this field with each request; may be repeated"},
    {.name = "max-lost",
     .value = "N",
     .kind = KIND_NUMBER,
     .at = AT(max_lost),
     .min = 0,
     .max = UINT64_MAX,
     .help = "exit status 0 with that many lost requests, too (0)"},
    {.name = "json", .kind = KIND_FLAG, .at = AT(json), .help = "report as one JSON object"},
    {.name = "quiet", .kind = KIND_FLAG, .at = AT(quiet), .help = "no progress line on a terminal"},
    {.name = "help", .kind = KIND_FLAG, .at = AT(help), .help = "this text"},
    {.name = "version", .kind = KIND_FLAG, .at = AT(version), .help = "the version"},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

/* Each reader returns NULL, or what is wrong with the text. */
typedef const char *reader(const struct row *row, struct arguments *arguments, const char *text);

static void *member(const struct row *row, struct arguments *arguments)
{
    return (char *)arguments + row->at;
}

static const char *read_flag(const struct row *row, struct arguments *arguments, const char *text)
{
    if (text)
        return "takes no value";
    *(bool *)member(row, arguments) = true;
    return NULL;
}

static const char *read_text(const struct row *row, struct arguments *arguments, const char *text)
{
    *(const char **)member(row, arguments) = text;
    return NULL;
}

static const char *store(const struct row *row, struct arguments *arguments, uint64_t value)
{
    if (value < row->min)
        return "too small";
    if (value > row->max)
        return "too large";
    *(uint64_t *)member(row, arguments) = value;
    return NULL;
}

static const char *read_number(const struct row *row, struct arguments *arguments, const char *text)
{
    uint64_t value;
    if (!span_to_u64(span_of(text), &value))
        return "not a whole number";
    return store(row, arguments, value);
}

static const char *read_duration(const struct row *row, struct arguments *arguments,
                                 const char *text)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", HOUR / 60}, {"h", HOUR}};
    size_t digits = strspn(text, "0123456789");
    uint64_t value;
    if (!span_to_u64((struct span){.p = text, .n = digits}, &value))
        return "not a duration";
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(value, units[i].ms, &value))
            return "too large";
        return store(row, arguments, value);
    }
    return text[digits] ? "unknown unit" : "the unit is missing";
}

/* What a token may hold (RFC 9110, 5.6.2). */
static bool is_token(struct span name)
{
    static const char others[] = "!#$%&'*+-.^_`|~0123456789";
    for (size_t i = 0; i < name.n; i++) {
        char lower = (char)(name.p[i] | 0x20);
        if ((lower < 'a' || lower > 'z') && !strchr(others, name.p[i]))
            return false;
    }
    return name.n > 0;
}

static const char *read_field(const struct row *row, struct arguments *arguments, const char *text)
{
    struct buf *fields = member(row, arguments);
    struct span name = {.p = text, .n = strcspn(text, ":")};
    if (text[name.n] != ':' || !is_token(name))
        return "not a field";
    for (const char *c = text; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return "a control character in it would break the request";
    arguments->has_host = arguments->has_host || span_eq_nocase(name, SPAN("host"));
    buf_str(fields, text);
    buf_lit(fields, "\r\n");
    return fields->failed ? "out of memory" : NULL;
}

static reader *const readers[] = {
    [KIND_FLAG] = read_flag, [KIND_NUMBER] = read_number, [KIND_DURATION] = read_duration,
    [KIND_TEXT] = read_text, [KIND_FIELD] = read_field,
};
_Static_assert(sizeof readers / sizeof *readers == KIND_COUNT, "a reader a kind");

/* What would have been right, after an error. */
static void tell_allowed(const struct row *row)
{
    if (row->kind == KIND_NUMBER && row->max >= UINT64_MAX - 1)
        fprintf(stderr, " (allowed: a whole number from %" PRIu64 " on)", row->min);
    else if (row->kind == KIND_NUMBER)
        fprintf(stderr, " (allowed: %" PRIu64 " to %" PRIu64 ")", row->min, row->max);
    else if (row->kind == KIND_DURATION)
        fprintf(stderr, " (allowed: 1ms to %" PRIu64 "h; units: ms, s, m, h)", row->max / HOUR);
    else if (row->value)
        fprintf(stderr, " (allowed: %s)", row->value);
}

static int complain(const struct row *row, const char *text, const char *wrong)
{
    fprintf(stderr, "drover-load: --%s", row->name);
    if (text)
        fprintf(stderr, " '%s'", text);
    fprintf(stderr, ": %s", wrong);
    tell_allowed(row);
    fputc('\n', stderr);
    return -1;
}

static const struct row *find(struct span name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (span_eq(name, span_of(rows[i].name)))
            return &rows[i];
    return NULL;
}

/* Reads "--name=value", or "--name" and, where it takes one, the value in argv[*i + 1]. */
static int read_option(struct arguments *arguments, char **argv, int *i)
{
    const char *word = argv[*i];
    size_t n = strcspn(word, "=");
    const struct row *row = n > 2 ? find((struct span){.p = word + 2, .n = n - 2}) : NULL;
    if (!row || word[1] != '-') {
        fprintf(stderr, "drover-load: '%s': no such option (see --help)\n", word);
        return -1;
    }
    const char *text = word[n] ? word + n + 1 : NULL;
    if (!text && row->value) {
        text = argv[*i + 1]; /* argv ends with NULL */
        if (!text)
            return complain(row, NULL, "needs a value");
        ++*i;
    }
    const char *wrong = readers[row->kind](row, arguments, text);
    return wrong ? complain(row, text, wrong) : 0;
}

static int read_url(struct arguments *arguments, const char *word)
{
    if (arguments->url) {
        fprintf(stderr, "drover-load: '%s': one URL is allowed, and '%s' came before it\n", word,
                arguments->url);
        return -1;
    }
    arguments->url = word;
    return 0;
}

static int read_words(struct arguments *arguments, int argc, char **argv)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        int done = 0;
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-')
            done = read_option(arguments, argv, &i);
        else
            done = read_url(arguments, argv[i]);
        if (done < 0)
            return -1;
    }
    return 0;
}

int arguments_read(struct arguments *arguments, int argc, char **argv)
{
    *arguments = (struct arguments){
        .clients = CLIENTS_DEFAULT,
        .requests = UINT64_MAX,
        .sources = 1,
        .expect_status = 200,
        .expect_length = UINT64_MAX,
        .duration_ms = UINT64_MAX,
        .timeout_ms = TIMEOUT_DEFAULT,
    };
    if (read_words(arguments, argc, argv) < 0)
        return -1;
    if (arguments->help || arguments->version)
        return 0;
    if (!arguments->url) {
        fputs("drover-load: the URL is missing (see --help)\n", stderr);
        return -1;
    }
    if (arguments->duration_ms == UINT64_MAX && arguments->requests == UINT64_MAX)
        arguments->duration_ms = DURATION_DEFAULT;
    return 0;
}

void arguments_free(struct arguments *arguments)
{
    buf_free(&arguments->fields);
}

static void help_row(const struct row *row)
{
    int n = printf("  --%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    printf("%*s%s\n", n < 25 ? 25 - n : 1, "", row->help);
}

void arguments_help(void)
{
    puts("usage: drover-load [OPTIONS] http://HOST[:PORT][/PATH]\n"
         "Asks an HTTP/1.1 server as fast as it answers, and names every lost request's cause.\n");
    for (size_t i = 0; i < ROW_COUNT; i++)
        help_row(&rows[i]);
    puts("\nTIME is a whole number and ms, s, m or h. SIGINT and SIGTERM end the load early, and\n"
         "the report is printed; a second one ends the process.\n"
         "\n"
         "Causes of a loss:\n"
         "  refused          no connection came to be\n"
         "  reset            a new connection was reset before a byte of the answer\n"
         "  closed           a new connection ended before a byte of the answer\n"
         "  unanswered       a kept connection was reset or ended before a byte of the answer\n"
         "  reset_in_answer  reset after the answer's first byte\n"
         "  cut_short        ended between the answer's first byte and its last\n"
         "  silent           no whole answer within --timeout, connecting included\n"
         "  wrong_status     whole, with another status than expected\n"
         "  wrong_body       another length than expected, or bytes after the answer's end\n"
         "  malformed        not HTTP/1\n"
         "What this machine could not do (no port, no descriptor) is counted as local, not lost.\n"
         "\n"
         "Exit status: 0 lost at most --max-lost, 1 lost more, 64 wrong usage, 69 the server was\n"
         "not reached at all, 71 this machine could not make the load.");
}
