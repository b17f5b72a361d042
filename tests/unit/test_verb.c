#include "master/verb.h"

#include <sysexits.h>

#include "support.h"

static const struct {
    const char *words;
    size_t n;
    bool is_known;
    enum outcome_kind kind;
} rows[] = {
    {"reload", 6, true, OUTCOME_RELOAD},
    {"upgrade", 7, true, OUTCOME_UPGRADE},
    {"scale 5", 7, true, OUTCOME_SCALE},
    {"scale", 5, true, OUTCOME_SCALE}, /* what it lacks is told when it is read */
    {"scale5", 6, false, 0},
    {"stop", 4, true, OUTCOME_STOP},
    {"stop now", 8, true, OUTCOME_STOP},
    {"board", 5, true, OUTCOME_KINDS},
    {"", 0, false, 0},
    {"reloa", 5, false, 0},
    {"reload", 7, false, 0}, /* with its NUL */
    {"reload\n", 7, false, 0},
    {"RELOAD", 6, false, 0},
    {"stop  now", 9, false, 0},
    {"stop now", 5, false, 0},
};

Test(verb, is_found_by_its_words_and_no_others)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char why[VERB_WHY_SIZE] = "";
        const struct verb *verb = verb_find(rows[i].words, rows[i].n, why);
        cr_expect_eq(verb != NULL, rows[i].is_known, "%s", rows[i].words);
        if (verb && rows[i].is_known)
            cr_expect_eq(verb->kind, rows[i].kind, "%s", rows[i].words);
        if (!rows[i].is_known)
            cr_expect_str_eq(why, "there is no such request; there are: reload, upgrade, reopen, "
                                  "scale N, stop, stop now, board");
    }
}

static void expect_refused(const struct master *m, const char *words, int status, const char *why)
{
    char text[VERB_WHY_SIZE] = "";
    const struct verb *verb = verb_find(words, strlen(words), text);
    cr_assert_not_null(verb, "%s", words);
    cr_expect_eq(verb_refuse(m, verb, text), status, "%s", words);
    if (status)
        cr_expect_str_eq(text, why, "%s", words);
}

Test(verb, is_refused_by_a_server_that_leaves_or_stops)
{
    static const char *const words[] = {"reload", "upgrade", "stop", "stop now"};
    const struct master serves = {.pid = 1}, stops = {.is_stopping = true};
    const struct master left = {.is_handed_over = true, .upgrade = {.master = {.pid = 7}}};
    for (size_t i = 0; i < LENGTH(words); i++) {
        bool is_stop = strncmp(words[i], "stop", 4) == 0;
        expect_refused(&serves, words[i], 0, NULL);
        expect_refused(&left, words[i], EX_TEMPFAIL, "the server is pid 7 now; ask that");
        expect_refused(&stops, words[i], is_stop ? 0 : EX_UNAVAILABLE, "the server stops");
    }
    expect_refused(&serves, "board", 0, NULL);
    expect_refused(&stops, "board", 0, NULL);
    expect_refused(&left, "board", EX_TEMPFAIL, "the server is pid 7 now; ask that");
}
