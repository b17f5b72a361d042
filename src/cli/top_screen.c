#include "cli/top_screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

/* Cells that are alike and stand between two that are not are sent again rather than jumped over:
 * a jump is as long. */
#define JUMP_BYTES 8

static const struct cell blank = {.byte = ' ', .look = LOOK_PLAIN};

static bool is_same(struct cell a, struct cell b)
{
    return a.byte == b.byte && a.look == b.look;
}

static struct cell *row_of(const struct screen *screen, int row)
{
    return screen->cells + (size_t)row * (size_t)screen->columns;
}

int screen_resize(struct screen *screen, int rows, int columns)
{
    size_t count = (size_t)rows * (size_t)columns;
    struct cell *cells = calloc(count ? count : 1, sizeof *cells);
    if (!cells)
        return -1;
    free(screen->cells);
    *screen = (struct screen){.rows = rows, .columns = columns, .cells = cells};
    screen_clear(screen);
    return 0;
}

void screen_free(struct screen *screen)
{
    free(screen->cells);
    *screen = (struct screen){0};
}

void screen_clear(struct screen *screen)
{
    for (size_t i = 0; i < (size_t)screen->rows * (size_t)screen->columns; i++)
        screen->cells[i] = blank;
}

/* ------------------------------------------------------------------------------------- text */

static void put_byte(struct screen *screen, int row, int column, enum look look, char byte)
{
    if (row >= 0 && row < screen->rows && column >= 0 && column < screen->columns)
        row_of(screen, row)[column] = (struct cell){.byte = byte, .look = (unsigned char)look};
}

int screen_put(struct screen *screen, int row, int column, enum look look, const char *text)
{
    for (size_t n = strlen(text); n > 0; column++) {
        size_t length = utf8_length(text, n);
        bool is_printable = length == 1 && *text >= ' ' && *text < 0x7f;
        put_byte(screen, row, column, look, is_printable ? *text : '?');
        length += length == 0;
        text += length;
        n -= length;
    }
    return column;
}

int screen_printf(struct screen *screen, int row, int column, enum look look, const char *format,
                  ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return screen_put(screen, row, column, look, text);
}

void screen_look(struct screen *screen, int row, enum look look)
{
    for (int i = 0; row >= 0 && row < screen->rows && i < screen->columns; i++)
        row_of(screen, row)[i].look = (unsigned char)look;
}

/* ---------------------------------------------------------------------------- the terminal's */

/* ECMA-48, in the part that every terminal knows. */
static void set_look(struct buf *to, enum look *now, enum look look)
{
    static const char *const sequences[] = {[LOOK_PLAIN] = "\033[m",
                                            [LOOK_BOLD] = "\033[0;1m",
                                            [LOOK_REVERSE] = "\033[0;7m",
                                            [LOOK_STRONG] = "\033[0;1;7m"};
    _Static_assert(sizeof sequences / sizeof *sequences == LOOK_STRONG + 1, "a look without bytes");
    if (*now != look)
        buf_str(to, sequences[look]);
    *now = look;
}

/* Columns up to the last that is not blank. */
static int length_of(const struct screen *screen, int row)
{
    int length = screen->columns;
    while (length > 0 && is_same(row_of(screen, row)[length - 1], blank))
        length--;
    return length;
}

/* Where the cells that are to be sent end, of which the first is at `from`. */
static int end_of_run(const struct cell *old, const struct cell *new, int from, int columns)
{
    int end = from + 1;
    for (int i = end; i < columns && i - end < JUMP_BYTES; i++)
        if (!is_same(old[i], new[i]))
            end = i + 1;
    return end;
}

static void send_run(const struct cell *cells, int from, int end, enum look *look, struct buf *to)
{
    for (int i = from; i < end; i++) {
        set_look(to, look, cells[i].look);
        buf_add(to, &cells[i].byte, 1);
    }
}

static void update_row(const struct screen *shown, const struct screen *next, int row,
                       enum look *look, struct buf *to)
{
    const struct cell *old = row_of(shown, row), *new = row_of(next, row);
    int length = length_of(next, row);
    for (int i = 0; i < next->columns;) {
        if (is_same(old[i], new[i])) {
            i++;
            continue;
        }
        int end = end_of_run(old, new, i, next->columns);
        buf_printf(to, "\033[%d;%dH", row + 1, i + 1);
        send_run(new, i, end < length ? end : length, look, to);
        if (end > length) {
            set_look(to, look, LOOK_PLAIN); /* what is erased takes the present look */
            buf_lit(to, "\033[K");
            return;
        }
        i = end;
    }
}

void screen_update(const struct screen *shown, const struct screen *next, struct buf *to)
{
    struct screen erased = {0};
    enum look look = LOOK_PLAIN;
    if (!shown) {
        if (screen_resize(&erased, next->rows, next->columns) < 0) {
            to->failed = true;
            return;
        }
        buf_lit(to, "\033[m\033[2J");
        shown = &erased;
    }
    for (int row = 0; row < next->rows; row++)
        update_row(shown, next, row, &look, to);
    set_look(to, &look, LOOK_PLAIN);
    screen_free(&erased);
}

void screen_text(const struct screen *screen, struct buf *to)
{
    for (int row = 0; row < screen->rows; row++) {
        int length = length_of(screen, row);
        const struct cell *cells = row_of(screen, row);
        while (length > 0 && cells[length - 1].byte == ' ')
            length--;
        for (int i = 0; i < length; i++)
            buf_add(to, &cells[i].byte, 1);
        if (length > 0)
            buf_lit(to, "\n");
    }
}
