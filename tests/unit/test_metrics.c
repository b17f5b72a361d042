#include "status/metrics.h"

#include "support.h"

static struct snapshot snapshot;
static struct metrics_floor noted;
static struct buf text;

/* All of it, with a NUL behind. */
static const char *write_all(void)
{
    buf_clear(&text);
    metrics_write(&text, &snapshot, &noted);
    buf_add(&text, "", 1);
    cr_assert_not(text.failed);
    return text.p;
}

static void expect_line(const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    cr_expect_not_null(strstr(write_all(), whole), "no line %s", line);
}

/* The value of the sample of that name, labels included. */
static double value_of(const char *sample)
{
    char start[256];
    snprintf(start, sizeof start, "\n%s ", sample);
    const char *at = strstr(write_all(), start);
    cr_assert_not_null(at, "no %s", sample);
    return strtod(at + strlen(start), NULL);
}

/* ------------------------------------------------------------------------------ the format */

Test(metrics, each_family_has_a_help_and_a_type_once)
{
    char name[128], seen[128][128];
    size_t count = 0;
    snapshot.slot_count = 2;
    write_all();
    for (const char *line = text.p; *line; line = strchr(line, '\n') + 1) {
        if (sscanf(line, "# HELP %127s", name) == 1) {
            for (size_t i = 0; i < count; i++)
                cr_expect_str_neq(seen[i], name);
            snprintf(seen[count++], sizeof *seen, "%s", name);
            line = strchr(line, '\n') + 1;
            cr_expect_eq(strncmp(line, "# TYPE ", 7), 0);
            line += 7;
        }
        cr_expect_eq(strncmp(line, seen[count - 1], strlen(seen[count - 1])), 0, "%.60s", line);
    }
    cr_expect_gt(count, 20);
}

Test(metrics, what_must_be_escaped)
{
    snprintf(snapshot.version, sizeof snapshot.version, "1 \"a\\b\nc\"");
    snapshot.metric_count = 1;
    snprintf(snapshot.metric_names[0], 64, "orders_total");
    snprintf(snapshot.metric_helps[0], 128, "A \"b\\c\nd");
    expect_line("drover_build_info{version=\"1 \\\"a\\\\b\\nc\\\"\"} 1");
    expect_line("# HELP orders_total A \"b\\\\c\\nd");
}

Test(metrics, seconds_are_exact)
{
    static const struct {
        uint64_t us;
        const char *words;
    } cases[] = {
        {0, "0"},       {1, "0.000001"},      {500000, "0.5"},
        {1000000, "1"}, {1000010, "1.00001"}, {UINT64_C(9007199254740993000), "9007199254740.993"}};
    char line[128];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        snapshot.sum.cpu_us = cases[i].us;
        snprintf(line, sizeof line, "drover_cpu_seconds_total %s", cases[i].words);
        expect_line(line);
    }
}

/* --------------------------------------------------------------------------- the histograms */

/* Whatever its bucket, a request is in the first bound that is not below it, and in all above. */
Test(metrics, a_request_is_in_all_bounds_above_it)
{
    for (unsigned bucket = 0; bucket < BOARD_BUCKETS; bucket++) {
        memset(&snapshot.sum.row, 0, sizeof snapshot.sum.row);
        snapshot.sum.row.times[bucket] = 3;
        unsigned bounds = 0;
        double most = bucket + 1 < BOARD_BUCKETS ? (double)board_bucket_us(bucket + 1) / 1e6 : 1e9;
        const char *at = write_all();
        while ((at = strstr(at, "duration_seconds_bucket{le=\""))) {
            char *end;
            at += strlen("duration_seconds_bucket{le=\"");
            double bound = strncmp(at, "+Inf", 4) == 0 ? 1e10 : strtod(at, NULL);
            long n = strtol(strchr(at, ' '), &end, 10);
            cr_expect_eq(n, bound >= most - 1e-9 ? 3 : 0, "%u: %g", bucket, bound);
            bounds++;
        }
        cr_expect_gt(bounds, 20);
    }
}

Test(metrics, the_sum_and_the_count_of_requests)
{
    snapshot.sum.row.times[0] = 1;
    snapshot.sum.row.times[40] = 2;
    snapshot.sum.row.times[BOARD_BUCKETS - 1] = 4;
    snapshot.sum.row.time_us = 1234567;
    cr_expect_eq(value_of("drover_request_duration_seconds_bucket{le=\"+Inf\"}"), 7);
    cr_expect_eq(value_of("drover_request_duration_seconds_count"), 7);
    expect_line("drover_request_duration_seconds_sum 1.234567");
}

Test(metrics, depths_of_queues)
{
    for (int i = 0; i < BOARD_DEPTHS; i++)
        snapshot.depths[i] = 1;
    snapshot.depth_sum = 99;
    expect_line("drover_queue_depth_bucket{le=\"0\"} 1");
    expect_line("drover_queue_depth_bucket{le=\"1\"} 2");
    expect_line("drover_queue_depth_bucket{le=\"3\"} 3");
    expect_line("drover_queue_depth_bucket{le=\"1023\"} 11");
    expect_line("drover_queue_depth_bucket{le=\"+Inf\"} 12");
    expect_line("drover_queue_depth_sum 99");
    expect_line("drover_queue_depth_count 12");
}

/* ------------------------------------------------------------------------------ the figures */

Test(metrics, requests_by_class)
{
    for (int i = 0; i < BOARD_CLASSES; i++)
        snapshot.sum.row.answers[i] = (uint64_t)i + 10;
    expect_line("drover_requests_total{code=\"1xx\"} 10");
    expect_line("drover_requests_total{code=\"5xx\"} 14");
}

Test(metrics, workers_by_what_they_do)
{
    snapshot.worker_count = 5;
    snapshot.workers[0].is_ready = true;
    snapshot.workers[1].is_ready = snapshot.workers[1].is_stalled = true;
    snapshot.workers[2].is_ready = snapshot.workers[2].is_leaving = true;
    snapshot.workers[3].is_ready = true;
    expect_line("drover_workers{state=\"accepting\"} 2");
    expect_line("drover_workers{state=\"starting\"} 1");
    expect_line("drover_workers{state=\"stalled\"} 1");
    expect_line("drover_workers{state=\"leaving\"} 1");
}

Test(metrics, standbys_and_what_they_have_done)
{
    snapshot.standby_count = 3;
    snapshot.successions[BOARD_SUCCESSION_END] = 2;
    snapshot.successions[BOARD_SUCCESSION_HANG] = 1;
    snapshot.kept_connections = 21;
    expect_line("drover_standbys 3");
    expect_line("drover_successions_total{cause=\"end\"} 2");
    expect_line("drover_successions_total{cause=\"hang\"} 1");
    expect_line("drover_connections_kept_total 21");
}

Test(metrics, a_slot_has_all_of_its_workers)
{
    snapshot.slot_count = 2;
    snapshot.slots[0].worker = -1;
    snapshot.slots[0].board.queued = 4;
    snapshot.slots[1].worker = 1;
    snapshot.worker_count = 3;
    for (int i = 0; i < 3; i++)
        snapshot.workers[i] = (struct snapshot_worker){
            .slot = 1, .counts = {.row = {.connections = 5}, .rss = 4096}};
    expect_line("drover_slot_connections{slot=\"0\"} 0");
    expect_line("drover_slot_connections{slot=\"1\"} 15");
    expect_line("drover_slot_resident_memory_bytes{slot=\"0\"} 0");
    expect_line("drover_slot_resident_memory_bytes{slot=\"1\"} 4096");
    expect_line("drover_slot_queued_connections{slot=\"0\"} 4");
}

/* What a process had used is read by one clock while it lives, and added by another. */
Test(metrics, what_proc_counts_never_goes_back)
{
    snapshot.sum.cpu_us = 2000000;
    snapshot.sum.voluntary = 7;
    expect_line("drover_cpu_seconds_total 2");
    snapshot.sum.cpu_us = 1999000;
    snapshot.sum.voluntary = 6;
    expect_line("drover_cpu_seconds_total 2");
    expect_line("drover_context_switches_total{kind=\"voluntary\"} 7");
    snapshot.sum.cpu_us = 2000001;
    expect_line("drover_cpu_seconds_total 2.000001");
}

Test(metrics, the_applications_own)
{
    snapshot.metric_count = 3;
    snprintf(snapshot.metric_names[0], 64, "orders_total");
    snprintf(snapshot.metric_helps[0], 128, "Orders taken.");
    snprintf(snapshot.metric_names[1], 64, "stock");
    snapshot.metric_is_gauge[1] = true;
    snprintf(snapshot.metric_names[2], 64, "process_start_time_seconds");
    snapshot.sum.row.of_app[0] = 12;
    snapshot.sum.row.of_app[1] = (uint64_t)-3;
    expect_line("# TYPE orders_total counter");
    expect_line("orders_total 12");
    expect_line("# TYPE stock gauge");
    expect_line("stock -3");
    const char *first = strstr(write_all(), "# TYPE process_start_time_seconds ");
    cr_expect_null(strstr(first + 1, "# TYPE process_start_time_seconds "), "it is one of ours");
}
