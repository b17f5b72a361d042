#include "cli/top_keys.h"

#include "support.h"

/* The keys of these bytes; 0 behind the last. */
static void take_all(const char *bytes, int keys[8])
{
    struct keys state = {0};
    int count = 0;
    for (; *bytes; bytes++) {
        int key = keys_take(&state, (unsigned char)*bytes);
        if (key != KEY_NONE && count < 7)
            keys[count++] = key;
    }
    keys[count] = 0;
}

Test(top_keys, sequences)
{
    static const struct {
        const char *bytes;
        int keys[8];
    } cases[] = {
        {"q", {'q'}},
        {"qr ", {'q', 'r', ' '}},
        {"\033[A\033[B\033[C\033[D", {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT}},
        {"\033OA\033OB\033OC\033OD", {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT}},
        {"\033[H\033[F\033OH\033OF", {KEY_HOME, KEY_END, KEY_HOME, KEY_END}},
        {"\033[1~\033[4~\033[7~\033[8~", {KEY_HOME, KEY_END, KEY_HOME, KEY_END}},
        {"\033[5~\033[6~", {KEY_PAGE_UP, KEY_PAGE_DOWN}},
        {"\033[1;5Cx", {KEY_RIGHT, 'x'}},       /* Ctrl-right */
        {"\033[5;2~x", {KEY_PAGE_UP, 'x'}},     /* Shift-PgUp */
        {"\033[11~\033[24~\033[200~x", {'x'}},  /* F1, F12, a paste */
        {"\033[[Aq", {'q'}},                    /* F1 of the console */
        {"\033[?1;2cq", {'q'}},                 /* an answer of the terminal's */
        {"\033xq", {'q'}},                      /* Alt-x */
        {"\033\033[A", {KEY_ESCAPE, KEY_UP}},   /* ESC, then a key */
        {"\033[\033[B", {KEY_DOWN}},            /* one that was broken off */
        {"\033[\nq", {'q'}},                    /* the same */
        {"\033[99999999999999999999~q", {'q'}}, /* no overflow */
        {"\xc3\xa4q", {'q'}},                   /* a letter beyond ASCII */
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        int keys[8];
        take_all(cases[i].bytes, keys);
        for (size_t k = 0; k < 8 && (k == 0 || keys[k - 1]); k++)
            cr_expect_eq(keys[k], cases[i].keys[k], "case %zu, key %zu: %d", i, k, keys[k]);
    }
}

Test(top_keys, an_escape_waits_for_what_may_follow_it)
{
    struct keys keys = {0};
    cr_expect(!keys_is_waiting(&keys));
    cr_expect_eq(keys_take(&keys, 0x1b), KEY_NONE);
    cr_expect(keys_is_waiting(&keys));
    cr_expect_eq(keys_expire(&keys), KEY_ESCAPE, "nothing has followed");
    cr_expect(!keys_is_waiting(&keys));
    cr_expect_eq(keys_take(&keys, 'A'), 'A');
}

Test(top_keys, a_sequence_that_does_not_go_on_is_no_key)
{
    struct keys keys = {0};
    keys_take(&keys, 0x1b);
    keys_take(&keys, '[');
    cr_expect(keys_is_waiting(&keys));
    cr_expect_eq(keys_expire(&keys), KEY_NONE);
    cr_expect_eq(keys_take(&keys, 'q'), 'q');
}
