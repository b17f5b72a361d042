#include "status/json.h"

#include "snapshots.h"

/* What is printed of this board, until the next call. */
static const char *printed(const struct board *board)
{
    static struct buf text;
    buf_clear(&text);
    take(board);
    status_json(&text, &snapshot);
    buf_add(&text, "", 1);
    cr_assert(!text.failed);
    return text.p;
}

static void expect_part(const char *text, const char *part)
{
    cr_expect_not_null(strstr(text, part), "no %s in %s", part, text);
}

Test(status_json, has_all_that_its_schema_names)
{
    struct board *board = make_server(2);
    snprintf(board->addresses, sizeof board->addresses, "http://127.0.0.1:80/ unix:/run/x");
    board->rows[1].requests = 7;
    board->rows[1].answers[1] = 7;
    board->rows[1].times[8] = 7;
    board->slots[1].adopter = 1;
    board->ended[BOARD_END_HUNG] = 3;
    snprintf(board->metric_names[0], sizeof board->metric_names[0], "coins_total");
    board->rows[0].of_app[0] = 5;
    board_tell(board, DATE + 7, 1, "words");
    static const char *const parts[] = {
        "{\"date\":\"2026-01-31T12:00:00.000Z\",\"uptime_seconds\":90.000,\"version\":\"0.1.0\","
        "\"pid\":4999999,\"phase\":\"serving\",\"is_ready\":true,\"is_stopped\":false,",
        "\"addresses\":[\"http://127.0.0.1:80/\",\"unix:/run/x\"]",
        "\"troubles\":[]",
        "\"workers_wanted\":2,\"workers_ready\":2,\"workers_stalled\":0,\"slot_count\":2",
        "\"totals\":{\"connections_open\":0,\"connections_accepted\":0,\"requests\":7,",
        "\"answers\":{\"1xx\":0,\"2xx\":7,\"3xx\":0,\"4xx\":0,\"5xx\":0}",
        "\"wakeups_per_connection\":null,\"jain_index\":0.500",
        "\"rates\":{\"1s\":null,\"10s\":null,\"60s\":null}",
        "\"hung\":3",
        "\"depths\":[{\"at_least\":0,\"seen\":0},{\"at_least\":1,\"seen\":0},{\"at_least\":2,",
        "{\"slot\":1,\"state\":\"live\",\"is_served\":true,\"adopter\":0,",
        "\"worker\":5000001",
        "\"metrics\":{\"coins_total\":5}",
        "\"events\":[{\"number\":1,\"date\":\"2026-01-31T12:00:00.007Z\",\"level\":\"warn\","
        "\"text\":\"words\"}]}",
    };
    const char *text = printed(board);
    for (size_t i = 0; i < LENGTH(parts); i++)
        expect_part(text, parts[i]);
    board_close(board);
}

Test(status_json, standbys_and_what_they_have_done)
{
    struct board *board = make_server(2);
    expect_part(printed(board), "\"standbys\":{\"is_on\":false,\"asleep\":0,"
                                "\"successions\":{\"end\":0,\"hang\":0},"
                                "\"connections_kept\":0}");
    expect_part(printed(board), "\"pid\":5000000,\"standby\":null,");
    board->has_standbys = 1;
    board->workers_of[0].standby = 6000000;
    board->workers_of[1].standby = 6000001;
    board->workers_of[1].is_leaving = 1; /* it is not there for its clients any more */
    board->successions[BOARD_SUCCESSION_END] = 2;
    board->successions[BOARD_SUCCESSION_HANG] = 1;
    board->kept_connections = 21;
    expect_part(printed(board), "\"standbys\":{\"is_on\":true,\"asleep\":1,"
                                "\"successions\":{\"end\":2,\"hang\":1},"
                                "\"connections_kept\":21}");
    expect_part(printed(board), "\"pid\":5000000,\"standby\":6000000,");
    board_close(board);
}

Test(status_json, slots_whose_workers_crash)
{
    struct board *board = make_server(1);
    board->slots[0].crashes = 4;
    board->slots[0].crashed_ms = NOW - CRASH_ROW_MS;
    strcpy(board->slots[0].crashed_request, "GET /\n\"\xff\" HTTP/1.1");
    expect_part(printed(board),
                "\"crashes_in_a_row\":4,\"crashed_request\":\"GET /?\\\"?\\\" HTTP/1.1\"");
    board->slots[0].crashed_ms--;
    expect_part(printed(board), "\"crashes_in_a_row\":0,\"crashed_request\":null");
    board->slots[0].crashed_ms = NOW;
    board->slots[0].crashes = CRASH_ROW_LEAST - 1;
    expect_part(printed(board), "\"crashes_in_a_row\":0,\"crashed_request\":null");
    board_close(board);
}

Test(status_json, rates_that_are_known)
{
    struct board *board = make_server(1);
    board->rows[0].requests = 1500;
    board->samples[0] = (struct board_sample){.at_ms = NOW - 1000, .requests = 1000};
    board->sample_count = 1;
    expect_part(printed(board), "\"1s\":{\"requests\":500.000,\"connections\":0.000,"
                                "\"wakeups\":0.000,\"bytes\":0.000}");
    board_close(board);
}

/* Brackets in pairs, strings with an end, and no byte that JSON does not permit. */
static void expect_whole(const char *text)
{
    int depth = 0;
    bool is_string = false;
    for (const char *at = text; *at; at++) {
        cr_assert((unsigned char)*at >= ' ', "%d", *at);
        if (is_string && *at == '\\')
            at++;
        else if (*at == '"')
            is_string = !is_string;
        else if (!is_string)
            depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        cr_assert(depth >= 0);
    }
    cr_expect_eq(depth, 0);
    cr_expect_not(is_string);
}

Test(status_json, is_whole_whatever_the_bytes)
{
    struct board *board = make_server(3);
    expect_whole(printed(board));
    snprintf(board->root, sizeof board->root, "\"\\\x01\x1b\xff{[,");
    memcpy(board->app, board->root, sizeof board->app - 1);
    memcpy(board->serves, board->root, sizeof board->root);
    snprintf(board->addresses, sizeof board->addresses, "  a\"  b\\ ");
    board_tell(board, DATE, 99, "\"\\\n");
    const char *text = printed(board);
    expect_whole(text);
    expect_part(text, "\"root\":\"\\\"\\\\\\u0001\\u001b\\ufffd{[,\"");
    expect_part(text, "\"serves\":\"\\\"\\\\\\u0001\\u001b\\ufffd{[,\"");
    expect_part(text, "\"addresses\":[\"a\\\"\",\"b\\\\\"]");
    expect_part(text, "\"level\":\"unknown\"");
    make_hostile(board);
    expect_whole(printed(board));
    board_close(board);
}
