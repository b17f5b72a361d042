#include "lab/report/results.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/span.h"

/* A file of a whole matrix with many repeats has some ten megabytes. */
#define FILE_SIZE_MAX ((size_t)1 << 30)

/* What makes two machines different, in the order in which it is shown. */
static const char *const machine_fields[] = {"kernel", "machine", "cpus", "governor"};

/* Where a line stands, for the words about it. */
struct place {
    const char *path;
    size_t line;
};

static int refuse(struct buf *wrong, struct place place, int column, const char *words)
{
    buf_printf(wrong, "%s:%zu:%d: %s", place.path, place.line, column < 1 ? 1 : column, words);
    return EX_DATAERR;
}

static const char *text_of(const json_t *line, const char *field)
{
    const char *text = json_string_value(json_object_get(line, field));
    return text ? text : "";
}

/* Texts must be texts, and figures figures: a figure that says "12" would be passed over without a
 * word otherwise. */
static const char *wrong_type(const json_t *line)
{
    static const char *const texts[] = {"kind", "name",    "workload", "phase",  "skipped",
                                        "text", "verdict", "evidence", "source", "expected"};
    static const char *const figures[] = {"workers",
                                          "repeat",
                                          "connections",
                                          "requests",
                                          "wakeups_per_connection",
                                          "wakeups_per_connection_kernel",
                                          "wasted_visible_per_connection",
                                          "wasted_hidden_per_connection",
                                          "cpu_us_per_connection",
                                          "jain",
                                          "served",
                                          "late",
                                          "stranded",
                                          "idle",
                                          "rate"};
    static char words[128];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *value = json_object_get(line, texts[i]);
        if (value && !json_is_string(value) && !json_is_null(value)) {
            snprintf(words, sizeof words, "\"%s\" is no text", texts[i]);
            return words;
        }
    }
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const json_t *value = json_object_get(line, figures[i]);
        if (value && !json_is_number(value) && !json_is_null(value)) {
            snprintf(words, sizeof words, "\"%s\" is no number", figures[i]);
            return words;
        }
    }
    return NULL;
}

static const char *wrong_object(const json_t *line)
{
    if (!json_is_object(line))
        return "a JSON object was expected";
    if (!*text_of(line, "kind"))
        return "an object without \"kind\"";
    bool is_claim = strcmp(text_of(line, "kind"), "claim") == 0;
    if (!*text_of(line, is_claim ? "text" : "name"))
        return is_claim ? "a claim without \"text\"" : "an object without \"name\"";
    return wrong_type(line);
}

/* The machine in words, which are its name here; NULL without memory. */
static char *machine_words(const struct result *row)
{
    struct buf words = {0};
    for (size_t i = 0; i < sizeof machine_fields / sizeof *machine_fields; i++) {
        char room[256];
        const char *text = result_text(row, machine_fields[i], room, sizeof room);
        if (!*text || strcmp(text, "null") == 0)
            continue;
        buf_str(&words, words.len > 0 ? ", " : "");
        if (strcmp(machine_fields[i], "kernel") == 0)
            buf_lit(&words, "Linux ");
        else if (strcmp(machine_fields[i], "governor") == 0)
            buf_lit(&words, "governor ");
        buf_str(&words, text);
        if (strcmp(machine_fields[i], "cpus") == 0)
            buf_lit(&words, " CPUs");
    }
    if (words.len == 0)
        buf_lit(&words, "a machine that is not named");
    buf_add(&words, "", 1);
    if (words.failed)
        buf_free(&words);
    return words.p;
}

/* Sets the row's machine, which may be a new one. Returns false without memory. */
static bool find_machine(struct results *results, struct result *row)
{
    char *words = machine_words(row);
    if (!words)
        return false;
    for (size_t i = 0; i < results->machine_count; i++)
        if (strcmp(results->machines[i], words) == 0) {
            row->machine = (unsigned)i;
            free(words);
            return true;
        }
    char **more = reallocarray(results->machines, results->machine_count + 1, sizeof *more);
    if (!more) {
        free(words);
        return false;
    }
    results->machines = more;
    row->machine = (unsigned)results->machine_count;
    results->machines[results->machine_count++] = words;
    return true;
}

/* Takes the object over. */
static bool add(struct results *results, json_t *line)
{
    struct result row = {.line = line,
                         .kind = text_of(line, "kind"),
                         .name = text_of(line, "name"),
                         .workload = text_of(line, "workload"),
                         .phase = text_of(line, "phase"),
                         .skipped = json_string_value(json_object_get(line, "skipped"))};
    json_int_t workers = json_integer_value(json_object_get(line, "workers"));
    row.workers = workers > 0 && workers < 1 << 20 ? (unsigned)workers : 0;
    struct result *rows = NULL;
    if (find_machine(results, &row))
        rows = reallocarray(results->rows, results->count + 1, sizeof *rows);
    if (!rows) {
        json_decref(line);
        return false;
    }
    results->rows = rows;
    results->rows[results->count++] = row;
    return true;
}

static bool is_blank(struct span text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!strchr(" \t\r", text.p[i]) || !text.p[i])
            return false;
    return true;
}

/* Reads one line; `is_cut`: it is the last one, and no newline ends it. */
static int parse_line(struct results *results, struct place place, struct span text, bool is_cut,
                      struct buf *wrong)
{
    json_error_t error;
    if (is_blank(text))
        return 0;
    json_t *line = json_loadb(text.p, text.n, JSON_DECODE_ANY, &error);
    if (!line && is_cut) {
        buf_printf(&results->notes, "%s:%zu: the last line is cut short, and was passed over\n",
                   place.path, place.line);
        return 0;
    }
    if (!line)
        return refuse(wrong, place, error.column, error.text);
    const char *words = wrong_object(line);
    if (words) {
        json_decref(line);
        return refuse(wrong, place, 1, words);
    }
    if (add(results, line))
        return 0;
    buf_printf(wrong, "%s: out of memory", place.path);
    return EX_OSERR;
}

int results_parse(struct results *results, const char *path, const char *bytes, size_t length,
                  struct buf *wrong)
{
    struct place place = {.path = path};
    size_t before = results->count;
    for (size_t at = 0; at < length;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        struct span text = {.p = bytes + at, .n = end ? (size_t)(end - bytes) - at : length - at};
        place.line++;
        int status = parse_line(results, place, text, !end, wrong);
        if (status)
            return status;
        at += text.n + 1;
    }
    if (results->count > before)
        return 0;
    buf_printf(wrong, "%s: there is no measurement in it", path);
    return EX_DATAERR;
}

/* The whole file; errno is set when it fails. */
static bool slurp(FILE *file, struct buf *bytes)
{
    for (;;) {
        char *room = buf_room(bytes, BUFSIZ);
        errno = ENOMEM;
        if (!room || bytes->len > FILE_SIZE_MAX)
            return false;
        errno = 0;
        size_t n = fread(room, 1, BUFSIZ, file);
        buf_grow(bytes, n);
        if (n < BUFSIZ)
            return !ferror(file);
    }
}

int results_read(struct results *results, const char *path, struct buf *wrong)
{
    struct buf bytes = {0};
    FILE *file = fopen(path, "re");
    if (!file || !slurp(file, &bytes)) {
        buf_printf(wrong, "%s: %s", path, strerror(errno));
        buf_free(&bytes);
        if (file)
            fclose(file);
        return EX_NOINPUT;
    }
    fclose(file);
    int status = results_parse(results, path, bytes.p, bytes.len, wrong);
    buf_free(&bytes);
    return status;
}

void results_free(struct results *results)
{
    for (size_t i = 0; i < results->count; i++)
        json_decref(results->rows[i].line);
    for (size_t i = 0; i < results->machine_count; i++)
        free(results->machines[i]);
    free(results->rows);
    free(results->machines);
    buf_free(&results->notes);
    *results = (struct results){0};
}

double result_number(const struct result *result, const char *field)
{
    const json_t *object = result->line;
    const char *dot = strchr(field, '.');
    if (dot) {
        char outer[64];
        snprintf(outer, sizeof outer, "%.*s", (int)(dot - field), field);
        object = json_object_get(object, outer);
        field = dot + 1;
    }
    const json_t *value = json_object_get(object, field);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *result_text(const struct result *result, const char *field, char *room, size_t size)
{
    const json_t *value = json_object_get(result->line, field);
    if (json_is_string(value))
        return json_string_value(value);
    room[0] = '\0';
    if (!value)
        return room;
    size_t n = json_dumpb(value, room, size - 1, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
    room[n < size ? n : 0] = '\0';
    return room;
}

double result_lost(const struct result *result)
{
    json_t *lost = json_object_get(result->line, "lost");
    const char *cause;
    json_t *count;
    double sum = 0;
    if (!json_is_object(lost))
        return NAN;
    json_object_foreach(lost, cause, count)
    {
        /* What the client's own machine could not do, nobody lost (load/ledger.h). */
        if (strcmp(cause, "local") != 0)
            sum += json_number_value(count);
    }
    return sum;
}

bool result_is_measurement(const struct result *result)
{
    return strcmp(result->kind, "strategy") == 0 || strcmp(result->kind, "model") == 0;
}
