#include "load/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"
#include "config/nearest.h"

#define HOUR_MS (UINT64_C(3600) * 1000)

/* Each returns NULL, or what is wrong with the text. */
typedef const char *reader(const struct option *option, void *at, const char *text);

static const char *read_flag(const struct option *option, void *at, const char *text)
{
    (void)option;
    if (text)
        return "takes no value";
    *(bool *)at = true;
    return NULL;
}

static const char *read_text(const struct option *option, void *at, const char *text)
{
    (void)option;
    *(const char **)at = text;
    return NULL;
}

static const char *store(const struct option *option, void *at, uint64_t value)
{
    if (value < option->min)
        return "too small";
    if (value > option->max)
        return "too large";
    *(uint64_t *)at = value;
    return NULL;
}

static const char *read_number(const struct option *option, void *at, const char *text)
{
    uint64_t value;
    if (!span_to_u64(span_of(text), &value))
        return "not a whole number";
    return store(option, at, value);
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A whole number and one of the units; the list ends with NULL. */
static const char *read_units(const struct option *option, void *at, const char *text,
                              const struct unit *units)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t value;
    if (!span_to_u64((struct span){.p = text, .n = digits}, &value))
        return option->kind == OPTION_DURATION ? "not a duration" : "not a rate";
    for (; units->name; units++) {
        if (strcmp(text + digits, units->name) != 0)
            continue;
        if (__builtin_mul_overflow(value, units->factor, &value))
            return "too large";
        return store(option, at, value);
    }
    if (text[digits] == '.')
        return "not a whole number";
    return text[digits] ? "unknown unit" : "the unit is missing";
}

static const char *read_duration(const struct option *option, void *at, const char *text)
{
    static const struct unit units[] = {
        {"ms", 1}, {"s", 1000}, {"m", HOUR_MS / 60}, {"h", HOUR_MS}, {NULL, 0},
    };
    return read_units(option, at, text, units);
}

static const char *read_rate(const struct option *option, void *at, const char *text)
{
    static const struct unit units[] = {{"/s", 60}, {"", 60}, {"/m", 1}, {NULL, 0}};
    return read_units(option, at, text, units);
}

static const char *read_checksum(const struct option *option, void *at, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;
    if (strncmp(text, "0x", 2) == 0)
        text += 2;
    for (const char *c = text; *c; c++) {
        const char *digit = strchr(digits, *c >= 'A' && *c <= 'F' ? *c | 0x20 : *c);
        if (!digit || value > option->max)
            return "not a CRC-32";
        value = value << 4 | (uint64_t)(digit - digits);
    }
    return *text ? store(option, at, value) : "not a CRC-32";
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

static const char *read_field(const struct option *option, void *at, const char *text)
{
    (void)option;
    struct option_fields *fields = at;
    struct span name = {.p = text, .n = strcspn(text, ":")};
    if (text[name.n] != ':' || !is_token(name))
        return "not a field";
    for (const char *c = text; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return "a control character in it would break the request";
    fields->has_host = fields->has_host || span_eq_nocase(name, SPAN("host"));
    buf_str(&fields->lines, text);
    buf_lit(&fields->lines, "\r\n");
    return fields->lines.failed ? "out of memory" : NULL;
}

static reader *const readers[] = {
    [OPTION_FLAG] = read_flag,         [OPTION_NUMBER] = read_number,
    [OPTION_DURATION] = read_duration, [OPTION_RATE] = read_rate,
    [OPTION_CHECKSUM] = read_checksum, [OPTION_TEXT] = read_text,
    [OPTION_FIELD] = read_field,
};
_Static_assert(sizeof readers / sizeof *readers == OPTION_KIND_COUNT, "a reader a kind");

/* Stores what the text says. Returns NULL, or what is wrong with it; static. */
static const char *store_value(const struct option *option, void *into, const char *text)
{
    return readers[option->kind](option, (char *)into + option->at, text);
}

/* What would have been right. */
static void tell_allowed(const struct option *option)
{
    if (option->kind == OPTION_NUMBER && option->max >= UINT64_MAX - 1)
        fprintf(stderr, " (allowed: a whole number from %" PRIu64 " on)", option->min);
    else if (option->kind == OPTION_NUMBER)
        fprintf(stderr, " (allowed: %" PRIu64 " to %" PRIu64 ")", option->min, option->max);
    else if (option->kind == OPTION_DURATION)
        fprintf(stderr, " (allowed: 1ms to %" PRIu64 "h; units: ms, s, m, h)",
                option->max / HOUR_MS);
    else if (option->kind == OPTION_RATE)
        fprintf(stderr, " (allowed: 1/m to %" PRIu64 "/s; units: /s, /m)", option->max / 60);
    else if (option->kind == OPTION_CHECKSUM)
        fputs(" (allowed: up to eight hexadecimal digits)", stderr);
    else if (option->value)
        fprintf(stderr, " (allowed: %s)", option->value);
}

/* Tells what is wrong with the text (NULL: it is missing), and what is allowed. */
static void complain(const struct option_table *table, const struct option *option,
                     const char *text, const char *wrong)
{
    fprintf(stderr, "%s: --%s", table->program, option->name);
    if (text)
        fprintf(stderr, " '%s'", text);
    fprintf(stderr, ": %s", wrong);
    tell_allowed(option);
    fputc('\n', stderr);
}

static const struct option *find(const struct option_table *table, struct span name)
{
    for (size_t i = 0; i < table->count; i++)
        if (span_eq(name, span_of(table->options[i].name)))
            return &table->options[i];
    return NULL;
}

/* An option's name has no more letters than that, and a table no more options; longer words are
 * like none. */
#define NAME_MAX_LENGTH 32
#define OPTIONS_MAX     64

static int unknown(const struct option_table *table, const char *word, struct span name)
{
    const char *names[OPTIONS_MAX], *nearest = NULL;
    char typed[NAME_MAX_LENGTH + 1];
    size_t count = 0;
    for (; count < table->count && count < OPTIONS_MAX; count++)
        names[count] = table->options[count].name;
    if (name.n <= NAME_MAX_LENGTH) {
        memcpy(typed, name.p, name.n);
        typed[name.n] = '\0';
        nearest = nearest_name(typed, names, count);
    }
    fprintf(stderr, "%s: '%s': there is no such option", table->program, word);
    if (nearest)
        fprintf(stderr, "; did you mean --%s?\n", nearest);
    else
        fputs("; --help lists them\n", stderr);
    return -1;
}

/* Reads "--name=value", or "--name" and, where it takes one, the value in argv[*i + 1]. */
static int read_one(const struct option_table *table, void *into, char **argv, int *i)
{
    const char *word = argv[*i];
    size_t dashes = strspn(word, "-");
    struct span name = {.p = word + dashes, .n = strcspn(word + dashes, "=")};
    const struct option *option = dashes == 2 ? find(table, name) : NULL;
    if (!option)
        return unknown(table, word, name);
    const char *text = name.p[name.n] ? name.p + name.n + 1 : NULL;
    if (!text && option->value) {
        text = argv[*i + 1]; /* argv ends with NULL */
        ++*i;
    }
    const char *wrong = option->value && !text ? "needs a value" : store_value(option, into, text);
    if (wrong)
        complain(table, option, text, wrong);
    return wrong ? -1 : 0;
}

static int refuse_word(const struct option_table *table, const char *word)
{
    fprintf(stderr, "%s: '%s': only options are allowed here; --help lists them\n", table->program,
            word);
    return -1;
}

int option_table_read(const struct option_table *table, void *into, int argc, char **argv,
                      int (*word)(void *into, const char *word))
{
    bool may_be_option = true;
    for (int i = 1; i < argc; i++) {
        int done = 0;
        if (may_be_option && strcmp(argv[i], "--") == 0)
            may_be_option = false;
        else if (may_be_option && argv[i][0] == '-')
            done = read_one(table, into, argv, &i);
        else
            done = word ? word(into, argv[i]) : refuse_word(table, argv[i]);
        if (done < 0)
            return -1;
    }
    return 0;
}

#define HELP_COLUMN 25

static void help_row(const struct option *option)
{
    int n = printf("  --%s%s%s", option->name, option->value ? " " : "",
                   option->value ? option->value : "");
    printf("%*s", n < HELP_COLUMN - 2 ? HELP_COLUMN - n : 2, "");
    for (const char *c = option->help; *c; c++) {
        putchar(*c);
        if (*c == '\n')
            printf("%*s", HELP_COLUMN, "");
    }
    putchar('\n');
}

void option_table_help(const struct option_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        help_row(&table->options[i]);
}
