/*
 * drover-lab diff: two result files side by side, and what has changed beyond the spread.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lab/cli/command.h"
#include "lab/report/comparison.h"
#include "lab/report/html.h"
#include "load/option.h"

struct diff_arguments {
    const char *paths[2];
    int count;
    bool help;
};

static const struct option options[] = {
    {.name = "help",
     .kind = OPTION_FLAG,
     .at = offsetof(struct diff_arguments, help),
     .help = "this text"},
};
static const struct option_table table = {
    .program = "drover-lab diff", .options = options, .count = sizeof options / sizeof *options};

/* ---- what was different before anything was measured ------------------------------------------
 */

/* Several values in one file are told as so many. */
#define VALUES_MAX 4

struct values {
    char text[VALUES_MAX][160];
    size_t count; /* VALUES_MAX + 1: more */
};

static void gather_values(struct values *values, const struct results *results, const char *field)
{
    values->count = 0;
    for (size_t i = 0; i < results->count && values->count <= VALUES_MAX; i++) {
        char room[160];
        const char *text = result_text(&results->rows[i], field, room, sizeof room);
        bool is_known = !*text || !result_is_measurement(&results->rows[i]);
        for (size_t j = 0; j < values->count && !is_known; j++)
            is_known = strncmp(values->text[j], text, sizeof values->text[j] - 1) == 0;
        if (is_known)
            continue;
        if (values->count < VALUES_MAX)
            snprintf(values->text[values->count], sizeof values->text[0], "%s", text);
        values->count++;
    }
}

static bool is_same(const struct values *a, const struct values *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && i < VALUES_MAX && same; i++)
        same = strcmp(a->text[i], b->text[i]) == 0;
    return same;
}

/* What a file says goes to a terminal: control characters would be orders to it. */
static void print_plain(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_values(const char *side, const struct values *values)
{
    printf("    %s  ", side);
    for (size_t i = 0; i < values->count && i < VALUES_MAX; i++) {
        fputs(i ? " | " : "", stdout);
        print_plain(values->text[i]);
    }
    puts(values->count == 0 ? "(not told)" : values->count > VALUES_MAX ? " | and more" : "");
}

/* Returns whether the field differs, after it has told. */
static bool tell_field(const struct comparison *c, const char *field)
{
    struct values a, b;
    gather_values(&a, &c->a.results, field);
    gather_values(&b, &c->b.results, field);
    if (is_same(&a, &b))
        return false;
    printf("  %s\n", field);
    print_values("A", &a);
    print_values("B", &b);
    return true;
}

static void tell_differences_before(const struct comparison *c)
{
    static const char *const fields[] = {"kernel",  "machine", "cpus",   "governor", "limits",
                                         "version", "net",     "pinned", "defer",    "drain",
                                         "backlog", "seed",    "command"};
    bool told = false;
    puts("Different before anything was measured:");
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        told = tell_field(c, fields[i]) || told;
    puts(told ? "" : "  nothing\n");
}

/* A setting that each file has one value of tells no two measurements of it apart, and files that
 * differ in it alone can be compared. */
static unsigned blind_to(const struct comparison *c)
{
    unsigned blind = 0;
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        struct values a, b;
        gather_values(&a, &c->a.results, setting_field(i));
        gather_values(&b, &c->b.results, setting_field(i));
        if (a.count <= 1 && b.count <= 1)
            blind |= 1U << i;
    }
    return blind;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static void print_sample(const struct sample *sample)
{
    char text[64], spread[32] = "";
    number_words(text, sizeof text, sample->median);
    if (sample->runs > 1 && sample->median != 0)
        snprintf(spread, sizeof spread, "\xc2\xb1%.0f%%",
                 fabs(100 * sample->half_range / sample->median));
    /* The sign is one column, and two bytes. */
    printf("%9s %-*s", text, *spread ? 7 : 6, spread);
}

static void print_quotient(const struct difference *d)
{
    char text[32];
    double from = d->a.median, to = d->b.median;
    if (from == 0)
        snprintf(text, sizeof text, "from 0");
    else if (to == 0)
        snprintf(text, sizeof text, "to 0");
    else if (to / from >= 2 || to / from <= 0.5)
        snprintf(text, sizeof text, to > from ? "x %.3g" : "/ %.3g",
                 to > from ? to / from : from / to);
    else
        snprintf(text, sizeof text, "%+.1f %%", 100 * (to / from - 1));
    printf("%9s  ", text);
}

static void print_subject(const struct group *group)
{
    const struct result *row = group->rows[0];
    print_plain(row->name);
    putchar(' ');
    print_plain(row->workload);
    if (*row->phase) {
        fputs(", ", stdout);
        print_plain(row->phase);
    }
    printf(", %u worker%s", row->workers, row->workers == 1 ? "" : "s");
    if (*group->settings) {
        fputs(", ", stdout);
        print_plain(group->settings);
    }
    putchar('\n');
}

static void tell_judgement(const struct comparison *c)
{
    size_t unknown = c->compared - c->by_spread;
    printf("Compared: %zu figures that both have; %zu have changed.\n", c->compared, c->count);
    if (c->by_spread > 0)
        printf(
            "  %zu by their spread: the medians lie further apart than half the range of the\n"
            "  repeats of A and of B together, and than %.0f times what %d of 10 repeated figures\n"
            "  of this kind stay within under the same workload, and than %.0f %%.\n",
            c->by_spread, CHANGE_NOISE_TIMES, CHANGE_NOISE_PERMILLE / 100, 100 * CHANGE_SHARE_MIN);
    if (unknown > 0)
        printf("  %zu of single runs, whose spread is unknown: by a threshold (wakeups 5 %%, rate "
               "and\n  losses 10 %%, CPU 15 %%, p50 20 %%, p99 30 %%).\n",
               unknown);
    putchar('\n');
}

static void tell_changes(const struct comparison *c)
{
    if (c->count == 0)
        return;
    printf("%9s  %9s %-6s %9s %-6s %-22s %s\n", "change", "A", "", "B", "", "figure", "of");
    for (size_t i = 0; i < c->count; i++) {
        print_quotient(&c->all[i]);
        print_sample(&c->all[i].a);
        putchar(' ');
        print_sample(&c->all[i].b);
        printf(" %-22s ", c->all[i].figure->title);
        print_subject(c->all[i].group);
    }
    putchar('\n');
}

/* What one side has alone, or could not measure. */
static void tell_alone(const char *side, const struct side *has, const struct side *lacks)
{
    size_t count = 0;
    for (size_t i = 0; i < has->groups.count; i++) {
        const struct group *one = &has->groups.all[i], *twin = groups_twin(&lacks->groups, one);
        if (group_skipped(one) || (twin && !group_skipped(twin)))
            continue;
        if (count++ == 0)
            printf("Only in %s:\n", side);
        fputs("  ", stdout);
        if (twin) {
            fputs("(the other skipped it: ", stdout);
            print_plain(group_skipped(twin));
            fputs(") ", stdout);
        }
        print_subject(one);
    }
}

static void tell_side(const char *name, const struct side *side)
{
    char room[64];
    const char *begun = result_text(&side->results.rows[0], "time", room, sizeof room);
    printf("%s  ", name);
    print_plain(side->path);
    printf(": %zu lines%s", side->results.count, *begun ? ", begun " : "");
    print_plain(begun);
    putchar('\n');
}

static void tell(const struct comparison *c)
{
    tell_side("A", &c->a);
    tell_side("B", &c->b);
    putchar('\n');
    tell_differences_before(c);
    tell_judgement(c);
    tell_changes(c);
    tell_alone("A", &c->a, &c->b);
    tell_alone("B", &c->b, &c->a);
}

/* ---- the command ------------------------------------------------------------------------------
 */

static int read_side(struct side *side, const char *path)
{
    struct buf wrong = {0};
    side->path = path;
    int status = results_read(&side->results, path, &wrong);
    if (status)
        fprintf(stderr, "drover-lab diff: %.*s\n", (int)wrong.len, wrong.p ? wrong.p : "");
    else if (side->results.notes.len > 0)
        fprintf(stderr, "%.*s", (int)side->results.notes.len, side->results.notes.p);
    buf_free(&wrong);
    return status;
}

static int run(struct comparison *c, const char *const paths[2])
{
    int status = read_side(&c->a, paths[0]);
    if (status == 0)
        status = read_side(&c->b, paths[1]);
    if (status)
        return status;
    if (!comparison_make(c, blind_to(c))) {
        fputs("drover-lab diff: out of memory\n", stderr);
        return EX_OSERR;
    }
    tell(c);
    return EX_OK;
}

static int take_path(void *into, const char *word)
{
    struct diff_arguments *arguments = into;
    if (arguments->count == 2) {
        fprintf(stderr, "drover-lab diff: '%s': two result files are allowed\n", word);
        return -1;
    }
    arguments->paths[arguments->count++] = word;
    return 0;
}

static int print_help(void)
{
    puts("usage: drover-lab diff A B\n"
         "\n"
         "Two result files side by side (two kernels, two machines, two settings): what was\n"
         "different before, and which figures differ by more than their repeats do, the largest\n"
         "change first. Settings that are the same all through a file do not keep its\n"
         "measurements from being compared with the other's.\n");
    option_table_help(&table);
    puts(
        "\nExits with 0 when both could be read, whatever differs; 64 wrong usage, 65 when a file\n"
        "is no result file, 66 when one cannot be read.");
    return EX_OK;
}

int command_diff(int argc, char **argv)
{
    struct diff_arguments arguments = {.count = 0};
    struct comparison comparison = {.count = 0};
    if (option_table_read(&table, &arguments, argc, argv, take_path) < 0)
        return EX_USAGE;
    if (arguments.help)
        return print_help();
    if (arguments.count != 2) {
        fputs("drover-lab diff: two result files are needed (usage: drover-lab diff A B)\n",
              stderr);
        return EX_USAGE;
    }
    int status = run(&comparison, arguments.paths);
    comparison_free(&comparison);
    return status;
}
