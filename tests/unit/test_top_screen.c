#include "cli/top_screen.h"

#include "support.h"

static struct screen screen_of(int rows, int columns)
{
    struct screen screen = {0};
    cr_assert_eq(screen_resize(&screen, rows, columns), 0);
    return screen;
}

static void expect_update(const struct screen *shown, const struct screen *next, const char *wanted)
{
    struct buf to = {0};
    screen_update(shown, next, &to);
    cr_expect(to.len == strlen(wanted) && memcmp(to.p ? to.p : "", wanted, to.len) == 0,
              "\"%.*s\" and not \"%s\"", (int)to.len, to.p ? to.p : "", wanted);
    buf_free(&to);
}

static void expect_text(const struct screen *screen, const char *wanted)
{
    struct buf to = {0};
    screen_text(screen, &to);
    buf_add(&to, "", 1);
    cr_expect_str_eq(to.p, wanted);
    buf_free(&to);
}

Test(top_screen, text_is_cut_at_the_edges)
{
    struct screen screen = screen_of(3, 5);
    cr_expect_eq(screen_put(&screen, 0, 3, LOOK_PLAIN, "abcdef"), 9);
    cr_expect_eq(screen_printf(&screen, 2, -2, LOOK_BOLD, "%s%d", "xyz", 7), 2);
    screen_put(&screen, 3, 0, LOOK_PLAIN, "below");
    screen_put(&screen, -1, 0, LOOK_PLAIN, "above");
    expect_text(&screen, "   ab\nz7\n");
    screen_clear(&screen);
    expect_text(&screen, "");
    screen_free(&screen);
}

Test(top_screen, what_could_harm_a_terminal_is_a_question_mark)
{
    struct screen screen = screen_of(1, 20);
    screen_put(&screen, 0, 0, LOOK_PLAIN, "a\033[2Jb\n\t\x7f\x9b\xff\xc3\xa4\xe2\x82\xac.");
    expect_text(&screen, "a?[2Jb???????.\n");
    screen_free(&screen);
}

Test(top_screen, only_what_has_changed_is_sent)
{
    struct screen shown = screen_of(3, 30), next = screen_of(3, 30);
    expect_update(&shown, &next, "");
    screen_put(&next, 1, 2, LOOK_PLAIN, "12");
    expect_update(&shown, &next, "\033[2;3H12");
    screen_put(&shown, 1, 2, LOOK_PLAIN, "13");
    expect_update(&shown, &next, "\033[2;4H2");
    screen_free(&shown);
    screen_free(&next);
}

Test(top_screen, runs_that_are_near_are_one)
{
    struct screen shown = screen_of(1, 40), next = screen_of(1, 40);
    screen_put(&shown, 0, 0, LOOK_PLAIN, "a.......b..........c.");
    screen_put(&next, 0, 0, LOOK_PLAIN, "A.......B..........C.");
    expect_update(&shown, &next, "\033[1;1HA.......B\033[1;20HC");
    screen_free(&shown);
    screen_free(&next);
}

Test(top_screen, what_is_gone_at_the_end_of_a_line_is_erased)
{
    struct screen shown = screen_of(2, 40), next = screen_of(2, 40);
    screen_put(&shown, 0, 0, LOOK_PLAIN, "a long line of text");
    screen_put(&next, 0, 0, LOOK_PLAIN, "a line");
    screen_put(&shown, 1, 0, LOOK_REVERSE, "title");
    expect_update(&shown, &next, "\033[1;4Hine\033[K\033[2;1H\033[K");
    screen_free(&shown);
    screen_free(&next);
}

Test(top_screen, looks_are_set_when_they_change_and_taken_back)
{
    struct screen shown = screen_of(2, 10), next = screen_of(2, 10);
    screen_put(&next, 0, 0, LOOK_PLAIN, "a");
    screen_put(&next, 0, 1, LOOK_BOLD, "bc");
    screen_put(&next, 1, 0, LOOK_PLAIN, "x");
    screen_look(&next, 1, LOOK_REVERSE);
    expect_update(&shown, &next, "\033[1;1Ha\033[0;1mbc\033[2;1H\033[0;7mx         \033[m");
    screen_free(&shown);
    screen_free(&next);
}

Test(top_screen, a_screen_that_is_not_known_is_erased)
{
    struct screen next = screen_of(2, 10);
    screen_put(&next, 1, 0, LOOK_PLAIN, "x");
    expect_update(NULL, &next, "\033[m\033[2J\033[2;1Hx");
    screen_free(&next);
}

/* What a sequence of SGR says; only those that are used are known here. */
static enum look look_of(const char *sequence)
{
    static const char *const sequences[] = {"\033[m", "\033[0;1m", "\033[0;7m", "\033[0;1;7m"};
    for (int look = LOOK_PLAIN; look <= LOOK_STRONG; look++)
        if (strncmp(sequence, sequences[look], strlen(sequences[look])) == 0)
            return (enum look)look;
    cr_assert_fail("an unknown sequence: %s", sequence + 1);
    return LOOK_PLAIN;
}

struct cursor {
    int row, column;
    enum look look;
};

/* Returns its length. */
static size_t obey(struct screen *terminal, struct cursor *cursor, const char *sequence)
{
    int row, column, length = 0;
    if (sscanf(sequence, "\033[%d;%dH%n", &row, &column, &length) == 2 && length > 0) {
        cursor->row = row - 1;
        cursor->column = column - 1;
        return (size_t)length;
    }
    if (strncmp(sequence, "\033[2J", 4) == 0) {
        screen_clear(terminal);
        return 4;
    }
    if (strncmp(sequence, "\033[K", 3) == 0) {
        cr_assert_eq(cursor->look, LOOK_PLAIN, "what is erased takes the present look");
        for (int i = cursor->column; i < terminal->columns; i++)
            screen_put(terminal, cursor->row, i, LOOK_PLAIN, " ");
        return 3;
    }
    cursor->look = look_of(sequence);
    return strcspn(sequence, "m") + 1;
}

/* A terminal that does what it is sent. */
static void send_to(struct screen *terminal, struct buf *bytes)
{
    struct cursor cursor = {.look = LOOK_PLAIN};
    buf_add(bytes, "", 1);
    for (const char *at = bytes->p; *at;) {
        if (*at == '\033') {
            at += obey(terminal, &cursor, at);
            continue;
        }
        char text[2] = {*at++, '\0'};
        cr_assert(cursor.row < terminal->rows && cursor.column < terminal->columns);
        screen_put(terminal, cursor.row, cursor.column++, cursor.look, text);
    }
    cr_expect_eq(cursor.look, LOOK_PLAIN, "the look is taken back");
}

static void scribble(struct screen *screen, unsigned *seed)
{
    for (int i = 0; i < 12; i++) {
        static const char *const words[] = {"a",        "  ",         "some words",
                                            "\033[31m", "          ", "12"};
        screen_put(screen, (int)(next_random(seed) % 8) - 1, (int)(next_random(seed) % 34) - 2,
                   next_random(seed) % (LOOK_STRONG + 1), words[next_random(seed) % LENGTH(words)]);
    }
    if (next_random(seed) % 4 == 0)
        screen_look(screen, (int)(next_random(seed) % 6), LOOK_REVERSE);
    if (next_random(seed) % 16 == 0)
        screen_clear(screen);
}

Test(top_screen, a_terminal_shows_what_it_was_sent_last)
{
    struct screen shown = screen_of(6, 30), next = screen_of(6, 30), terminal = screen_of(6, 30);
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        struct buf to = {0};
        scribble(&next, &seed);
        screen_update(round % 100 == 0 ? NULL : &shown, &next, &to);
        send_to(&terminal, &to);
        size_t size = (size_t)(6 * 30) * sizeof(struct cell);
        cr_assert_eq(memcmp(terminal.cells, next.cells, size), 0, "round %d", round);
        memcpy(shown.cells, next.cells, size);
        buf_free(&to);
    }
    screen_free(&shown);
    screen_free(&next);
    screen_free(&terminal);
}
