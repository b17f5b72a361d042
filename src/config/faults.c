#include "config/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/utf8.h"

/* Lines of faults: more than anybody mends before the next try. */
#define SHOWN_MAX 20

/* Bytes of one: a value's 300, a path before them, what is allowed, and more. */
#define FAULT_SIZE 2048

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

void faults_add(struct faults *faults, const struct place *place, int status, const char *format,
                ...)
{
    char one[FAULT_SIZE];
    size_t used = 0;
    va_list args;
    note_status(faults, place, status);
    if (faults->shown == SHOWN_MAX)
        return;
    if (faults->shown++ > 0)
        put(faults, "\n", 1);
    if (place && place->file)
        used = (size_t)snprintf(one, sizeof one, "%.1000s:%u:%u: ", place->file, place->line,
                                place->column);
    va_start(args, format);
    vsnprintf(one + used, sizeof one - used, format, args);
    va_end(args);
    put_safely(faults, one);
}

void faults_end(struct faults *faults)
{
    char more[64];
    if (faults->count == faults->shown)
        return;
    int n = snprintf(more, sizeof more, "\nand %u more", faults->count - faults->shown);
    put(faults, more, (size_t)n);
}
