/*
 * The command line. The input is the arguments, each ended by a NUL or an LF. Verdicts: good, bad.
 *
 * Nothing is opened but a file that -c may name, and nothing changed: --user and --group are looked
 * up, --ready-fd is asked for with fcntl(2), ROOT with stat(2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "config/options.h"
#include "config/values.h"
#include "fuzz.h"

#define ARGUMENTS_MAX 64

/* Strings one behind the other, and where each starts. */
struct arguments {
    int count;
    char *argv[ARGUMENTS_MAX + 1];
    struct buf text;
};

struct outcome {
    int status;
    char *why; /* alone on the heap */
    struct settings settings;
};

/* The text may move while it grows, so the pointers are set when all is there. */
static void point(struct arguments *args)
{
    FUZZ_CHECK(!args->text.failed, "no memory");
    args->count = 0;
    for (size_t at = 0; args->count < ARGUMENTS_MAX && at < args->text.len;) {
        char *one = args->text.p + at;
        args->argv[args->count++] = one;
        at += strlen(one) + 1;
    }
    args->argv[args->count] = NULL;
}

static void split(struct arguments *args, struct span input)
{
    buf_span(&args->text, input);
    if (input.n > 0 && input.p[input.n - 1] != '\n')
        buf_lit(&args->text, "\0");
    for (size_t i = 0; i < args->text.len; i++)
        if (args->text.p[i] == '\n')
            args->text.p[i] = '\0';
    point(args);
}

static void run(struct outcome *outcome, const struct arguments *args)
{
    outcome->why = fuzz_room(OPTIONS_WHY_SIZE);
    memset(outcome->why, 0x7f, OPTIONS_WHY_SIZE);
    options_defaults(&outcome->settings);
    static struct givens givens;
    struct faults faults = {.text = outcome->why, .size = OPTIONS_WHY_SIZE};
    memset(&givens, 0, sizeof givens);
    options_read(&outcome->settings, args->count, args->argv, &givens, &faults);
    outcome->status = faults.status;
    givens_free(&givens);
}

static void check_status(const struct outcome *o)
{
    FUZZ_CHECK(o->status == 0 || o->status == EX_USAGE || o->status == EX_NOINPUT ||
                   o->status == EX_NOPERM || o->status == EX_CONFIG,
               "status %d", o->status);
    if (o->status)
        FUZZ_CHECK(memchr(o->why, '\0', OPTIONS_WHY_SIZE) && *o->why, "no reason given");
}

static void check_between(int64_t value, int64_t min, int64_t max, const char *what)
{
    FUZZ_CHECK(value >= min && value <= max, "%s %lld", what, (long long)value);
}

static void check_bounds(const struct settings *s)
{
    const int64_t day = INT64_C(24) * 60 * 60 * 1000;
    check_between(s->address_count, 1, ADDRESSES_MAX, "addresses");
    check_between(s->workers, 1, SLOTS_MAX, "workers");
    check_between(s->ready_fd, -1, INT32_MAX, "ready-fd");
    check_between(s->max_connections, 1, 1000000, "max-connections");
    check_between(s->header_timeout, 0, day, "header-timeout");
    check_between(s->body_timeout, 0, day, "body-timeout");
    check_between(s->send_timeout, 0, day, "send-timeout");
    check_between(s->idle_timeout, 0, day, "idle-timeout");
    check_between(s->drain_timeout, 0, day, "drain-timeout");
    check_between(s->start_timeout, 0, day, "start-timeout");
    check_between(s->log_level, LOG_ERROR, LOG_DEBUG, "log-level");
    FUZZ_CHECK(s->root && *s->root, "no root");
}

/* ------------------------------------------------------------------------------- printed again */

static void put(struct buf *out, const char *name, const char *value)
{
    if (value) {
        buf_printf(out, "--%s=%s", name, value);
        buf_lit(out, "\0");
    }
}

static void put_number(struct buf *out, const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    put(out, name, text);
}

static void put_duration(struct buf *out, const char *name, int64_t value)
{
    char text[32];
    value_print_duration(value, text, sizeof text);
    put(out, name, text);
}

static void put_address(struct buf *out, const struct net_address *address)
{
    char text[NET_TEXT_SIZE];
    char value[NET_TEXT_SIZE + 64];
    net_text(address, text);
    snprintf(value, sizeof value, "%s,backlog=%d,defer=%s",
             address->dual ? text + strlen("[::]") : text, address->backlog,
             address->defer ? "yes" : "no");
    put(out, "listen", value);
}

/* Every setting as an option. */
static void print_canonical(struct buf *out, const struct settings *s)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    for (int i = 0; i < s->address_count; i++)
        put_address(out, &s->addresses[i]);
    put_number(out, "workers", s->workers);
    put(out, "root", s->root);
    put(out, "listing", s->listing ? "yes" : "no");
    put(out, "dot-files", s->dot_files ? "yes" : "no");
    if (s->ready_fd >= 0)
        put_number(out, "ready-fd", s->ready_fd);
    put(out, "pidfile", s->pidfile);
    put(out, "user", s->user);
    put(out, "group", s->group);
    put_number(out, "max-connections", s->max_connections);
    put_duration(out, "header-timeout", s->header_timeout);
    put_duration(out, "body-timeout", s->body_timeout);
    put_duration(out, "send-timeout", s->send_timeout);
    put_duration(out, "idle-timeout", s->idle_timeout);
    put_duration(out, "drain-timeout", s->drain_timeout);
    put_duration(out, "start-timeout", s->start_timeout);
    put(out, "log-level", levels[s->log_level]);
}

static void compare(const struct outcome *other, const struct outcome *first, const char *how)
{
    struct buf one = {0};
    struct buf two = {0};
    FUZZ_CHECK(other->status == first->status, "%s: status %d, not %d (%s)", how, other->status,
               first->status, other->status ? other->why : first->why);
    if (first->status) {
        FUZZ_CHECK(strcmp(other->why, first->why) == 0, "%s: \"%s\", not \"%s\"", how, other->why,
                   first->why);
        return;
    }
    print_canonical(&one, &other->settings);
    print_canonical(&two, &first->settings);
    FUZZ_CHECK(span_eq(fuzz_bytes(&one), fuzz_bytes(&two)), "%s: other settings", how);
    buf_free(&one);
    buf_free(&two);
}

static void check_same(struct arguments *args, const struct outcome *first, const char *how)
{
    struct outcome other;
    point(args);
    run(&other, args);
    compare(&other, first, how);
    free(other.why);
}

static void check_canonical(const struct outcome *first)
{
    struct arguments args = {0};
    print_canonical(&args.text, &first->settings);
    check_same(&args, first, "printed");
    buf_free(&args.text);
}

/* Takes "--name" and what follows it as "--name=value". */
static void check_joined(const struct arguments *from, const struct outcome *first)
{
    struct arguments args = {0};
    bool options = true;
    for (int i = 0; i < from->count; i++) {
        const char *one = from->argv[i];
        buf_str(&args.text, one);
        options &= strcmp(one, "--") != 0;
        if (options && strcmp(one, "-c") == 0 && i + 1 < from->count) {
            buf_lit(&args.text, "\0");
            buf_str(&args.text, from->argv[++i]);
        } else if (options && strncmp(one, "--", 2) == 0 && !strchr(one, '=') &&
                   i + 1 < from->count) {
            buf_lit(&args.text, "=");
            buf_str(&args.text, from->argv[++i]);
        }
        buf_lit(&args.text, "\0");
    }
    check_same(&args, first, "joined");
    buf_free(&args.text);
}

const char *fuzz_one(struct span input)
{
    struct arguments args = {0};
    struct outcome outcome;
    split(&args, input);
    run(&outcome, &args);
    check_status(&outcome);
    check_joined(&args, &outcome);
    if (outcome.status == 0) {
        check_bounds(&outcome.settings);
        check_canonical(&outcome);
    }
    free(outcome.why);
    buf_free(&args.text);
    return outcome.status ? "bad" : "good";
}
