/*
 * top_keys - what a terminal sends for its keys, byte by byte: a key may come in pieces, and ESC
 * alone is one, too.
 */
#ifndef DROVER_CLI_TOP_KEYS_H
#define DROVER_CLI_TOP_KEYS_H

#include <stdbool.h>

/* Other keys are their ASCII characters. */
enum key {
    KEY_NONE = 0,
    KEY_ESCAPE = 0x1b,
    KEY_UP = 0x100,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
};

/* Between two bytes. A zeroed struct is the start. */
struct keys {
    enum { KEYS_GROUND, KEYS_ESCAPE, KEYS_CSI, KEYS_SS3, KEYS_CONSOLE } state;
    int number; /* the first parameter of a control sequence */
    bool has_number;
};

/* Takes the next byte. Returns the key that it completes; KEY_NONE: none, or one without a meaning
 * here. */
int keys_take(struct keys *keys, unsigned char byte);

/* Does an ESC wait for what may follow it? */
bool keys_is_waiting(const struct keys *keys);

/* Nothing has followed: KEY_ESCAPE for a lone ESC, else KEY_NONE. What was begun is dropped. */
int keys_expire(struct keys *keys);

#endif
