#include "config/app.h"

#include <sysexits.h>

#include "support.h"

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    (void)response;
}

static void frame(void *context, struct drover_stream *stream, const char *bytes, size_t length)
{
    (void)context;
    (void)stream;
    (void)bytes;
    (void)length;
}

#define STREAM(...) (&(const struct drover_protocol){__VA_ARGS__})
#define NAME_63     "a23456789b123456789c123456789d123456789e123456789f123456789g123"

static const struct {
    struct drover_app app;
    const char *why; /* NULL: it can be used */
} apps[] = {
    {{.name = "a-B_9", .handle = handle}, NULL},
    {{.name = NAME_63, .handle = handle}, NULL},
    {{.name = "a", .handle = handle, .when = DROVER_AT_HEAD}, NULL},
    {{.name = "a", .stream = STREAM(.frame = frame)}, NULL},
    {{.name = "a", .stream = STREAM(.frame = frame, .frame_max = 16 << 20)}, NULL},
    {{.name = "a",
      .stream = STREAM(.framing = DROVER_PREFIX_2, .frame = frame, .frame_max = 65535)},
     NULL},
    {{.handle = handle}, "its name must be 1 to 63 letters, digits, '-' and '_'"},
    {{.name = "", .handle = handle}, "its name must be 1 to 63 letters, digits, '-' and '_'"},
    {{.name = "a b", .handle = handle}, "its name must be 1 to 63 letters, digits, '-' and '_'"},
    {{.name = NAME_63 "4", .handle = handle},
     "its name must be 1 to 63 letters, digits, '-' and '_'"},
    {{.name = "a"}, "it has neither handle nor stream, one of which is to be set"},
    {{.name = "a", .handle = handle, .stream = STREAM(.frame = frame)},
     "it has both handle and stream, one of which is to be set"},
    {{.name = "a", .handle = handle, .when = (enum drover_when)2},
     "its when is none of enum drover_when"},
    {{.name = "a", .stream = STREAM(.framing = DROVER_RAW)}, "its stream has no frame function"},
    {{.name = "a", .stream = STREAM(.framing = (enum drover_framing)4, .frame = frame)},
     "its stream's framing is none of enum drover_framing"},
    {{.name = "a", .stream = STREAM(.frame = frame, .frame_max = (16 << 20) + 1)},
     "its stream's frame_max is above 16 MiB"},
    {{.name = "a",
      .stream = STREAM(.framing = DROVER_PREFIX_2, .frame = frame, .frame_max = 65536)},
     "its stream's frame_max is above 65535, which 2 bytes of length cannot say"},
};

static void expect(const struct drover_app *app, const char *words)
{
    char why[256] = "";
    cr_expect_eq(app_check(app, why, sizeof why), words ? EX_CONFIG : 0, "%s", why);
    cr_expect_str_eq(why, words ? words : "", "%s", why);
}

Test(app, which_can_be_used)
{
    for (size_t i = 0; i < LENGTH(apps); i++)
        expect(&apps[i].app, apps[i].why);
}

Test(app, keys_are_checked_and_stay_as_they_are)
{
    int64_t n = 7;
    struct drover_key keys[] = {{"n", DROVER_NUMBER, "5", 1, 9, "", &n}, {.name = NULL}};
    const struct drover_app app = {.name = "a", .handle = handle, .keys = keys};
    expect(&app, NULL);
    cr_expect_eq(n, 7);
    keys[0].fallback = "10";
    expect(&app, "the key \"n\": its default, 10, must be a whole number from 1 to 9");
}

static const struct {
    struct drover_metric metric;
    const char *why;
} metrics[] = {
    {{"a_z", DROVER_GAUGE, ""}, NULL},
    {{"", DROVER_GAUGE, ""}, "the metric \"\": its name must be 1 to 63 letters of a to z and '_'"},
    {{"A", DROVER_GAUGE, ""},
     "the metric \"A\": its name must be 1 to 63 letters of a to z and '_'"},
    {{"a1", DROVER_GAUGE, ""},
     "the metric \"a1\": its name must be 1 to 63 letters of a to z and '_'"},
    {{"drover_requests_total", DROVER_COUNTER, ""},
     "the metric \"drover_requests_total\": names that start with drover_ are drover's own"},
    {{"a", (enum drover_metric_type)2, ""},
     "the metric \"a\": its type is none of enum drover_metric_type"},
    {{"a", DROVER_GAUGE, NULL}, "the metric \"a\": it has no line of help"},
    {{"first", DROVER_GAUGE, ""}, "the metric \"first\": there are two of that name"},
};

Test(app, metrics_are_checked)
{
    for (size_t i = 0; i < LENGTH(metrics); i++) {
        const struct drover_metric table[] = {
            {"first", DROVER_COUNTER, ""}, metrics[i].metric, {.name = NULL}};
        const struct drover_app app = {.name = "a", .handle = handle, .metrics = table};
        expect(&app, metrics[i].why);
    }
}

Test(app, as_many_metrics_as_there_may_be)
{
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l\0m\0n\0o\0p\0q";
    struct drover_metric table[DROVER_METRICS_MAX + 2] = {{.name = NULL}};
    const struct drover_app app = {.name = "a", .handle = handle, .metrics = table};
    for (size_t i = 0; i < DROVER_METRICS_MAX; i++)
        table[i] = (struct drover_metric){&names[2 * i], DROVER_COUNTER, ""};
    expect(&app, NULL);
    table[DROVER_METRICS_MAX] = (struct drover_metric){"q", DROVER_COUNTER, ""};
    expect(&app, "the metric \"q\": it is one more than the 16 (DROVER_METRICS_MAX) that there may "
                 "be");
}
