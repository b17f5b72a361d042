#include "master/status_line.h"

#include "support.h"

#define EIGHT                                   \
    {                                           \
        .wanted = 8, .accepting = 8, .next = -1 \
    }

static const struct {
    const char *name;
    struct status_line line;
    const char *text;
} rows[] = {
    {"all is well",
     {.phase = STATUS_SERVING, .health = EIGHT, .connections = 12, .rate = 3400},
     "8 workers, 12 connections, 3400 requests/s"},
    {"one of each",
     {.phase = STATUS_SERVING,
      .health = {.wanted = 1, .accepting = 1, .next = -1},
      .connections = 1,
      .rate = 1},
     "1 worker, 1 connection, 1 request/s"},
    {"idle", {.phase = STATUS_SERVING, .health = EIGHT}, "8 workers, 0 connections, 0 requests/s"},
    {"one is tried again",
     {.phase = STATUS_SERVING,
      .health = {.wanted = 8, .accepting = 7, .waiting = 1, .next = 3, .delay = 1600}},
     "8 workers, 0 connections, 0 requests/s; 7 of 8 accept, worker 3 is tried again after 1.6 s"},
    {"several are tried again",
     {.phase = STATUS_SERVING,
      .health = {.wanted = 4, .accepting = 1, .waiting = 3, .next = 0, .delay = 30000}},
     "4 workers, 0 connections, 0 requests/s; 1 of 4 accepts, 3 are tried again, worker 0 after "
     "30.0 s"},
    {"one hangs",
     {.phase = STATUS_SERVING,
      .health = {.wanted = 8, .accepting = 7, .stalled = 1, .next = -1},
      .connections = 5},
     "8 workers, 5 connections, 0 requests/s; 7 of 8 accept; 1 hangs"},
    {"all hang",
     {.phase = STATUS_SERVING, .health = {.wanted = 2, .stalled = 2, .next = -1}},
     "2 workers, 0 connections, 0 requests/s; 0 of 2 accept; 2 hang"},
    {"some are given up",
     {.phase = STATUS_SERVING, .health = {.wanted = 4, .accepting = 2, .refused = 2, .next = -1}},
     "4 workers, 0 connections, 0 requests/s; 2 of 4 accept; 2 are not tried again before a "
     "reload"},
    {"one starts",
     {.phase = STATUS_SERVING, .health = {.wanted = 2, .accepting = 1, .next = -1}},
     "2 workers, 0 connections, 0 requests/s; 1 of 2 accepts"},
    {"a reload",
     {.phase = STATUS_SERVING, .health = EIGHT, .is_reloading = true},
     "8 workers, 0 connections, 0 requests/s; reloading"},
    {"a reload that failed, and another one",
     {.phase = STATUS_SERVING,
      .health = EIGHT,
      .is_reloading = true,
      .failure = "reload failed: site.conf:4:1: unknown key"},
     "8 workers, 0 connections, 0 requests/s; reloading; reload failed: site.conf:4:1: unknown "
     "key"},
    {"an upgrade",
     {.phase = STATUS_SERVING, .health = EIGHT, .upgrade = 4711, .failure = ""},
     "8 workers, 0 connections, 0 requests/s; upgrading: pid 4711 starts"},
    {"a lame duck",
     {.phase = STATUS_SERVING, .health = EIGHT, .connections = 3, .lame_duck = 5000},
     "8 workers, 3 connections, 0 requests/s; stops, after a lame duck's 5.0 s"},
    {"a start",
     {.phase = STATUS_STARTING,
      .health = {.wanted = 8, .accepting = 3, .next = -1},
      .connections = 9},
     "starting: 3 of 8 workers accept"},
    {"a start of one",
     {.phase = STATUS_STARTING, .health = {.wanted = 1, .next = -1}},
     "starting: 0 of 1 worker accept"},
    {"a start that has its troubles",
     {.phase = STATUS_STARTING,
      .health = {.wanted = 8, .accepting = 7, .waiting = 1, .next = 5, .delay = 200}},
     "starting: 7 of 8 workers accept, worker 5 is tried again after 0.2 s"},
    {"a stop",
     {.phase = STATUS_DRAINING,
      .health = {.next = -1},
      .connections = 12,
      .failure = "reload failed: no"},
     "draining: 12 connections"},
};

Test(status_line, says_how_the_server_is)
{
    char text[512];
    for (size_t i = 0; i < LENGTH(rows); i++) {
        status_line_write(&rows[i].line, text, sizeof text);
        cr_expect_str_eq(text, rows[i].text, "%s: %s", rows[i].name, text);
    }
}

Test(status_line, is_cut_to_any_size)
{
    char whole[512], text[512];
    for (size_t i = 0; i < LENGTH(rows); i++) {
        status_line_write(&rows[i].line, whole, sizeof whole);
        for (size_t size = 1; size <= strlen(whole) + 1; size++) {
            memset(text, '#', sizeof text);
            status_line_write(&rows[i].line, text, size);
            cr_assert_eq(strlen(text), size - 1, "%s, %zu: %s", rows[i].name, size, text);
            cr_assert_eq(strncmp(text, whole, size - 1), 0, "%s, %zu", rows[i].name, size);
            cr_assert_eq(text[size], '#', "%s, %zu", rows[i].name, size);
        }
    }
}
