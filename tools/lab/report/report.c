/*
 * drover-lab report: result files as one page that needs nothing else.
 */
#include "lab/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "lab/cli/command.h"
#include "lab/report/gnuplot.h"
#include "lab/report/groups.h"
#include "lab/report/page.h"
#include "lab/report/results.h"
#include "load/option.h"

struct report_arguments {
    const char **files; /* owned; the words are borrowed */
    int count;
    const char *output;
    bool help;
};

#define AT(member) offsetof(struct report_arguments, member)

static const struct option options[] = {
    {.name = "output",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .at = AT(output),
     .help = "where to write the page, or -o FILE (report.html)"},
    {.name = "help", .kind = OPTION_FLAG, .at = AT(help), .help = "this text"},
};
static const struct option_table table = {
    .program = "drover-lab report", .options = options, .count = sizeof options / sizeof *options};

static int take_file(void *into, const char *word)
{
    struct report_arguments *arguments = into;
    arguments->files[arguments->count++] = word;
    return 0;
}

static void print_help(void)
{
    puts("usage: drover-lab report FILE... [-o report.html]\n"
         "\n"
         "Makes one HTML page of the result files of drover-lab run and all: plots with their\n"
         "sentences, what was expected and what others have published, all figures with their\n"
         "spread. The page needs no network. gnuplot draws.\n");
    option_table_help(&table);
    puts("\nExits with 0 when the page is written, 64 wrong usage, 65 when a file is no result\n"
         "file, 66 when one cannot be read, 69 when gnuplot is missing, 73 when the page cannot\n"
         "be written.");
}

static int tell(const char *words, int status)
{
    fprintf(stderr, "drover-lab report: %s\n", words);
    return status;
}

static int tell_buf(struct buf *words, int status)
{
    buf_add(words, "", 1);
    status = tell(words->failed ? "out of memory" : words->p, status);
    buf_free(words);
    return status;
}

/* A device, a pipe or a link is written to, and stays what it is. */
static bool is_replaced(const char *path)
{
    struct stat is;
    return lstat(path, &is) < 0 || S_ISREG(is.st_mode);
}

/* Whole, or not at all: a page that was there stays until the new one is. */
static int write_page(const char *path, const struct buf *page)
{
    struct buf name = {0}, wrong = {0};
    buf_printf(&name, "%s%s", path, is_replaced(path) ? ".new" : "");
    buf_add(&name, "", 1);
    FILE *file = name.failed ? NULL : fopen(name.p, "we");
    bool done = file && fwrite(page->p, 1, page->len, file) == page->len;
    done = file && fclose(file) == 0 && done;
    done = done && (strcmp(name.p, path) == 0 || rename(name.p, path) == 0);
    int cause = errno;
    if (!done && file && strcmp(name.p, path) != 0)
        remove(name.p);
    buf_free(&name);
    if (done)
        return 0;
    buf_printf(&wrong, "%s: %s", path, strerror(cause));
    return tell_buf(&wrong, EX_CANTCREAT);
}

/* Groups, page, plots, file. */
static int write_report(const struct results *results, int count, const char *const files[],
                        const char *output)
{
    struct groups groups = {0};
    struct buf out = {0}, wrong = {0};
    struct page page = {.results = results, .groups = &groups};
    int status = EX_OSERR;
    if (!groups_make(&groups, results, 0) || !page_write(&page, count, files))
        buf_lit(&wrong, "out of memory");
    else
        status = plots_draw(&page.plots, &page.html, &out, &wrong);
    if (status)
        status = tell_buf(&wrong, status);
    else
        status = write_page(output, &out);
    buf_free(&out);
    buf_free(&page.html);
    plots_free(&page.plots);
    groups_free(&groups);
    return status;
}

/* As write_page() will do it; what is there stays as it is. */
static int check_place(const char *path)
{
    struct buf name = {0}, wrong = {0};
    bool is_new = is_replaced(path);
    buf_printf(&name, "%s%s", path, is_new ? ".new" : "");
    buf_add(&name, "", 1);
    FILE *file = name.failed ? NULL : fopen(name.p, "ae");
    int cause = errno;
    if (file)
        fclose(file);
    if (file && is_new)
        remove(name.p);
    buf_free(&name);
    if (file)
        return EX_OK;
    buf_printf(&wrong, "%s: %s", path, strerror(cause));
    return tell_buf(&wrong, EX_CANTCREAT);
}

int report_check(const char *output)
{
    struct buf nothing = {0}, out = {0}, wrong = {0};
    int status = gnuplot_run(&nothing, &out, &wrong);
    buf_free(&out);
    if (status)
        return tell_buf(&wrong, status);
    buf_free(&wrong);
    return check_place(output);
}

int report_make(int count, const char *const files[], const char *output)
{
    struct results results = {0};
    struct buf wrong = {0};
    int status = 0;
    for (int i = 0; i < count && status == 0; i++)
        status = results_read(&results, files[i], &wrong);
    if (status) {
        results_free(&results);
        return tell_buf(&wrong, status);
    }
    if (results.notes.len > 0)
        fprintf(stderr, "%.*s", (int)results.notes.len, results.notes.p);
    status = write_report(&results, count, files, output);
    results_free(&results);
    if (status == EX_OK && is_replaced(output)) /* nothing goes behind a page on stdout */
        printf("%s\n", output);
    return status;
}

/* The short form of --output; the words are shared with argv. */
static char **spell_out(int argc, char **argv)
{
    static char output[] = "--output";
    char **words = calloc((size_t)argc + 1, sizeof *words);
    bool may_be_option = true;
    for (int i = 0; words && i < argc; i++) {
        may_be_option = may_be_option && strcmp(argv[i], "--") != 0;
        words[i] = i > 0 && may_be_option && strcmp(argv[i], "-o") == 0 ? output : argv[i];
    }
    return words;
}

static int run(struct report_arguments *arguments, int argc, char **words)
{
    if (option_table_read(&table, arguments, argc, words, take_file) < 0)
        return EX_USAGE;
    if (arguments->help) {
        print_help();
        return 0;
    }
    if (arguments->count == 0)
        return tell("which result files? (usage: drover-lab report FILE... [-o report.html])",
                    EX_USAGE);
    return report_make(arguments->count, arguments->files, arguments->output);
}

int command_report(int argc, char **argv)
{
    struct report_arguments arguments = {.output = "report.html",
                                         .files = calloc((size_t)argc + 1, sizeof(char *))};
    char **words = spell_out(argc, argv);
    int status = arguments.files && words ? run(&arguments, argc, words)
                                          : tell("out of memory", EX_OSERR);
    free(words);
    free(arguments.files);
    return status;
}
