#include "load/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/span.h"

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

const char *option_read(const struct option *option, void *into, const char *text)
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

void option_complain(const struct option *option, const char *text, const char *wrong)
{
    fprintf(stderr, "drover-load: --%s", option->name);
    if (text)
        fprintf(stderr, " '%s'", text);
    fprintf(stderr, ": %s", wrong);
    tell_allowed(option);
    fputc('\n', stderr);
}
