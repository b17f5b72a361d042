/*
 * top_screen - what a terminal shows, as a grid of characters, and the bytes that make one of
 * another: as few as a slow line wants.
 *
 * Text that is put there may come from anywhere: what is no printable ASCII becomes '?'. Positions
 * count from 0; what lies outside is cut. No descriptor here, and no clock.
 */
#ifndef DROVER_CLI_TOP_SCREEN_H
#define DROVER_CLI_TOP_SCREEN_H

#include "base/buf.h"

enum look { LOOK_PLAIN, LOOK_BOLD, LOOK_REVERSE, LOOK_STRONG /* bold and reverse */ };

struct cell {
    char byte;
    unsigned char look; /* enum look */
};

/* A zeroed struct has no rows. */
struct screen {
    int rows, columns;
    struct cell *cells; /* owned: rows * columns */
};

/* A blank one of this size, in place of what there was, which stays when it fails. 0, or -1 with
 * errno set. */
int screen_resize(struct screen *screen, int rows, int columns);
void screen_free(struct screen *screen);

void screen_clear(struct screen *screen);

/* Both return the column behind the text, even where that is cut. */
int screen_put(struct screen *screen, int row, int column, enum look look, const char *text);
int screen_printf(struct screen *screen, int row, int column, enum look look, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

/* Gives the whole row this look, with what stands in it. */
void screen_look(struct screen *screen, int row, enum look look);

/*
 * Appends what a terminal is to be sent that shows `shown`, so that it shows `next`, of the same
 * size: nothing for two that are the same. NULL: what it shows is not known, and is erased. The
 * terminal does not wrap lines; it is left with plain text.
 */
void screen_update(const struct screen *shown, const struct screen *next, struct buf *to);

/* Appends the rows as plain lines, without blanks at their ends; none for one that is blank. */
void screen_text(const struct screen *screen, struct buf *to);

#endif
