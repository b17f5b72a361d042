#include "lab/cli/row.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static uint64_t lost(const struct measurement *m)
{
    uint64_t sum = 0;
    for (int i = 0; i < OUTCOME_COUNT; i++)
        sum += i == OUTCOME_LOCAL ? 0 : m->lost[i];
    return sum;
}

/* A figure in so many columns; "-" if there is none. */
static void figure(int width, int digits, double value)
{
    if (isfinite(value))
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "-");
}

/* 950 us, 1.2 ms, 3.0 s: six columns. */
static void duration(double us)
{
    if (!isfinite(us))
        printf(" %8s", "-");
    else if (us < 1000)
        printf(" %5.0f us", us);
    else if (us < 1e6)
        printf(" %5.1f ms", us / 1000);
    else
        printf(" %5.2f s ", us / 1e6);
}

/* Who got the connections: each worker's share of the largest, as blocks. */
static void shares(const struct measurement *m)
{
    static const char *const blocks[] = {"·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t most = 0;
    for (unsigned i = 0; i < m->workers; i++)
        most = m->per_worker[i] > most ? m->per_worker[i] : most;
    fputs("  ", stdout);
    for (unsigned i = 0; i < m->workers && i < 32 && most > 0; i++)
        fputs(blocks[m->per_worker[i] == 0 ? 0 : 1 + (m->per_worker[i] * 7) / most], stdout);
    if (m->workers > 32)
        fputs("…", stdout);
}

static void strategy_head(void)
{
    printf("%-28s %3s %7s %7s %7s %7s %7s %7s %8s %8s %7s %5s %5s  %s\n", "", "N", "conns",
           "wakeups", "kernel", "visible", "hidden", "CPU us", "p50", "p99", "served", "late",
           "lost", "who");
}

static void strategy_row(const struct measurement *m)
{
    printf(" %3u %7" PRIu64, m->workers, m->connections);
    figure(7, 2, m->wakeups);
    figure(7, 2, m->wakeups_kernel);
    figure(7, 2, m->wasted_visible);
    figure(7, 2, m->wasted_hidden);
    figure(7, 1, m->cpu_us);
    duration(m->latency.p50);
    duration(m->latency.p99);
    printf(" %7" PRIu64 " %5" PRIu64 " %5" PRIu64, m->served, m->late, lost(m));
    shares(m);
    if (isfinite(m->stranded))
        printf("  stranded %.1f %%", 100 * m->stranded);
}

static void model_head(void)
{
    printf("%-28s %9s %9s %9s %9s %8s %8s %9s %7s %5s %5s\n", "", "requests", "rate/s", "CPU us",
           "wakeups", "p50", "p99", "B/conn", "served", "late", "lost");
}

static void model_row(const struct measurement *m)
{
    printf(" %9" PRIu64, m->requests);
    figure(9, 0, m->rate);
    figure(9, 2, m->cpu_us);
    figure(9, 3, m->wakeups);
    duration(m->latency.p50);
    duration(m->latency.p99);
    figure(9, 0, m->resident_per_connection);
    printf(" %7" PRIu64 " %5" PRIu64 " %5" PRIu64, m->served, m->late, lost(m));
}

static void write_heading(const struct measurement *m, char *text, size_t size)
{
    const struct settings *s = &m->settings;
    snprintf(text, size, "%s %s%s%s%s%s", m->kind, m->workload,
             s->wire == WIRE_VETH ? ", over a veth pair" : "", s->is_pinned ? ", pinned" : "",
             s->is_deferred ? ", deferred" : "",
             s->drain == DRAIN_YES  ? ", drained"
             : s->drain == DRAIN_NO ? ", not drained"
                                    : "");
}

void row_print(const struct measurement *m, char *heading, size_t size)
{
    bool is_model = strcmp(m->kind, "model") == 0;
    char wanted[96], label[64];
    write_heading(m, wanted, sizeof wanted);
    if (strcmp(wanted, heading) != 0) {
        printf("%s%s\n", *heading ? "\n" : "", wanted);
        (is_model ? model_head : strategy_head)();
        snprintf(heading, size, "%s", wanted);
    }
    snprintf(label, sizeof label, "%s%s%s", m->name, *m->phase ? " " : "", m->phase);
    printf("%-28s", label);
    if (m->skipped)
        printf(" %3u skipped: %s", m->workers, m->skipped);
    else
        (is_model ? model_row : strategy_row)(m);
    putchar('\n');
    fflush(stdout);
}
