#include "lab/report/results.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <sysexits.h>

#define ROW "{\"kind\":\"strategy\",\"name\":\"poll\",\"workload\":\"singles\",\"workers\":4"

struct read {
    struct results results;
    struct buf wrong;
    int status;
};

static struct read parse(const char *text)
{
    struct read read = {.status = 0};
    read.status = results_parse(&read.results, "f.jsonl", text, strlen(text), &read.wrong);
    buf_add(&read.wrong, "", 1);
    return read;
}

static void clean(struct read *read)
{
    results_free(&read->results);
    buf_free(&read->wrong);
}

Test(lab_results, a_measurement_is_read)
{
    struct read read = parse(
        ROW ",\"jain\":0.5,\"phase\":\"60 %\",\"nobody_knows\":[1],\"skipped\":null,"
            "\"latency_us\":{\"p50\":12,\"p99\":null}}\n\n");
    cr_assert_eq(read.status, 0, "%s", read.wrong.p);
    cr_assert_eq(read.results.count, 1);
    const struct result *row = &read.results.rows[0];
    cr_expect_str_eq(row->name, "poll");
    cr_expect_str_eq(row->phase, "60 %");
    cr_expect_eq(row->workers, 4);
    cr_expect_null(row->skipped);
    cr_expect(result_is_measurement(row));
    cr_expect_eq(result_number(row, "jain"), 0.5);
    cr_expect_eq(result_number(row, "latency_us.p50"), 12);
    cr_expect(isnan(result_number(row, "latency_us.p99")));
    cr_expect(isnan(result_number(row, "latency_us.max")));
    cr_expect(isnan(result_number(row, "wakeups_per_connection")));
    cr_expect(isnan(result_number(row, "nothing.at.all")));
    cr_expect(isnan(result_lost(row)));
    cr_expect_eq(read.results.notes.len, 0);
    clean(&read);
}

struct wrong_case {
    const char *name, *text, *words;
    int status;
};

Test(lab_results, what_is_wrong_is_told_with_its_place)
{
    static const struct wrong_case cases[] = {
        {"no JSON", ROW "}\n{\"kind\" 5}\n", "f.jsonl:2:9: ':' expected near '5'", EX_DATAERR},
        {"no object", "[1]\n", "f.jsonl:1:1: a JSON object was expected", EX_DATAERR},
        {"no kind", "{\"name\":\"x\"}\n", "f.jsonl:1:1: an object without \"kind\"", EX_DATAERR},
        {"no name", "{\"kind\":\"model\"}\n", "f.jsonl:1:1: an object without \"name\"",
         EX_DATAERR},
        {"no claim", "{\"kind\":\"claim\"}\n", "f.jsonl:1:1: a claim without \"text\"", EX_DATAERR},
        {"a text for a figure", ROW ",\"jain\":\"1\"}\n", "f.jsonl:1:1: \"jain\" is no number",
         EX_DATAERR},
        {"a figure for a text", ROW ",\"phase\":1}\n", "f.jsonl:1:1: \"phase\" is no text",
         EX_DATAERR},
        {"two on a line", ROW "}{}\n", "f.jsonl:1:67: end of file expected near '{'", EX_DATAERR},
        {"nothing", "", "f.jsonl: there is no measurement in it", EX_DATAERR},
        {"blank lines", "\n \n", "f.jsonl: there is no measurement in it", EX_DATAERR},
        {"the last line cut short, and none before",
         "{\"kind\":", "f.jsonl: there is no measurement in it", EX_DATAERR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct read read = parse(cases[i].text);
        cr_expect_eq(read.status, cases[i].status, "%s", cases[i].name);
        cr_expect_str_eq(read.wrong.p, cases[i].words, "%s: %s", cases[i].name, read.wrong.p);
        clean(&read);
    }
}

Test(lab_results, a_last_line_that_is_cut_short_is_told_and_passed_over)
{
    struct read read = parse(ROW "}\n" ROW ",\"ja");
    cr_assert_eq(read.status, 0);
    cr_expect_eq(read.results.count, 1);
    buf_add(&read.results.notes, "", 1);
    cr_expect_str_eq(read.results.notes.p,
                     "f.jsonl:2: the last line is cut short, and was passed over\n");
    clean(&read);
}

Test(lab_results, a_last_line_without_newline_counts_when_it_is_whole)
{
    struct read read = parse(ROW "}\n" ROW "}");
    cr_assert_eq(read.status, 0);
    cr_expect_eq(read.results.count, 2);
    cr_expect_eq(read.results.notes.len, 0);
    clean(&read);
}

Test(lab_results, machines_are_told_apart)
{
    struct read read = parse(ROW ",\"kernel\":\"6.1\",\"cpus\":2}\n" ROW
                                 ",\"kernel\":\"6.2\",\"cpus\":2}\n" ROW
                                 ",\"kernel\":\"6.1\",\"cpus\":2}\n" ROW "}\n");
    cr_assert_eq(read.status, 0);
    cr_assert_eq(read.results.machine_count, 3);
    cr_expect_str_eq(read.results.machines[0], "Linux 6.1, 2 CPUs");
    cr_expect_str_eq(read.results.machines[1], "Linux 6.2, 2 CPUs");
    cr_expect_str_eq(read.results.machines[2], "a machine that is not named");
    cr_expect_eq(read.results.rows[2].machine, 0);
    cr_expect_eq(read.results.rows[3].machine, 2);
    clean(&read);
}

/* As expectation_json() writes it: a number, or null. */
Test(lab_results, an_expectation_has_a_measured_number)
{
    struct read read = parse("{\"kind\":\"expectation\",\"name\":\"poll\",\"measured\":4.25}\n");
    char room[32];
    cr_assert_eq(read.status, 0, "%s", read.wrong.p);
    cr_expect_str_eq(result_text(&read.results.rows[0], "measured", room, sizeof room), "4.25");
    cr_expect_not(result_is_measurement(&read.results.rows[0]));
    clean(&read);
}

Test(lab_results, losses_are_summed_but_for_the_clients_own)
{
    struct read read = parse(ROW ",\"lost\":{\"reset\":2,\"silent\":3,\"local\":40}}\n");
    cr_assert_eq(read.status, 0);
    cr_expect_eq(result_lost(&read.results.rows[0]), 5);
    clean(&read);
}

Test(lab_results, a_value_that_is_no_text_is_written_as_json)
{
    char room[32], small[4];
    struct read read = parse(ROW ",\"limits\":{\"nofile\":20000}}\n");
    cr_expect_str_eq(result_text(&read.results.rows[0], "limits", room, sizeof room),
                     "{\"nofile\": 20000}");
    cr_expect_str_eq(result_text(&read.results.rows[0], "limits", small, sizeof small), "");
    cr_expect_str_eq(result_text(&read.results.rows[0], "kernel", room, sizeof room), "");
    clean(&read);
}
