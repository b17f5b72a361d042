#include "config/faults.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/utf8.h"

/* Bytes of one: a value's 300, a path before them, what is allowed, and more. */
#define FAULT_SIZE 2048

/* Bytes of the line about those that are not shown. */
#define AND_MORE_SIZE 384

/* Bytes of one byte that is shown as \xNN. */
#define ESCAPED_MAX 4

/* Without the NUL, for which there is always room. */
static void put(struct faults *faults, const char *bytes, size_t n)
{
    if (faults->used + n >= faults->size)
        return;
    memcpy(faults->text + faults->used, bytes, n);
    faults->used += n;
    faults->text[faults->used] = '\0';
}

static void put_safely(struct faults *faults, const char *text)
{
    size_t n = strlen(text);
    while (n > 0) {
        char escaped[8];
        unsigned char c = (unsigned char)*text;
        size_t length = utf8_shown(text, n);
        if (length > 0) {
            put(faults, text, length);
        } else {
            length = 1;
            snprintf(escaped, sizeof escaped, "\\x%02x", c);
            put(faults, escaped, strlen(escaped));
        }
        text += length;
        n -= length;
    }
}

static void note_status(struct faults *faults, const struct place *place, int status)
{
    if (place && place->file)
        faults->status = EX_CONFIG;
    else if (faults->count == 0)
        faults->status = status;
    faults->count++;
}

/* Moves the last one, which begins at `start`, before those of later lines; not where the text was
 * too full to begin another line. */
static void sort_in(struct faults *faults, size_t start, unsigned line)
{
    char one[FAULT_SIZE * ESCAPED_MAX];
    unsigned last = faults->shown - 1, i = last;
    bool is_line = start > 0 && faults->text[start - 1] == '\n';
    while (is_line && i > 0 && faults->of[i - 1].line > line)
        i--;
    size_t n = faults->used - start, at = i < last ? faults->of[i].start : start;
    memcpy(one, faults->text + start, n);
    if (i < last) {
        memmove(faults->text + at + n + 1, faults->text + at, start - 1 - at);
        memcpy(faults->text + at, one, n);
        faults->text[at + n] = '\n';
    }
    for (unsigned k = last; k > i; k--) {
        faults->of[k] = faults->of[k - 1];
        faults->of[k].start += n + 1;
    }
    faults->of[i].start = at;
    faults->of[i].line = line;
}

static unsigned line_of(const struct faults *faults, const struct place *place)
{
    unsigned shown = faults->shown;
    if (place && place->file)
        return place->line;
    return shown > 1 ? faults->of[shown - 2].line : 0;
}

static bool takes_more(const struct faults *faults)
{
    bool has_room = faults->size - faults->used > FAULT_SIZE * ESCAPED_MAX + AND_MORE_SIZE;
    if (faults->most == 0)
        return faults->shown < FAULTS_SHOWN;
    return faults->shown < faults->most && faults->shown < FAULTS_SHOWN_MAX && has_room;
}

void faults_add(struct faults *faults, const struct place *place, int status, const char *format,
                ...)
{
    char one[FAULT_SIZE];
    size_t used = 0;
    va_list args;
    note_status(faults, place, status);
    if (!takes_more(faults))
        return;
    if (faults->shown++ > 0)
        put(faults, "\n", 1);
    if (place && place->file)
        used = (size_t)snprintf(one, sizeof one, "%.1000s:%u:%u: ", place->file, place->line,
                                place->column);
    va_start(args, format);
    vsnprintf(one + used, sizeof one - used, format, args);
    va_end(args);
    size_t start = faults->used;
    put_safely(faults, one);
    sort_in(faults, start, line_of(faults, place));
}

void faults_end(struct faults *faults, const char *file)
{
    char more[AND_MORE_SIZE];
    if (faults->count == faults->shown)
        return;
    int n = snprintf(more, sizeof more, "\nand %u more", faults->count - faults->shown);
    put(faults, more, (size_t)n);
    if (!file || faults->most)
        return;
    snprintf(more, sizeof more, ": drover check -c %.300s tells all", file);
    put_safely(faults, more);
}
