#include "worker/timers.h"

#include "base/clock.h"
#include "support.h"

/* What was called, in that order. */
static int called[16];
static size_t called_count;

static void note(void *argument)
{
    called[called_count++] = *(const int *)argument;
}

static int numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void expect_called(const int *wanted, size_t count)
{
    cr_assert_eq(called_count, count, "%zu were called", called_count);
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(called[i], wanted[i], "call %zu is that of %d", i, called[i]);
    called_count = 0;
}

Test(timers, none)
{
    struct timers timers = {0};
    cr_expect_eq(timers_next(&timers), CLOCK_NEVER);
    timers_run(&timers, INT64_MAX);
    timers_free(&timers);
}

Test(timers, in_the_order_of_their_times)
{
    struct timers timers = {0};
    static const int64_t at[] = {50, 10, 30, 20, 40};
    for (size_t i = 0; i < LENGTH(at); i++)
        cr_assert_not_null(timers_start(&timers, at[i], note, &numbers[i]));
    cr_expect_eq(timers_next(&timers), 10);
    timers_run(&timers, 9);
    expect_called(NULL, 0);
    timers_run(&timers, 10);
    expect_called((int[]){1}, 1);
    cr_expect_eq(timers_next(&timers), 20);
    timers_run(&timers, 45);
    expect_called((int[]){3, 2, 4}, 3);
    timers_run(&timers, 1000);
    expect_called((int[]){0}, 1);
    cr_expect_eq(timers_next(&timers), CLOCK_NEVER);
    timers_free(&timers);
}

Test(timers, of_two_at_once_the_older_is_first)
{
    struct timers timers = {0};
    for (int i = 0; i < 10; i++)
        timers_start(&timers, 5, note, &numbers[i]);
    timers_run(&timers, 5);
    expect_called(numbers, 10);
    timers_free(&timers);
}

Test(timers, any_can_be_stopped)
{
    for (int gone = 0; gone < 10; gone++) {
        struct timers timers = {0};
        struct drover_timer *all[10];
        int wanted[9];
        for (int i = 0; i < 10; i++)
            all[i] = timers_start(&timers, 7 * i % 10, note, &numbers[i]);
        timers_stop(all[gone]);
        timers_run(&timers, 100);
        for (int i = 0, k = 0, n = 0; i < 10; i++, k = (k + 3) % 10) /* 3 * 7 = 1 modulo 10 */
            if (k != gone)
                wanted[n++] = k;
        expect_called(wanted, 9);
        timers_free(&timers);
    }
}

Test(timers, what_is_left_is_given_back)
{
    struct timers timers = {0};
    for (int i = 0; i < 16; i++)
        timers_start(&timers, i, note, &numbers[i]);
    timers_run(&timers, 3);
    expect_called(numbers, 4);
    timers_free(&timers);
    expect_called(NULL, 0);
}

/* ---------------------------------------------------------------------------- within a call */

static struct timers shared;
static struct drover_timer *victim;

static void start_another(void *argument)
{
    note(argument);
    timers_start(&shared, 10, note, &numbers[9]);
}

static void stop_another(void *argument)
{
    note(argument);
    timers_stop(victim);
}

static void start_again(void *argument)
{
    note(argument);
    timers_start(&shared, 10, start_again, argument);
}

/* It is due at once, but one that always starts itself anew must not take the whole turn. */
Test(timers, one_that_is_started_in_a_call_is_the_next_turns)
{
    timers_start(&shared, 10, start_another, &numbers[0]);
    timers_start(&shared, 10, note, &numbers[1]);
    timers_run(&shared, 10);
    expect_called((int[]){0, 1}, 2);
    cr_expect_eq(timers_next(&shared), 10);
    timers_run(&shared, 10);
    expect_called((int[]){9}, 1);
    timers_start(&shared, 10, start_again, &numbers[2]);
    for (int i = 0; i < 3; i++) {
        timers_run(&shared, 10);
        expect_called((int[]){2}, 1);
    }
    timers_free(&shared);
}

Test(timers, one_that_is_stopped_in_a_call_is_not_called)
{
    timers_start(&shared, 10, stop_another, &numbers[0]);
    victim = timers_start(&shared, 10, note, &numbers[1]);
    timers_start(&shared, 10, note, &numbers[2]);
    timers_run(&shared, 10);
    expect_called((int[]){0, 2}, 2);
    timers_free(&shared);
}

/* ------------------------------------------------------------------ against a sorted model */

#define MODEL_MAX 2000

struct model {
    struct drover_timer *timer; /* NULL: none */
    int64_t at;
    unsigned number;
};

static struct model models[MODEL_MAX];
static int64_t last_at;
static unsigned last_number;

static void check_order(void *argument)
{
    struct model *model = argument;
    cr_assert_not_null(model->timer, "it was stopped, or called before");
    cr_assert(model->at > last_at || (model->at == last_at && model->number > last_number));
    last_at = model->at;
    last_number = model->number;
    model->timer = NULL;
}

static int64_t first_of_model(void)
{
    int64_t first = CLOCK_NEVER;
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (models[i].timer && models[i].at < first)
            first = models[i].at;
    return first;
}

Test(timers, thousands_at_random)
{
    struct timers timers = {0};
    unsigned seed = 5, started = 0;
    int64_t now = 0;
    for (int i = 0; i < 50000; i++) {
        struct model *model = &models[next_random(&seed) % MODEL_MAX];
        unsigned what = next_random(&seed) % 100;
        if (what < 2) {
            now += next_random(&seed) % 200;
            last_at = -1;
            timers_run(&timers, now);
            cr_assert_gt(timers_next(&timers), now, "all that were due were called");
            cr_assert_eq(timers_next(&timers), first_of_model());
        } else if (model->timer && what < 60) {
            timers_stop(model->timer);
            model->timer = NULL;
        } else if (!model->timer) {
            model->at = now + next_random(&seed) % 1000;
            model->number = ++started;
            model->timer = timers_start(&timers, model->at, check_order, model);
        }
    }
    cr_assert_gt(timers.count, 100);
    timers_free(&timers);
}

static void stop_itself(void *argument)
{
    note(argument);
    timers_stop(victim);
    timers_start(&shared, 10, note, &numbers[3]);
}

/* As where a timer's call is the last that an answer needed, and what is attached stops it. */
Test(timers, one_that_stops_itself_stops_no_other)
{
    victim = timers_start(&shared, 10, stop_itself, &numbers[0]);
    timers_start(&shared, 10, note, &numbers[1]);
    timers_start(&shared, 10, note, &numbers[2]);
    timers_run(&shared, 10);
    expect_called((int[]){0, 1, 2}, 3);
    timers_run(&shared, 10);
    expect_called((int[]){3}, 1);
    timers_free(&shared);
}
