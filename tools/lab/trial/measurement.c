#include "lab/trial/measurement.h"

#include <math.h>
#include <string.h>

#include "lab/kernel/machine.h"

static struct latency no_latency(void)
{
    return (struct latency){.p50 = NAN, .p90 = NAN, .p99 = NAN, .p999 = NAN, .max = NAN};
}

void measurement_clear(struct measurement *m)
{
    *m = (struct measurement){
        .wakeups = NAN,
        .wakeups_kernel = NAN,
        .wakeups_told = NAN,
        .switches_kernel = NAN,
        .wasted_visible = NAN,
        .wasted_hidden = NAN,
        .switches_voluntary = NAN,
        .switches_involuntary = NAN,
        .cpu_us = NAN,
        .cpu_user_us = NAN,
        .cpu_system_us = NAN,
        .client_cpu_us = NAN,
        .run_delay_us = NAN,
        .jain = NAN,
        .max_over_mean = NAN,
        .chi_squared = NAN,
        .chi_squared_p = NAN,
        .latency = no_latency(),
        .accept_latency = no_latency(),
        .stranded = NAN,
        .queue_max = NAN,
        .drops = NAN,
        .rate = NAN,
        .idle = NAN,
        .resident_per_connection = NAN,
    };
}

void measurement_forget_costs(struct measurement *m)
{
    double *const costs[] = {
        &m->wakeups,       &m->wakeups_kernel,     &m->wakeups_told,         &m->wasted_visible,
        &m->wasted_hidden, &m->switches_voluntary, &m->switches_involuntary, &m->switches_kernel,
        &m->cpu_us,        &m->cpu_user_us,        &m->cpu_system_us,        &m->run_delay_us,
    };
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        *costs[i] = NAN;
}

struct latency measurement_latency(const struct histogram *h)
{
    if (h->total == 0)
        return no_latency();
    return (struct latency){
        .p50 = (double)histogram_quantile(h, 500),
        .p90 = (double)histogram_quantile(h, 900),
        .p99 = (double)histogram_quantile(h, 990),
        .p999 = (double)histogram_quantile(h, 999),
        .max = (double)histogram_max(h),
    };
}

/* JSON has no NAN (RFC 8259, 6). */
static json_t *figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(const struct measurement *m, uint64_t value)
{
    return m->skipped ? json_null() : json_integer((json_int_t)value);
}

static void set_figures(json_t *object, const struct measurement *m)
{
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"wakeups_per_connection", m->wakeups},
        {"wakeups_per_connection_kernel", m->wakeups_kernel},
        {"wakeups_per_connection_sched_wakeup", m->wakeups_told},
        {"switches_kernel_per_connection", m->switches_kernel},
        {"wasted_visible_per_connection", m->wasted_visible},
        {"wasted_hidden_per_connection", m->wasted_hidden},
        {"switches_voluntary_per_connection", m->switches_voluntary},
        {"switches_involuntary_per_connection", m->switches_involuntary},
        {"cpu_us_per_connection", m->cpu_us},
        {"cpu_user_us_per_connection", m->cpu_user_us},
        {"cpu_system_us_per_connection", m->cpu_system_us},
        {"client_cpu_us_per_connection", m->client_cpu_us},
        {"run_delay_us_per_connection", m->run_delay_us},
        {"jain", m->jain},
        {"max_over_mean", m->max_over_mean},
        {"chi_squared", m->chi_squared},
        {"chi_squared_p", m->chi_squared_p},
        {"stranded", m->stranded},
        {"queue_max", m->queue_max},
        {"drops", m->drops},
        {"rate", m->rate},
        {"idle", m->idle},
        {"resident_per_connection", m->resident_per_connection},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        json_object_set_new(object, figures[i].name, figure(figures[i].value));
}

static json_t *latency_json(const struct latency *latency)
{
    json_t *object = json_object();
    json_object_set_new(object, "p50", figure(latency->p50));
    json_object_set_new(object, "p90", figure(latency->p90));
    json_object_set_new(object, "p99", figure(latency->p99));
    json_object_set_new(object, "p999", figure(latency->p999));
    json_object_set_new(object, "max", figure(latency->max));
    return object;
}

static json_t *lost_json(const struct measurement *m)
{
    if (m->skipped)
        return json_null();
    json_t *object = json_object();
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (m->lost[i] > 0)
            json_object_set_new(object, outcome_name((enum outcome)i),
                                json_integer((json_int_t)m->lost[i]));
    return object;
}

static json_t *per_worker_json(const struct measurement *m)
{
    if (m->skipped)
        return json_null();
    json_t *array = json_array();
    for (unsigned i = 0; i < m->workers; i++)
        json_array_append_new(array, json_integer((json_int_t)m->per_worker[i]));
    return array;
}

static void set_settings(json_t *object, const struct measurement *m)
{
    const struct settings *settings = &m->settings;
    json_object_set_new(object, "drain", json_boolean(m->drain));
    json_object_set_new(object, "net",
                        json_string(settings->wire == WIRE_VETH ? "veth" : "loopback"));
    json_object_set_new(object, "pinned", json_boolean(settings->is_pinned));
    json_object_set_new(object, "defer", json_boolean(settings->is_deferred));
    json_object_set_new(object, "backlog", json_integer(settings_backlog(settings)));
    json_object_set_new(object, "seed", json_integer((json_int_t)settings->seed));
}

json_t *measurement_json(const struct measurement *m)
{
    json_t *object = json_object();
    if (!object)
        return NULL;
    json_object_set_new(object, "kind", json_string(m->kind));
    json_object_set_new(object, "name", json_string(m->name));
    json_object_set_new(object, "workload", json_string(m->workload));
    json_object_set_new(object, "phase", json_string(m->phase));
    json_object_set_new(object, "workers", json_integer(m->workers));
    json_object_set_new(object, "repeat", json_integer(m->repeat));
    json_object_set_new(object, "connections", count(m, m->connections));
    json_object_set_new(object, "requests", count(m, m->requests));
    set_figures(object, m);
    json_object_set_new(object, "per_worker", per_worker_json(m));
    json_object_set_new(object, "latency_us", latency_json(&m->latency));
    json_object_set_new(object, "accept_latency_us", latency_json(&m->accept_latency));
    json_object_set_new(object, "served", count(m, m->served));
    json_object_set_new(object, "late", count(m, m->late));
    json_object_set_new(object, "lost", lost_json(m));
    json_object_set_new(object, "untraced", m->untraced ? json_string(m->untraced) : json_null());
    json_object_set_new(object, "skipped", m->skipped ? json_string(m->skipped) : json_null());
    set_settings(object, m);
    machine_add(object);
    return object;
}
