#include "load/report.h"

#include <inttypes.h>
#include <string.h>

#define SECOND_US 1e6

static const struct quantile {
    const char *name, *key;
    unsigned permille;
} quantiles[] = {
    {"p50", "p50", 500},
    {"p90", "p90", 900},
    {"p99", "p99", 990},
    {"p99.9", "p999", 999},
};
#define QUANTILE_COUNT (sizeof quantiles / sizeof *quantiles)

static double seconds(const struct report *report)
{
    return (double)report->result->elapsed_us / SECOND_US;
}

static double window_start(const struct windows *windows, size_t i)
{
    return (double)windows->length_us * (double)i / SECOND_US;
}

static double rate(const struct report *report)
{
    double answered = (double)report->result->ledger.count[OUTCOME_ANSWERED];
    return report->result->elapsed_us > 0 ? answered / seconds(report) : 0;
}

/* The outcomes that are losses are those between the answered and the local ones. */
#define FIRST_CAUSE (OUTCOME_ANSWERED + 1)
#define LAST_CAUSE  (OUTCOME_LOCAL - 1)

static void add_bytes(struct buf *out, uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    double n = (double)bytes;
    int unit = -1;
    for (; n >= 1000; unit++)
        n /= 1000;
    if (unit < 0)
        buf_printf(out, "%" PRIu64 " bytes", bytes);
    else
        buf_printf(out, "%.3g %cB", n, units[unit]);
}

static void add_latency(struct buf *out, const char *name, uint64_t us)
{
    if (us < 10000)
        buf_printf(out, " %s %" PRIu64 " us", name, us);
    else
        buf_printf(out, " %s %.1f ms", name, (double)us / 1000);
}

static void add_latencies(struct buf *out, const struct histogram *h)
{
    if (h->total == 0)
        return;
    buf_lit(out, "latency:");
    for (size_t i = 0; i < QUANTILE_COUNT; i++) {
        add_latency(out, quantiles[i].name, histogram_quantile(h, quantiles[i].permille));
        buf_lit(out, ",");
    }
    add_latency(out, "max", histogram_max(h));
    buf_lit(out, "\n");
}

static void add_lost(struct buf *out, const struct ledger *ledger)
{
    const char *before = " (";
    buf_printf(out, "lost: %" PRIu64, ledger_lost(ledger));
    for (enum outcome i = FIRST_CAUSE; i <= LAST_CAUSE; i++) {
        if (ledger->count[i] == 0)
            continue;
        buf_printf(out, "%s%s %" PRIu64, before, outcome_name(i), ledger->count[i]);
        before = ", ";
    }
    buf_str(out, ledger_lost(ledger) > 0 ? ")\n" : "\n");
}

static void add_times(struct buf *out, const struct ledger *ledger, enum outcome cause)
{
    size_t n = ledger_first_count(ledger, cause);
    if (n == 0)
        return;
    buf_printf(out, "  %s: %s", outcome_name(cause), ledger->count[cause] > n ? "first at" : "at");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s %.3f", i ? "," : "", (double)ledger->first_us[cause][i] / SECOND_US);
    buf_lit(out, " s\n");
}

static void add_wrong(struct buf *out, const struct ledger *ledger)
{
    for (int i = 0; i < LEDGER_STATUS_COUNT; i++)
        if (ledger->wrong[i] > 0)
            buf_printf(out, "  status %03d: %" PRIu64 "\n", i, ledger->wrong[i]);
}

static void add_load(struct buf *out, const struct report *report)
{
    const struct job *job = report->job;
    buf_printf(out, "%u clients, ", report->clients);
    buf_str(out, job->close ? "a connection a request" : "kept connections");
    if (job->depth > 1)
        buf_printf(out, ", %u requests on each", job->depth);
    if (target_source_count(&job->target) > 1)
        buf_printf(out, ", %u sources", target_source_count(&job->target));
    if (report->per_minute > 0)
        buf_printf(out, ", %.6g due a second", (double)report->per_minute / 60);
    buf_printf(out, ", %.2f s: %s\n", seconds(report), report->url);
}

static void add_unsent(struct buf *out, const struct result *result)
{
    if (result->unsent > 0)
        buf_printf(out,
                   "unsent: %" PRIu64 " were due while every client was busy: too few clients, or "
                   "more than the server can do\n",
                   result->unsent);
}

static void add_connections(struct buf *out, const struct result *result)
{
    buf_printf(out, "connections: %" PRIu64, result->connections);
    if (result->idle_ends > 0)
        buf_printf(out, ", %" PRIu64 " ended by the server while idle", result->idle_ends);
    buf_lit(out, "\n");
}

static void add_body(struct buf *out, const struct expect *expect)
{
    if (expect->summed && !expect->same && expect->length != EXPECT_ANY_LENGTH)
        buf_printf(out, "body: %" PRIu64 " bytes, CRC-32 %08" PRIx32 "\n", expect->length,
                   expect->checksum);
}

static void add_windows(struct buf *out, const struct windows *windows)
{
    if (windows->length_us == 0)
        return;
    buf_printf(out, "%10s %10s %8s %10s %10s %10s\n", "from s", "answered", "lost", "p50 us",
               "p99 us", "max us");
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->list[i];
        buf_printf(out, "%10.3f %10" PRIu64 " %8" PRIu64, window_start(windows, i),
                   window->answered, window->lost);
        buf_printf(out, " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", window->p50_us,
                   window->p99_us, window->max_us);
    }
}

void report_text(const struct report *report, struct buf *out)
{
    const struct result *result = report->result;
    const struct ledger *ledger = &result->ledger;
    add_load(out, report);
    buf_printf(out, "answered: %" PRIu64 ", %.0f/s, ", ledger->count[OUTCOME_ANSWERED],
               rate(report));
    add_bytes(out, result->bytes);
    buf_lit(out, "\n");
    add_latencies(out, &result->latency);
    add_body(out, &report->job->expect);
    add_connections(out, result);
    add_unsent(out, result);
    add_windows(out, &result->windows);
    add_lost(out, ledger);
    for (enum outcome i = FIRST_CAUSE; i <= LAST_CAUSE; i++)
        add_times(out, ledger, i);
    add_wrong(out, ledger);
    if (ledger->count[OUTCOME_LOCAL] == 0)
        return;
    buf_printf(out, "local: %" PRIu64 " requests not sent, last: %s; no fault of the server\n",
               ledger->count[OUTCOME_LOCAL], strerror(result->local_error));
    add_times(out, ledger, OUTCOME_LOCAL);
}

/* A URL holds neither control characters nor bytes above 0x7e: url_parse() refuses them. */
static void add_string(struct buf *out, const char *s)
{
    buf_lit(out, "\"");
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            buf_lit(out, "\\");
        buf_add(out, s, 1);
    }
    buf_lit(out, "\"");
}

static void add_json_latency(struct buf *out, const struct histogram *h)
{
    buf_lit(out, ",\"latency_us\":{");
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        buf_printf(out, "\"%s\":%" PRIu64 ",", quantiles[i].key,
                   histogram_quantile(h, quantiles[i].permille));
    buf_printf(out, "\"max\":%" PRIu64 "}", histogram_max(h));
}

static void add_json_first(struct buf *out, const struct ledger *ledger, enum outcome cause)
{
    buf_printf(out, "\"%s\":[", outcome_name(cause));
    for (size_t i = 0; i < ledger_first_count(ledger, cause); i++)
        buf_printf(out, "%s%.6f", i ? "," : "", (double)ledger->first_us[cause][i] / SECOND_US);
    buf_lit(out, "]");
}

static void add_json_wrong(struct buf *out, const struct ledger *ledger)
{
    const char *before = "";
    buf_lit(out, "\"statuses\":{");
    for (int i = 0; i < LEDGER_STATUS_COUNT; i++) {
        if (ledger->wrong[i] == 0)
            continue;
        buf_printf(out, "%s\"%03d\":%" PRIu64, before, i, ledger->wrong[i]);
        before = ",";
    }
    buf_lit(out, "}");
}

static void add_json_ledger(struct buf *out, const struct ledger *ledger)
{
    buf_printf(out, ",\"lost\":%" PRIu64 ",\"causes\":{", ledger_lost(ledger));
    for (enum outcome i = FIRST_CAUSE; i <= LAST_CAUSE; i++)
        buf_printf(out, "%s\"%s\":%" PRIu64, i > FIRST_CAUSE ? "," : "", outcome_name(i),
                   ledger->count[i]);
    buf_lit(out, "},\"first\":{");
    for (enum outcome i = FIRST_CAUSE; i <= LAST_CAUSE; i++) {
        if (i > FIRST_CAUSE)
            buf_lit(out, ",");
        add_json_first(out, ledger, i);
    }
    buf_lit(out, "},");
    add_json_wrong(out, ledger);
    buf_printf(out, ",\"local\":%" PRIu64, ledger->count[OUTCOME_LOCAL]);
}

static void add_json_load(struct buf *out, const struct report *report)
{
    const struct job *job = report->job;
    buf_lit(out, "{\"url\":");
    add_string(out, report->url);
    buf_printf(out, ",\"clients\":%u,\"close\":%s,\"pipeline\":%u,\"sources\":%u", report->clients,
               job->close ? "true" : "false", job->depth, target_source_count(&job->target));
    buf_lit(out, ",\"rate_wanted\":");
    if (report->per_minute > 0)
        buf_printf(out, "%.3f", (double)report->per_minute / 60);
    else
        buf_lit(out, "null");
    buf_printf(out, ",\"began\":%.6f,\"seconds\":%.3f",
               (double)report->result->began_us / SECOND_US, seconds(report));
}

static void add_json_body(struct buf *out, const struct expect *expect)
{
    buf_lit(out, ",\"body\":{\"length\":");
    if (expect->length == EXPECT_ANY_LENGTH)
        buf_lit(out, "null");
    else
        buf_u64(out, expect->length);
    if (expect->summed && !expect->same)
        buf_printf(out, ",\"crc32\":\"%08" PRIx32 "\"}", expect->checksum);
    else
        buf_lit(out, ",\"crc32\":null}");
}

static void add_json_windows(struct buf *out, const struct windows *windows)
{
    if (windows->length_us == 0)
        return;
    buf_lit(out, ",\"windows\":[");
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->list[i];
        buf_printf(out, "%s{\"at\":%.3f,\"answered\":%" PRIu64 ",\"lost\":%" PRIu64, i ? "," : "",
                   window_start(windows, i), window->answered, window->lost);
        buf_printf(out, ",\"p50\":%" PRIu64 ",\"p99\":%" PRIu64 ",\"max\":%" PRIu64 "}",
                   window->p50_us, window->p99_us, window->max_us);
    }
    buf_lit(out, "]");
}

void report_json(const struct report *report, struct buf *out)
{
    const struct result *result = report->result;
    add_json_load(out, report);
    buf_printf(out, ",\"requests\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"rate\":%.1f",
               ledger_total(&result->ledger), result->ledger.count[OUTCOME_ANSWERED], rate(report));
    buf_printf(out, ",\"bytes\":%" PRIu64 ",\"connections\":%" PRIu64, result->bytes,
               result->connections);
    buf_printf(out, ",\"idle_ends\":%" PRIu64 ",\"unsent\":%" PRIu64, result->idle_ends,
               result->unsent);
    add_json_body(out, &report->job->expect);
    add_json_latency(out, &result->latency);
    add_json_ledger(out, &result->ledger);
    add_json_windows(out, &result->windows);
    buf_lit(out, "}\n");
}
