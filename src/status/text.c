#include "status/text.h"

#include <stdio.h>

#include "status/trouble.h"
#include "status/units.h"

/* Events that are shown: what fits a screen beside the rest. */
#define EVENTS_SHOWN 10

/* Slots from which on what is wrong is told behind the table, too: before it it has scrolled away.
 */
#define SLOTS_OF_A_SCREEN 12

struct page {
    struct buf *to;
    const struct snapshot *s;
    const struct text_style *style;
};

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static double share(uint64_t part, uint64_t all)
{
    return all ? 100 * (double)part / (double)all : 0;
}

/* A text of the server's, to where the line ends. */
static void put_rest(const struct page *page, int at, const char *text)
{
    int width = page->style->width;
    units_safe(page->to, text, width > at + 4 ? width - at : 0);
    buf_lit(page->to, "\n");
}

/* ------------------------------------------------------------------------------- the server */

static void put_server(const struct page *page)
{
    char age[UNITS_SIZE];
    struct buf *to = page->to;
    const struct snapshot *s = page->s;
    buf_lit(to, "drover ");
    units_safe(to, s->version, 0);
    buf_printf(to, ", pid %lld: %s%s%s, up %s; generation %llu", (long long)s->pid,
               snapshot_phase(s), s->is_reloading ? ", reloading" : "",
               s->is_upgrading ? ", upgrading" : "", units_age(age, s->age_ms),
               (unsigned long long)s->generation);
    if (s->reload_failures > 0)
        buf_printf(to, ", %llu failed reload%s", (unsigned long long)s->reload_failures,
                   plural(s->reload_failures));
    buf_printf(to, "\nworkers      %d of %llu accept", s->ready_count,
               (unsigned long long)s->workers_wanted);
    if (s->worker_count > s->ready_count)
        buf_printf(to, ", %d do not", s->worker_count - s->ready_count);
    if (s->slot_count > (int)s->workers_wanted)
        buf_printf(to, "; %d slots", s->slot_count);
    buf_lit(to, "\naddresses    ");
    put_rest(page, 13, s->addresses);
    buf_lit(to, "serves       ");
    put_rest(page, 13, s->serves);
    if (s->admin[0]) {
        buf_lit(to, "admin        ");
        put_rest(page, 13, s->admin);
    }
}

static void put_trouble(void *context, const char *words)
{
    const struct page *page = context;
    bool is_vivid = page->style->is_vivid;
    buf_printf(page->to, "%s! %s%s\n", is_vivid ? "\033[1;31m" : "", words,
               is_vivid ? "\033[m" : "");
}

static void put_troubles(struct page *page)
{
    struct buf lines = {0};
    if (trouble_tell(&lines, page->s) > 0)
        buf_lit(page->to, "\n");
    buf_free(&lines);
    trouble_each(page->s, put_trouble, page);
}

/* ------------------------------------------------------------------------------- the figures */

typedef const char *unit_fn(char text[UNITS_SIZE], double n);

/* Below ten a second, tenths count. */
static const char *per_second(char text[UNITS_SIZE], double n)
{
    if (n <= 0 || n >= 9.95)
        return units_count(text, n);
    snprintf(text, UNITS_SIZE, "%.1f", n);
    return text;
}

static const struct {
    const char *name;
    size_t rate;  /* where it is in struct snapshot_rate */
    size_t count; /* and in struct board_row */
    unit_fn *of_rate, *of_count;
} rates[] = {
    {"requests", offsetof(struct snapshot_rate, requests), offsetof(struct board_row, requests),
     per_second, units_count},
    {"connections", offsetof(struct snapshot_rate, accepted), offsetof(struct board_row, accepted),
     per_second, units_count},
    {"wakeups", offsetof(struct snapshot_rate, wakeups), offsetof(struct board_row, wakeups),
     per_second, units_count},
    {"bytes sent", offsetof(struct snapshot_rate, bytes), offsetof(struct board_row, bytes),
     units_bytes, units_bytes},
};

static void put_rates(const struct page *page)
{
    char text[UNITS_SIZE];
    struct buf *to = page->to;
    buf_printf(to, "\n%-12s %12s %12s %12s %12s\n", "a second", "1 s", "10 s", "60 s", "ever");
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        buf_printf(to, "%-12s", rates[i].name);
        for (int j = 0; j < SNAPSHOT_RATES; j++) {
            const struct snapshot_rate *rate = &page->s->rates[j];
            const double *n = (const double *)(const void *)((const char *)rate + rates[i].rate);
            buf_printf(to, " %12s", rate->is_known ? rates[i].of_rate(text, *n) : "-");
        }
        const char *row = (const char *)&page->s->sum.row;
        const uint64_t *count = (const uint64_t *)(const void *)(row + rates[i].count);
        buf_printf(to, " %12s\n", rates[i].of_count(text, (double)*count));
    }
}

static void put_latency(const struct page *page)
{
    char a[UNITS_SIZE], b[UNITS_SIZE], c[UNITS_SIZE], d[UNITS_SIZE];
    const struct snapshot_latency *l = &page->s->latency;
    if (page->s->sum.row.requests == 0)
        return;
    buf_printf(page->to, "latency      p50 %s, p90 %s, p99 %s, p99.9 %s\n", units_time(a, l->p50),
               units_time(b, l->p90), units_time(c, l->p99), units_time(d, l->p999));
}

static void put_answers(const struct page *page)
{
    char text[UNITS_SIZE];
    const char *before = "";
    const uint64_t *answers = page->s->sum.row.answers;
    buf_lit(page->to, "answers      ");
    for (int i = 0; i < BOARD_CLASSES; i++) {
        if (answers[i] == 0)
            continue;
        buf_printf(page->to, "%s%s %dxx", before, units_count(text, (double)answers[i]), i + 1);
        before = ", ";
    }
    buf_str(page->to, *before ? "\n" : "none\n");
}

static void put_connections(const struct page *page)
{
    char open[UNITS_SIZE], wasted[UNITS_SIZE];
    const struct board_row *row = &page->s->sum.row;
    buf_printf(page->to, "connections  %s open", units_count(open, (double)row->connections));
    if (row->accepted > 0)
        buf_printf(page->to, "; %.2f wakeups a connection, %s wasted (%.1f %%)",
                   page->s->wakeups_per_connection, units_count(wasted, (double)row->wasted),
                   share(row->wasted, row->wakeups));
    buf_lit(page->to, "\n");
    if (page->s->jain > 0)
        buf_printf(page->to,
                   "evenness     %.3f (Jain's index of the workers' requests; 1 is even)\n",
                   page->s->jain);
}

static void put_processes(const struct page *page)
{
    char voluntary[UNITS_SIZE], involuntary[UNITS_SIZE], cpu[UNITS_SIZE], rss[UNITS_SIZE];
    const struct snapshot_counts *sum = &page->s->sum;
    buf_printf(page->to, "processes    CPU %s, RSS %s, context switches %s, and %s forced\n",
               units_time(cpu, (double)sum->cpu_us), units_bytes(rss, (double)sum->rss),
               units_count(voluntary, (double)sum->voluntary),
               units_count(involuntary, (double)sum->involuntary));
}

/* Bucket i of the depths: 0, 1, 2 to 3, ..., 1024 and more. */
static void put_depth(struct buf *to, int i)
{
    if (i < 2)
        buf_printf(to, "%d", i);
    else if (i == BOARD_DEPTHS - 1)
        buf_printf(to, "%d and more", 1 << (i - 1));
    else
        buf_printf(to, "%d to %d", 1 << (i - 1), (1 << i) - 1);
}

static void put_queue(const struct page *page)
{
    const struct snapshot *s = page->s;
    uint64_t looks = 0;
    int deepest = 0;
    for (int i = 0; i < BOARD_DEPTHS; i++) {
        looks += s->depths[i];
        deepest = s->depths[i] ? i : deepest;
    }
    buf_printf(page->to, "queue        %llu wait, %llu dropped", (unsigned long long)s->queued,
               (unsigned long long)s->drops);
    if (looks > 0) {
        buf_printf(page->to, "; empty in %.1f %% of looks, at most ", share(s->depths[0], looks));
        put_depth(page->to, deepest);
    }
    buf_lit(page->to, "\n");
}

static void put_ended(const struct page *page)
{
    const char *before = "";
    buf_lit(page->to, "ended        ");
    for (unsigned i = 0; i < BOARD_ENDS; i++) {
        if (page->s->ended[i] == 0)
            continue;
        buf_printf(page->to, "%s%llu %s", before, (unsigned long long)page->s->ended[i],
                   snapshot_end((enum board_end)i));
        before = ", ";
    }
    buf_str(page->to, *before ? "\n" : "no worker\n");
}

/* Of a server that has none, and never had, nothing. */
static void put_standbys(const struct page *page)
{
    const struct snapshot *s = page->s;
    uint64_t all = snapshot_successions(s), kept = s->kept_connections;
    uint64_t ends = s->successions[BOARD_SUCCESSION_END];
    if (!s->has_standbys && s->standby_count == 0 && all == 0)
        return;
    if (s->has_standbys || s->standby_count > 0)
        buf_printf(page->to, "standbys     %d asleep", s->standby_count);
    else
        buf_lit(page->to, "standbys     off");
    if (all > 0)
        buf_printf(page->to, "; %llu took over (%llu end%s, %llu hung), %llu connection%s kept",
                   (unsigned long long)all, (unsigned long long)ends, plural(ends),
                   (unsigned long long)s->successions[BOARD_SUCCESSION_HANG],
                   (unsigned long long)kept, plural(kept));
    buf_lit(page->to, "\n");
}

/* --------------------------------------------------------------------------------- the table */

/* A line of it: a worker, and its slot; either may be NULL, not both. */
struct entry {
    const struct snapshot_worker *worker;
    const struct snapshot_slot *slot; /* NULL: the worker leaves, or is a successor */
    int number;
};

typedef void cell_fn(char text[UNITS_SIZE], const struct entry *e);

static void cell_slot(char text[UNITS_SIZE], const struct entry *e)
{
    snprintf(text, UNITS_SIZE, "%d", e->number);
}

static void cell_pid(char text[UNITS_SIZE], const struct entry *e)
{
    if (e->worker)
        snprintf(text, UNITS_SIZE, "%lld", (long long)e->worker->pid);
}

static void cell_generation(char text[UNITS_SIZE], const struct entry *e)
{
    if (e->worker)
        units_count(text, (double)e->worker->generation);
}

static const char *state_of(const struct entry *e)
{
    const struct snapshot_worker *worker = e->worker;
    if (!worker)
        return snapshot_state(e->slot);
    if (trouble_hangs(worker))
        return worker->is_stopped ? "stopped" : "hangs";
    if (worker->is_leaving)
        return "leaves";
    if (!worker->is_ready)
        return "starts";
    return worker->counts.row.is_paused ? "full" : "accepts";
}

static void cell_state(char text[UNITS_SIZE], const struct entry *e)
{
    snprintf(text, UNITS_SIZE, "%s", state_of(e));
}

static void cell_by(char text[UNITS_SIZE], const struct entry *e)
{
    if (!e->slot)
        return;
    if (e->slot->board.adopter > 0)
        snprintf(text, UNITS_SIZE, "slot %u", (unsigned)e->slot->board.adopter - 1);
    else
        snprintf(text, UNITS_SIZE, "%s", snapshot_is_served(e->slot) ? "own" : "nobody");
}

/* Cells that are numbers of the worker's row, or its process. */
#define CELL_OF_WORKER(name, unit, member)                                \
    static void cell_##name(char text[UNITS_SIZE], const struct entry *e) \
    {                                                                     \
        if (e->worker)                                                    \
            unit(text, (double)e->worker->member);                        \
    }

CELL_OF_WORKER(open, units_count, counts.row.connections)
CELL_OF_WORKER(requests, units_count, counts.row.requests)
CELL_OF_WORKER(wakeups, units_count, counts.row.wakeups)
CELL_OF_WORKER(wasted, units_count, counts.row.wasted)
CELL_OF_WORKER(voluntary, units_count, counts.voluntary)
CELL_OF_WORKER(involuntary, units_count, counts.involuntary)
CELL_OF_WORKER(cpu, units_time, counts.cpu_us)
CELL_OF_WORKER(rss, units_bytes, counts.rss)

static void cell_age(char text[UNITS_SIZE], const struct entry *e)
{
    if (e->worker)
        units_age(text, e->worker->age_ms);
}

static void cell_queued(char text[UNITS_SIZE], const struct entry *e)
{
    if (e->slot)
        units_count(text, (double)e->slot->board.queued);
}

static void cell_drops(char text[UNITS_SIZE], const struct entry *e)
{
    if (e->slot)
        units_count(text, (double)e->slot->board.drops);
}

static const struct {
    const char *title;
    int width; /* with the blank before it */
    cell_fn *put;
} columns[] = {
    {"slot", 4, cell_slot},
    {"pid", 8, cell_pid},
    {"gen", 4, cell_generation},
    {"worker", 9, cell_state},
    {"by", 9, cell_by},
    {"open", 7, cell_open},
    {"requests", 9, cell_requests},
    {"wakeups", 9, cell_wakeups},
    {"wasted", 7, cell_wasted},
    {"queue", 6, cell_queued},
    {"drops", 6, cell_drops},
    {"cpu", 9, cell_cpu},
    {"switches", 9, cell_voluntary},
    {"forced", 7, cell_involuntary},
    {"resident", 9, cell_rss},
    {"age", 12, cell_age},
};

#define COLUMN_COUNT (sizeof columns / sizeof *columns)

/* How many of them fit. */
static size_t fitting(const struct page *page)
{
    size_t count = 0;
    for (int width = 0; count < COLUMN_COUNT; count++) {
        width += columns[count].width;
        if (page->style->width > 0 && width > page->style->width)
            break;
    }
    return count;
}

static void put_entry(const struct page *page, const struct entry *entry)
{
    char text[UNITS_SIZE];
    size_t count = fitting(page);
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "-");
        columns[i].put(text, entry);
        buf_printf(page->to, "%*s", columns[i].width, text);
    }
    buf_lit(page->to, "\n");
}

static void put_slots(const struct page *page)
{
    const struct snapshot *s = page->s;
    for (int i = 0; i < s->slot_count; i++) {
        const struct snapshot_slot *slot = &s->slots[i];
        put_entry(page,
                  &(struct entry){.worker = slot->worker < 0 ? NULL : &s->workers[slot->worker],
                                  .slot = slot,
                                  .number = i});
    }
}

/* Those that are not the slot's, or not any more. */
static void put_others(const struct page *page)
{
    const struct snapshot *s = page->s;
    for (int i = 0; i < s->worker_count; i++) {
        int slot = s->workers[i].slot;
        if (slot >= s->slot_count || s->slots[slot].worker != i)
            put_entry(page, &(struct entry){.worker = &s->workers[i], .number = slot});
    }
}

static void put_table(const struct page *page)
{
    size_t count = fitting(page);
    buf_lit(page->to, "\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(page->to, "%*s", columns[i].width, columns[i].title);
    buf_lit(page->to, "\n");
    put_slots(page);
    put_others(page);
}

/* -------------------------------------------------------------------------------- the events */

static void put_events(const struct page *page)
{
    static const char *const levels[] = {"error ", "warn  ", "", "debug "};
    char date[UNITS_SIZE];
    const struct snapshot *s = page->s;
    if (s->event_count > 0)
        buf_lit(page->to, "\n");
    for (int i = s->event_count > EVENTS_SHOWN ? s->event_count - EVENTS_SHOWN : 0;
         i < s->event_count; i++) {
        const struct board_event *event = &s->events[i];
        const char *level = event->level < 4 ? levels[event->level] : "";
        units_date(date, event->date, s->date);
        buf_printf(page->to, "%s  %s", date, level);
        put_rest(page, (int)(strlen(date) + 2 + strlen(level)), event->text);
    }
}

void status_text(struct buf *to, const struct snapshot *snapshot, const struct text_style *style)
{
    struct page page = {.to = to, .s = snapshot, .style = style};
    put_server(&page);
    put_troubles(&page);
    put_rates(&page);
    put_latency(&page);
    put_answers(&page);
    put_connections(&page);
    put_queue(&page);
    put_processes(&page);
    put_ended(&page);
    put_standbys(&page);
    put_table(&page);
    put_events(&page);
    if (style->width > 0 && snapshot->slot_count > SLOTS_OF_A_SCREEN)
        put_troubles(&page);
}
