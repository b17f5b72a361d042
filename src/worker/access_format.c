#include "worker/access_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/parse.h"

/* Bytes of the longest value that a client has no part in: an address, or a date. */
#define FIXED_MAX 64

static const struct {
    const char *name;
    bool is_json;
    const char *text;
} named[] = {
    {"combined", false, "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""},
    {"common", false, "%h %l %u %t \"%r\" %>s %b"},
    {"json", true,
     "{\"time\":%t,\"client\":%a,\"host\":%v,\"request\":%r,\"method\":%m,\"path\":%U,"
     "\"status\":%s,\"bytes\":%B,\"duration_us\":%D,\"referer\":%{Referer}i,"
     "\"user_agent\":%{User-Agent}i,\"slot\":%{slot}P,\"pid\":%P}"},
};

#define NAMED_COUNT (sizeof named / sizeof *named)

/* A letter, and the word in braces before it that makes it another thing; NULL: none. */
static const struct directive {
    const char *word;
    enum access_what what;
    char letter;
} directives[] = {
    {NULL, ACCESS_PERCENT, '%'},  {NULL, ACCESS_CLIENT, 'a'}, {NULL, ACCESS_BODY, 'b'},
    {NULL, ACCESS_BODY_0, 'B'},   {NULL, ACCESS_US, 'D'},     {NULL, ACCESS_CLIENT, 'h'},
    {NULL, ACCESS_PROTOCOL, 'H'}, {"", ACCESS_FIELD, 'i'},    {NULL, ACCESS_SERVED, 'k'},
    {NULL, ACCESS_DASH, 'l'},     {NULL, ACCESS_METHOD, 'm'}, {NULL, ACCESS_SENT, 'O'},
    {NULL, ACCESS_PORT, 'p'},     {NULL, ACCESS_PID, 'P'},    {"pid", ACCESS_PID, 'P'},
    {"slot", ACCESS_SLOT, 'P'},   {NULL, ACCESS_QUERY, 'q'},  {NULL, ACCESS_LINE, 'r'},
    {NULL, ACCESS_STATUS, 's'},   {NULL, ACCESS_TIME, 't'},   {NULL, ACCESS_S, 'T'},
    {"ms", ACCESS_MS, 'T'},       {"s", ACCESS_S, 'T'},       {"us", ACCESS_US, 'T'},
    {NULL, ACCESS_DASH, 'u'},     {NULL, ACCESS_PATH, 'U'},   {NULL, ACCESS_HOST, 'v'},
    {NULL, ACCESS_HOST, 'V'},
};

#define DIRECTIVE_COUNT (sizeof directives / sizeof *directives)

#define ALLOWED                                                                                 \
    "%%, %a, %b, %B, %D, %h, %H, %{NAME}i, %k, %l, %m, %O, %p, %P, %{slot}P, %q, %r, %s, %>s, " \
    "%t, "                                                                                      \
    "%T, %{ms}T, %{us}T, %u, %U, %v, %V"

struct reader {
    struct access_format *format;
    const char *start;
    const char *at;
    char *to; /* in format->text */
    char *what;
    size_t size;
};

static bool wrong(const struct reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(const struct reader *r, const char *at, const char *format, ...)
{
    va_list args;
    int n = snprintf(r->what, r->size, "column %d: ", (int)(at - r->start) + 1);
    va_start(args, format);
    vsnprintf(r->what + n, r->size - (size_t)n, format, args);
    va_end(args);
    return false;
}

static struct access_part *add(struct reader *r, enum access_what what)
{
    struct access_format *f = r->format;
    if (f->count == ACCESS_PARTS_MAX)
        return NULL;
    f->parts[f->count] = (struct access_part){.what = what, .text = {.p = r->to}};
    return &f->parts[f->count++];
}

static bool is_too_long(const struct reader *r)
{
    return wrong(r, r->at, "there are too many directives and texts between them; %d are allowed",
                 ACCESS_PARTS_MAX);
}

/* ------------------------------------------------------------------------------ the directives */

static const struct directive *find(char letter, struct span word, bool has_word)
{
    for (size_t i = 0; i < DIRECTIVE_COUNT; i++) {
        const struct directive *d = &directives[i];
        bool takes_any = d->word && !*d->word;
        bool is_it = has_word ? takes_any || (d->word && span_eq(word, span_of(d->word)))
                              : d->word == NULL;
        if (d->letter == letter && is_it)
            return d;
    }
    return NULL;
}

static bool refuse(const struct reader *r, const char *start, const char *end)
{
    return wrong(r, start, "there is no directive \"%.*s\"; there are: %s",
                 (int)(end - start > 40 ? 40 : end - start), start, ALLOWED);
}

static bool keep_name(struct reader *r, struct access_part *part, struct span name)
{
    if (name.n > 0)
        memcpy(r->to, name.p, name.n);
    part->text.n = name.n;
    r->to += name.n;
    return true;
}

/* r->at is at the percent sign. */
static bool read_directive(struct reader *r)
{
    const char *start = r->at++;
    struct span word = {0};
    bool has_word = *r->at == '{';
    if (*r->at == '>' && r->at[1] == 's') /* of the last of internal redirects: there is one */
        r->at++;
    if (has_word) {
        word = (struct span){.p = r->at + 1, .n = strcspn(r->at + 1, "}")};
        r->at += word.n + 1;
        if (*r->at != '}')
            return wrong(r, start, "the } is missing");
        r->at++;
    }
    if (!*r->at)
        return wrong(r, start, "a directive's letter is missing; %%%% stands for a percent sign");
    const struct directive *d = find(*r->at++, word, has_word);
    if (!d)
        return refuse(r, start, r->at);
    if (d->what == ACCESS_FIELD && !http_is_token(word))
        return wrong(r, start + 2, "must be the name of a field, as in %%{User-Agent}i");
    struct access_part *part = add(r, d->what);
    if (!part)
        return is_too_long(r);
    return d->what != ACCESS_FIELD || keep_name(r, part, word);
}

/* -------------------------------------------------------------------------------- the text */

static bool read_text(struct reader *r)
{
    struct access_part *part = add(r, ACCESS_TEXT);
    if (!part)
        return is_too_long(r);
    while (*r->at && *r->at != '%') {
        char c = *r->at;
        if (c == '\\') {
            c = r->at[1] == 't' ? '\t' : r->at[1];
            if (!strchr("t\\\"", r->at[1]) || !r->at[1])
                return wrong(r, r->at, "a backslash must be followed by t, \" or another one");
            r->at++;
        }
        *r->to++ = c;
        r->at++;
    }
    part->text.n = (size_t)(r->to - part->text.p);
    return true;
}

static size_t least(const struct access_part *part)
{
    return part->what == ACCESS_TEXT ? part->text.n : FIXED_MAX;
}

/* From the end on. */
static void reserve(struct access_format *f)
{
    size_t bytes = 1;
    for (size_t i = f->count; i-- > 0; bytes += least(&f->parts[i])) {
        f->parts[i].reserve = bytes;
        f->has_port |= f->parts[i].what == ACCESS_PORT;
    }
}

static bool read_all(struct access_format *f, const char *text, char *what, size_t size)
{
    struct reader r = {
        .format = f, .start = text, .at = text, .to = f->text, .what = what, .size = size};
    f->count = 0;
    f->has_port = false;
    while (*r.at)
        if (!(*r.at == '%' ? read_directive(&r) : read_text(&r)))
            return false;
    reserve(f);
    return true;
}

/* A line is one line, and no more than a tab's harm to a terminal. */
static bool check_bytes(const char *value, char *what, size_t size)
{
    for (const char *at = value; *at; at++)
        if ((unsigned char)*at < ' ' && *at != '\t') {
            snprintf(what, size, "column %d: there is a control byte", (int)(at - value) + 1);
            return false;
        }
    return true;
}

bool access_format_read(struct access_format *f, const char *value, char *what, size_t size)
{
    for (size_t i = 0; i < NAMED_COUNT; i++) {
        f->is_json = named[i].is_json;
        if (strcmp(named[i].name, value) == 0)
            return read_all(f, named[i].text, what, size);
    }
    f->is_json = false;
    if (!check_bytes(value, what, size))
        return false;
    if (!strchr(value, '%')) {
        snprintf(
            what, size,
            "must be combined, common, json, or a text with directives, as in \"%%h %%r %%s\"");
        return false;
    }
    if (strlen(value) > ACCESS_FORMAT_MAX) {
        snprintf(what, size, "is longer than %d bytes", ACCESS_FORMAT_MAX);
        return false;
    }
    return read_all(f, value, what, size);
}
