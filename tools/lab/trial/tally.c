#include "lab/trial/tally.h"

#include <stdarg.h>
#include <stdio.h>

#include "lab/kernel/shared.h"

struct tally *tally_open(unsigned count)
{
    return shared_open(count * sizeof(struct tally));
}

void tally_close(struct tally *rows, unsigned count)
{
    shared_close(rows, count * sizeof *rows);
}

void tally_fail(struct tally *row, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->words, sizeof row->words, format, args);
    va_end(args);
    atomic_store(&row->ready, TALLY_FAILED);
}
