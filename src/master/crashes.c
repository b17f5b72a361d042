#include "master/crashes.h"

#include <stdio.h>
#include <string.h>

static void begin(struct crash_row *row)
{
    int64_t silent_to = row->silent_to;
    *row = (struct crash_row){.silent_to = silent_to};
}

/* To the front; what was there moves back by one, up to where it stood itself. */
static void put_first(struct crash_row *row, const char *request)
{
    char line[BOARD_REQUEST_SIZE];
    size_t at = 0;
    snprintf(line, sizeof line, "%s", request);
    while (at < CRASH_REQUESTS_MAX && row->requests[at][0] && strcmp(row->requests[at], line) != 0)
        at++;
    if (at == CRASH_REQUESTS_MAX) {
        row->is_cut = true;
        at--;
    }
    memmove(row->requests[1], row->requests[0], at * sizeof line);
    memcpy(row->requests[0], line, sizeof line);
}

static void append(char *text, size_t size, const char *before, const char *words,
                   const char *behind)
{
    size_t n = strlen(text);
    snprintf(text + n, size - n, "%s%s%s", before, words, behind);
}

static void describe(const struct crash_row *row, char *text, size_t size)
{
    snprintf(text, size, "%u workers in a row were ended by signals", row->count);
    for (int i = 0; i < CRASH_REQUESTS_MAX && row->requests[i][0]; i++)
        append(text, size, i == 0 ? ", at \"" : ", \"", row->requests[i], "\"");
    if (row->is_cut)
        append(text, size, ", ", "and others", "");
}

bool crashes_note(struct crashes *crashes, int slot, int64_t now, const char *request, char *text,
                  size_t size)
{
    struct crash_row *row = &crashes->of[slot];
    if (row->count > 0 && now - row->last_at > CRASH_ROW_MS)
        begin(row);
    row->count++;
    row->last_at = now;
    if (request[0])
        put_first(row, request);
    if (row->count < CRASH_ROW_LEAST || now < row->silent_to || size == 0)
        return false;
    row->silent_to = now + CRASH_AGAIN_MS;
    describe(row, text, size);
    return true;
}

unsigned crashes_count(const struct crashes *crashes, int slot)
{
    return crashes->of[slot].count;
}
