/* drover-lab claims - what is told, whether it holds here, and by what that was seen. */
#include "lab/claims/claims_run.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/utf8.h"
#include "lab/claims/claim.h"
#include "lab/cli/command.h"
#include "lab/kernel/machine.h"
#include "load/option.h"

/* Columns: the verdict's word, and the whole line where the terminal does not tell. */
#define INDENT        9
#define WIDTH_DEFAULT 96
#define WIDTH_MIN     40

static bool matches(const struct claim *claim, const char *pattern)
{
    return !pattern || strcasestr(claim->text, pattern);
}

size_t claims_count(const char *pattern)
{
    size_t count = 0;
    for (const struct claim *c = claims; c->text; c++)
        count += matches(c, pattern);
    return count;
}

/* --------------------------------------------------------------------------------- terminal */

static int width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < WIDTH_MIN)
        return WIDTH_DEFAULT;
    return size.ws_col;
}

/* no-color.org */
static bool is_coloured(void)
{
    const char *refused = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && !(refused && *refused);
}

/* Breaks at spaces. The cursor is in column INDENT. */
static void print_wrapped(const char *text, int columns)
{
    int at = INDENT;
    for (size_t n; *text; text += n + (text[n] == ' ')) {
        n = strcspn(text, " ");
        int needed = (int)utf8_count(text, n);
        if (at > INDENT && at + 1 + needed > columns) {
            printf("\n%*s", INDENT, "");
            at = INDENT;
        } else if (at > INDENT) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, text);
        at += needed;
    }
    putchar('\n');
}

static void print_finding(const struct claim *claim, const struct finding *finding)
{
    static const char *const colours[] = {[CLAIM_HOLDS] = "\033[32m",
                                          [CLAIM_FAILS] = "\033[31m",
                                          [CLAIM_DEPENDS] = "\033[33m",
                                          [CLAIM_UNKNOWN] = "\033[2m"};
    _Static_assert(sizeof colours / sizeof *colours == VERDICT_COUNT, "a colour a verdict");
    bool coloured = is_coloured();
    const char *name = verdict_name(finding->verdict);
    printf("%s%s%s%*s", coloured ? colours[finding->verdict] : "", name, coloured ? "\033[0m" : "",
           INDENT - (int)strlen(name), "");
    print_wrapped(claim->text, width());
    printf("%*s", INDENT, "");
    print_wrapped(finding->evidence, width());
    putchar('\n');
    fflush(stdout);
}

static void print_sum(const unsigned counts[VERDICT_COUNT])
{
    unsigned all = 0;
    for (int i = 0; i < VERDICT_COUNT; i++)
        all += counts[i];
    printf("%u claim%s: %u hold%s, %u fail%s, %u depend%s on something, %u could not be tried.\n",
           all, all == 1 ? "" : "s", counts[CLAIM_HOLDS], counts[CLAIM_HOLDS] == 1 ? "s" : "",
           counts[CLAIM_FAILS], counts[CLAIM_FAILS] == 1 ? "s" : "", counts[CLAIM_DEPENDS],
           counts[CLAIM_DEPENDS] == 1 ? "s" : "", counts[CLAIM_UNKNOWN]);
}

/* ------------------------------------------------------------------------------------- line */

static json_t *line_of(const struct claim *claim, const struct finding *finding, bool is_quick)
{
    json_t *object = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:b}", "kind", "claim", "text",
                               claim->text, "source", claim->source, "verdict",
                               verdict_name(finding->verdict), "evidence", finding->evidence,
                               "quick", (int)is_quick);
    if (object)
        machine_add(object);
    return object;
}

/* ---------------------------------------------------------------------------------- running */

int claims_run(struct output *output, const char *pattern, bool is_quick)
{
    unsigned counts[VERDICT_COUNT] = {0};
    size_t total = claims_count(pattern);
    output_expect(output, (unsigned)total, (double)total);
    for (const struct claim *c = claims; c->text; c++) {
        struct finding finding;
        if (!matches(c, pattern))
            continue;
        output_begin(output, "claim", c->text, 0);
        if (claim_try(c, &finding, is_quick) < 0)
            return -1;
        output_line(output, line_of(c, &finding, is_quick));
        output_end(output, 1);
        counts[finding.verdict]++;
        output_erase(output);
        if (!output->is_quiet)
            print_finding(c, &finding);
    }
    if (!output->is_quiet)
        print_sum(counts);
    return 0;
}

/* ------------------------------------------------------------------------------ the command */

struct request {
    const char *pattern;
    const char *out;
    bool is_quick, json, help;
};

static const struct option options[] = {
    {.name = "out",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .at = offsetof(struct request, out),
     .help = "a JSON object a claim, one a line; -: standard output, and no text"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .at = offsetof(struct request, json),
     .help = "the same as --out -"},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .at = offsetof(struct request, is_quick),
     .help = "shorter experiments, for a look"},
    {.name = "help",
     .kind = OPTION_FLAG,
     .at = offsetof(struct request, help),
     .help = "this text"},
};

static const struct option_table table = {
    .program = "drover-lab: claims",
    .options = options,
    .count = sizeof options / sizeof *options,
};

static int take_word(void *into, const char *word)
{
    struct request *request = into;
    if (request->pattern) {
        fprintf(stderr,
                "drover-lab: claims '%s': one pattern is allowed, and '%s' came before it\n", word,
                request->pattern);
        return -1;
    }
    request->pattern = word;
    return 0;
}

static int help(void)
{
    puts("usage: drover-lab claims [PATTERN] [OPTIONS]\n"
         "Tries what is told about listeners, epoll and I/O models: whether it holds on this "
         "kernel,\n"
         "and what was measured. PATTERN: the claims that have these words in them.\n");
    option_table_help(&table);
    puts("\nExit status: 0; 64 wrong usage; 71 no process to be had; 73, 74 FILE cannot be "
         "written.");
    return EX_OK;
}

static int run(const struct request *request, const char *path)
{
    struct output output;
    if (output_open(&output, path) < 0) {
        fprintf(stderr, "drover-lab: %s: %s\n", path, strerror(errno));
        return EX_CANTCREAT;
    }
    int done = claims_run(&output, request->pattern, request->is_quick);
    if (done < 0)
        output_warn(&output, "claims: %s", strerror(errno));
    if (output_close(&output) < 0)
        return EX_IOERR;
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("drover-lab: claims: standard output cannot be written\n", stderr);
        return EX_IOERR;
    }
    return done < 0 ? EX_OSERR : EX_OK;
}

int command_claims(int argc, char **argv)
{
    struct request request = {.pattern = NULL};
    if (option_table_read(&table, &request, argc, argv, take_word) < 0)
        return EX_USAGE;
    if (request.help)
        return help();
    if (request.json && request.out && strcmp(request.out, "-") != 0) {
        fputs("drover-lab: claims --json and --out: the lines go to one place\n", stderr);
        return EX_USAGE;
    }
    if (claims_count(request.pattern) == 0) {
        fprintf(stderr,
                "drover-lab: claims '%s': no claim has these words; `drover-lab list claims` has "
                "them all\n",
                request.pattern);
        return EX_USAGE;
    }
    return run(&request, request.json ? "-" : request.out);
}
