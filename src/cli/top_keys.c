#include "cli/top_keys.h"

#include <ctype.h>

#define ESC 0x1b

/* More digits than a key has. */
#define NUMBER_MAX 999

/* Sequences: ECMA-48 control sequences, and SS3 before the same letters where a terminal is in
 * application mode. */
static int key_of_letter(unsigned char letter)
{
    switch (letter) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return KEY_RIGHT;
    case 'D': return KEY_LEFT;
    case 'H': return KEY_HOME;
    case 'F': return KEY_END;
    default: return KEY_NONE;
    }
}

/* Of ESC [ NUMBER ~: those of the VT220, and rxvt's. */
static int key_of_number(int number)
{
    switch (number) {
    case 1:
    case 7: return KEY_HOME;
    case 4:
    case 8: return KEY_END;
    case 5: return KEY_PAGE_UP;
    case 6: return KEY_PAGE_DOWN;
    default: return KEY_NONE;
    }
}

static int end(struct keys *keys, int key)
{
    *keys = (struct keys){0};
    return key;
}

static int take_after_escape(struct keys *keys, unsigned char byte)
{
    if (byte == '[')
        keys->state = KEYS_CSI;
    else if (byte == 'O')
        keys->state = KEYS_SS3;
    else
        return end(keys, KEY_NONE); /* Alt and a key */
    return KEY_NONE;
}

static int take_parameter(struct keys *keys, unsigned char byte)
{
    if (byte == ';') {
        keys->has_number = true; /* what follows it are Shift and its kind */
    } else if (isdigit(byte) && !keys->has_number) {
        keys->number = keys->number * 10 + (byte - '0');
        if (keys->number > NUMBER_MAX)
            keys->number = NUMBER_MAX;
    }
    return KEY_NONE;
}

static int take_in_sequence(struct keys *keys, unsigned char byte)
{
    if (byte == '[' && keys->number == 0 && !keys->has_number) { /* F1 to F5 of Linux's console */
        keys->state = KEYS_CONSOLE;
        return KEY_NONE;
    }
    if (byte >= 0x20 && byte < 0x40)
        return take_parameter(keys, byte);
    if (byte < 0x20 || byte > 0x7e)
        return end(keys, KEY_NONE);
    return end(keys, byte == '~' ? key_of_number(keys->number) : key_of_letter(byte));
}

int keys_take(struct keys *keys, unsigned char byte)
{
    if (byte == ESC) { /* begins anew, whatever was under way */
        bool was_escape = keys->state == KEYS_ESCAPE;
        *keys = (struct keys){.state = KEYS_ESCAPE};
        return was_escape ? KEY_ESCAPE : KEY_NONE;
    }
    switch (keys->state) {
    case KEYS_ESCAPE: return take_after_escape(keys, byte);
    case KEYS_CSI: return take_in_sequence(keys, byte);
    case KEYS_SS3: return end(keys, key_of_letter(byte));
    case KEYS_CONSOLE: return end(keys, KEY_NONE);
    case KEYS_GROUND: break;
    }
    return byte < 0x80 ? byte : KEY_NONE;
}

bool keys_is_waiting(const struct keys *keys)
{
    return keys->state != KEYS_GROUND;
}

int keys_expire(struct keys *keys)
{
    return end(keys, keys->state == KEYS_ESCAPE ? KEY_ESCAPE : KEY_NONE);
}
