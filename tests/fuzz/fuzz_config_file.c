/*
 * A configuration file. The input is its text. Verdicts: good, bad.
 *
 * It is read twice: its lines alone, and as `drover serve -c` reads it, from memory. What holds is
 * printed, and must come to the same when it is read again. Nothing is opened or changed but that
 * file: --user and --group are looked up, ROOT is asked for with stat(2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/utf8.h"
#include "config/lines.h"
#include "config/options.h"
#include "config/print.h"
#include "fuzz.h"

#define WHY_SIZE 16384

static const struct drover_app app = {.name = "fuzz"};

/* -------------------------------------------------------------------------------- its lines */

static void check_string(const char *string, const char *text, size_t n)
{
    FUZZ_CHECK(string > text && string <= text + n, "a string outside of the text");
    FUZZ_CHECK(memchr(string, '\0', (size_t)(text + n - string) + 1), "a string without an end");
}

static void check_lines(struct span input)
{
    char *text = fuzz_room(input.n + 1);
    struct lines lines = {.p = text, .n = input.n};
    struct line line;
    enum lines_result result;
    unsigned before = 0;
    memcpy(text, input.p, input.n);
    text[input.n] = '\0';
    while ((result = lines_next(&lines, &line)) != LINES_END) {
        FUZZ_CHECK(lines.line > before, "line %u behind line %u", lines.line, before);
        before = lines.line;
        FUZZ_CHECK(line.value_column >= 1 && line.value_column <= input.n + 1, "column %u",
                   line.value_column);
        if (result == LINES_FAULT) {
            FUZZ_CHECK(*line.fault && strlen(line.fault) < sizeof line.fault, "no reason given");
            continue;
        }
        FUZZ_CHECK(line.key_column < line.value_column, "a value before its key");
        FUZZ_CHECK(*line.key, "a key without a name");
        if (line.value)
            check_string(line.value, text, input.n);
    }
    free(text);
}

/* ---------------------------------------------------------------------------- as a whole */

struct reading {
    struct settings settings;
    struct givens givens;
    struct faults faults;
    char *why; /* alone on the heap */
};

static int memory_file(struct span bytes, char path[64])
{
    int fd = memfd_create("drover.conf", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n, "no memory file: %m");
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void read_text(struct reading *r, struct span bytes)
{
    static char path[64];
    char *argv[] = {"-c", path, NULL};
    int fd = memory_file(bytes, path);
    memset(r, 0, sizeof *r);
    r->why = fuzz_room(WHY_SIZE);
    r->why[0] = '\0';
    r->faults = (struct faults){.text = r->why, .size = WHY_SIZE};
    options_defaults(&r->settings);
    options_read(&r->settings, 2, argv, &r->givens, &r->faults);
    faults_end(&r->faults, NULL);
    close(fd);
}

static void free_reading(struct reading *r)
{
    givens_free(&r->givens);
    free(r->why);
}

/* Every line says where, and none harms a terminal. */
static void check_faults(const struct reading *r)
{
    const char *at = r->why;
    unsigned lines = 1;
    FUZZ_CHECK(r->faults.status == EX_CONFIG, "status %d", r->faults.status);
    FUZZ_CHECK(strlen(at) == r->faults.used && *at, "no reason given");
    for (size_t n; *at; at += n) {
        n = utf8_length(at, strlen(at));
        FUZZ_CHECK(n > 0 && (*at == '\n' || (unsigned char)*at >= ' ') && *at != 0x7f,
                   "byte %#x in a message", (unsigned char)*at);
        lines += *at == '\n';
    }
    FUZZ_CHECK(lines == r->faults.shown + (r->faults.count > r->faults.shown), "%u lines, not %u",
               lines, r->faults.shown);
}

static char *print(const struct reading *r)
{
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    FUZZ_CHECK(to, "no memory");
    print_configuration(to, &r->settings, &r->givens, &app);
    FUZZ_CHECK(fclose(to) == 0, "no memory");
    return text;
}

/* Where the values come from is the last comment of each line. */
static void strip_origins(char *text)
{
    char *to = text;
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        size_t kept = n;
        while (kept > 0 && strncmp(line + kept, "  # ", 4) != 0)
            kept--;
        memmove(to, line, kept);
        to += kept;
        *to++ = '\n';
        line += n + (line[n] == '\n');
    }
    *to = '\0';
}

static void check_printed(const struct reading *r)
{
    struct reading again;
    char *one = print(r);
    read_text(&again, span_of(one));
    FUZZ_CHECK(again.faults.count == 0, "what was printed is refused: %.500s", again.why);
    char *two = print(&again);
    strip_origins(one);
    strip_origins(two);
    FUZZ_CHECK(strcmp(one, two) == 0, "it comes to\n%.2000s and then to\n%.2000s", one, two);
    free(one);
    free(two);
    free_reading(&again);
}

/* An escape has four bytes, and the origin comes behind: a line may grow past the longest. */
static bool can_be_printed(const struct reading *r)
{
    for (size_t i = 0; i < r->givens.count; i++)
        if (strlen(r->givens.list[i].value) > CONFIG_LINE_MAX / 5)
            return false;
    return true;
}

const char *fuzz_one(struct span input)
{
    struct reading reading;
    check_lines(input);
    read_text(&reading, input);
    bool is_good = reading.faults.count == 0;
    if (is_good && can_be_printed(&reading))
        check_printed(&reading);
    else if (!is_good)
        check_faults(&reading);
    free_reading(&reading);
    return is_good ? "good" : "bad";
}
