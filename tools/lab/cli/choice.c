#include "lab/cli/choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

#define REPEAT_MAX  1000
#define BACKLOG_MAX 65535

#define AT(member) offsetof(struct choice, member)

static const struct option options[] = {
    {.name = "workers",
     .value = "N[,N...]",
     .kind = OPTION_TEXT,
     .at = AT(workers_text),
     .help = "how many share the listener, one measurement each (the workload's own)"},
    {.name = "workload",
     .value = "NAME[,NAME...]",
     .kind = OPTION_TEXT,
     .at = AT(workload_text),
     .help = "what is done to them, or `all` (singles; short for models)"},
    {.name = "repeat",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(repeat),
     .min = 1,
     .max = REPEAT_MAX,
     .help = "measure each so often; the report shows the spread (1)"},
    {.name = "out",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .at = AT(out),
     .help =
         "replaces FILE: a JSON object a measurement, one a line; -: standard output, no table"},
    {.name = "drain",
     .value = "yes|no",
     .kind = OPTION_TEXT,
     .at = AT(drain_text),
     .help = "accept until EAGAIN at each wake-up, or once (as the strategy is mostly used)"},
    {.name = "defer",
     .kind = OPTION_FLAG,
     .at = AT(settings.is_deferred),
     .help = "TCP_DEFER_ACCEPT: the request wakes a worker, not the connection"},
    {.name = "pin",
     .kind = OPTION_FLAG,
     .at = AT(settings.is_pinned),
     .help = "workers to one CPU each, by turns; the client to the last one"},
    {.name = "net",
     .value = "loopback|veth",
     .kind = OPTION_TEXT,
     .at = AT(net_text),
     .help = "veth: the client is in a network namespace of its own (loopback)"},
    {.name = "backlog",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(backlog),
     .min = 1,
     .max = BACKLOG_MAX,
     .help = "of listen(2) (4096; the workload's own)"},
    {.name = "seed",
     .value = "N",
     .kind = OPTION_NUMBER,
     .at = AT(settings.seed),
     .min = 0,
     .max = INT64_MAX,
     .help = "of all that is drawn (1)"},
    {.name = "quick",
     .kind = OPTION_FLAG,
     .at = AT(is_quick),
     .help = "shorter measurements, for a look"},
    {.name = "page",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .at = AT(page),
     .help = "of `all`: where the report goes (report.html)"},
    {.name = "help", .kind = OPTION_FLAG, .at = AT(help), .help = "this text"},
};

static const struct option_table table = {
    .program = "drover-lab",
    .options = options,
    .count = sizeof options / sizeof *options,
};

static int take_name(void *into, const char *word)
{
    struct choice *choice = into;
    if (choice->name_count == CHOICE_NAMES_MAX) {
        fprintf(stderr, "drover-lab: '%s': at most %d names are allowed\n", word, CHOICE_NAMES_MAX);
        return -1;
    }
    choice->names[choice->name_count++] = word;
    return 0;
}

/* Cuts a text at its commas into words that live in choice->words. Returns how many, or -1 when
 * there are too many or one is empty; it was told. */
static int cut(struct choice *choice, size_t *used, const char *option, const char *text,
               const char **words)
{
    int count = 0;
    size_t length = strlen(text) + 1;
    if (*used + length > sizeof choice->words)
        goto wrong;
    char *copy = choice->words + *used;
    memcpy(copy, text, length);
    *used += length;
    for (char *word; (word = strsep(&copy, ",")) != NULL;) {
        if (!*word || count == CHOICE_LIST_MAX)
            goto wrong;
        words[count++] = word;
    }
    return count;
wrong:
    fprintf(stderr, "drover-lab: --%s '%s': a list of 1 to %d, parted by commas, is allowed\n",
            option, text, CHOICE_LIST_MAX);
    return -1;
}

static int read_workers(struct choice *choice, size_t *used)
{
    const char *words[CHOICE_LIST_MAX];
    if (!choice->workers_text)
        return 0;
    int count = cut(choice, used, "workers", choice->workers_text, words);
    for (int i = 0; i < count; i++) {
        uint64_t value;
        if (!span_to_u64(span_of(words[i]), &value) || value < 1 || value > LAB_WORKERS_MAX) {
            fprintf(stderr,
                    "drover-lab: --workers '%s': not a number of workers "
                    "(allowed: 1 to %d, several parted by commas)\n",
                    words[i], LAB_WORKERS_MAX);
            return -1;
        }
        choice->workers[i] = (unsigned)value;
    }
    choice->worker_count = count > 0 ? (size_t)count : 0;
    return count < 0 ? -1 : 0;
}

static int read_workloads(struct choice *choice, size_t *used)
{
    if (!choice->workload_text)
        return 0;
    int count = cut(choice, used, "workload", choice->workload_text, choice->workloads);
    choice->workload_count = count > 0 ? (size_t)count : 0;
    return count < 0 ? -1 : 0;
}

/* Which of the two words it is, 0 or 1; -1 for neither, which was told. */
static int either(const char *option, const char *text, const char *first, const char *second)
{
    if (strcmp(text, first) == 0)
        return 0;
    if (strcmp(text, second) == 0)
        return 1;
    fprintf(stderr, "drover-lab: --%s '%s': allowed: %s or %s\n", option, text, first, second);
    return -1;
}

static int read_words(struct choice *choice)
{
    if (choice->drain_text) {
        int which = either("drain", choice->drain_text, "no", "yes");
        if (which < 0)
            return -1;
        choice->settings.drain = which ? DRAIN_YES : DRAIN_NO;
    }
    if (choice->net_text) {
        int which = either("net", choice->net_text, "loopback", "veth");
        if (which < 0)
            return -1;
        choice->settings.wire = which ? WIRE_VETH : WIRE_LOOPBACK;
    }
    choice->settings.backlog = (int)choice->backlog;
    return 0;
}

int choice_read_lists(struct choice *choice)
{
    size_t used = 0;
    if (read_workers(choice, &used) < 0)
        return -1;
    return read_workloads(choice, &used);
}

int choice_read(struct choice *choice, int argc, char **argv)
{
    *choice = (struct choice){.settings = {.seed = 1}};
    if (option_table_read(&table, choice, argc, argv, take_name) < 0)
        return -1;
    if (choice_read_lists(choice) < 0)
        return -1;
    return read_words(choice);
}

void choice_help(void)
{
    option_table_help(&table);
}
