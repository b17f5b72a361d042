#include "config/options.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "support.h"

#define ARGS_MAX 40

static struct givens givens; /* of the last line that was read */

static int read_arguments(struct settings *settings, int argc, char *const argv[],
                          char why[OPTIONS_WHY_SIZE])
{
    struct faults faults = {.text = why, .size = OPTIONS_WHY_SIZE};
    why[0] = '\0';
    memset(&givens, 0, sizeof givens);
    options_read(settings, argc, argv, &givens, &faults);
    return faults.status;
}

/* Splits at spaces; a quoted empty word is '' . The words stay valid until the next call. */
static int read_on(struct settings *settings, const char *line, char why[OPTIONS_WHY_SIZE])
{
    static char copy[4096];
    char *argv[ARGS_MAX + 1] = {NULL};
    char *rest = NULL;
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        cr_assert_lt(argc, ARGS_MAX);
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    return read_arguments(settings, argc, argv, why);
}

static int read_line(struct settings *settings, const char *line, char why[OPTIONS_WHY_SIZE])
{
    options_defaults(settings);
    return read_on(settings, line, why);
}

/* As drover_main() does for a program of somebody else's. */
static int read_embedded(struct settings *settings, const char *line, char why[OPTIONS_WHY_SIZE])
{
    options_defaults(settings);
    settings->program = "clock";
    settings->app = NULL;
    return read_on(settings, line, why);
}

TestSuite(options, .init = speak_english);

static void expect(const char *line, int status, const char *words)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    int got = read_line(&s, line, why);
    cr_expect_eq(got, status, "%s: %d, %s", line, got, why);
    cr_expect_str_eq(why, words, "%s: %s", line, why);
}

/* ---------------------------------------------------------------------------- the defaults */

Test(options, defaults)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE], text[NET_TEXT_SIZE];
    cr_assert_eq(read_line(&s, "", why), 0, "%s", why);
    cr_expect_eq(s.address_count, 1);
    net_text(&s.addresses[0], text);
    cr_expect_str_eq(text, "127.0.0.1:8080");
    cr_expect_str_eq(s.program, "drover serve");
    cr_expect_str_eq(s.app, "static");
    cr_expect_eq(s.set_count, 0);
    cr_expect_str_eq(s.root, ".");
    cr_expect(s.listing);
    cr_expect_not(s.dot_files);
    cr_expect(s.precompressed);
    cr_expect_null(s.cache_control);
    cr_expect_null(s.fallback);
    cr_expect_eq(s.field_count, 0);
    cr_expect_eq(s.page_count, 0);
    cr_expect_eq(s.ready_fd, -1);
    cr_expect_null(s.pidfile);
    cr_expect_null(s.control);
    cr_expect_null(s.user);
    cr_expect_null(s.group);
    cr_expect_not(s.identity.change);
    cr_expect_eq(s.max_connections, 10000);
    cr_expect_eq(s.header_timeout, 10000);
    cr_expect_eq(s.body_timeout, 30000);
    cr_expect_eq(s.send_timeout, 30000);
    cr_expect_eq(s.idle_timeout, 75000);
    cr_expect_eq(s.drain_timeout, 30000);
    cr_expect_eq(s.start_timeout, 10000);
    cr_expect_eq(s.log_level, LOG_INFO);
    cr_expect_geq(s.workers, 1);
    cr_expect_leq(s.workers, SLOTS_MAX);
}

Test(options, admin)
{
    static const struct {
        const char *line, *address; /* NULL: none */
    } cases[] = {
        {"", NULL},
        {"--admin off", NULL},
        {"--admin 127.0.0.1:9100", "127.0.0.1:9100"},
        {"--admin=unix:/run/a", "unix:/run/a"},
        {"--admin fd:admin", "fd:admin"},
        {"--admin :1 --admin [::1]:2", "[::1]:2"}, /* the last one holds */
        {"--admin :1 --admin off", NULL},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct settings s;
        char why[OPTIONS_WHY_SIZE], text[NET_TEXT_SIZE];
        cr_expect_eq(read_line(&s, cases[i].line, why), 0, "%s", why);
        cr_expect_eq(s.admin_count, cases[i].address ? 1 : 0, "%s", cases[i].line);
        cr_expect_eq(s.address_count, 1);
        if (!cases[i].address)
            continue;
        net_text(&s.admin[0], text);
        cr_expect_str_eq(text, cases[i].address);
    }
    expect("--admin 80", EX_USAGE, "--admin 80: a port alone stands behind a colon, as in :8080");
    expect("--admin on", EX_USAGE,
           "--admin on: there is no port; an address is HOST:PORT, :PORT, [V6]:PORT, unix:/path, "
           "unix:@name or fd:NAME");
}

/* ------------------------------------------------------------------------------ the bounds */

#define DAY (24 * 60 * 60 * 1000LL)

static const struct {
    const char *name;
    size_t offset;
    int64_t min, max;
} numbers[] = {
    {"workers", offsetof(struct settings, workers), 1, SLOTS_MAX},
    {"max-connections", offsetof(struct settings, max_connections), 1, 1000000},
};

static int64_t member(const struct settings *s, size_t offset)
{
    int64_t value;
    memcpy(&value, (const char *)s + offset, sizeof value);
    return value;
}

static void expect_number(const char *name, size_t offset, int64_t value)
{
    struct settings s;
    char line[128], why[OPTIONS_WHY_SIZE];
    snprintf(line, sizeof line, "--%s %lld", name, (long long)value);
    cr_expect_eq(read_line(&s, line, why), 0, "%s: %s", line, why);
    cr_expect_eq(member(&s, offset), value, "%s: %lld", line, (long long)member(&s, offset));
}

static void refuse_number(size_t row, const char *value)
{
    char line[128], words[256];
    const char *name = numbers[row].name;
    const char *prefix = row == 0 ? "\"auto\" or " : "";
    snprintf(line, sizeof line, "--%s %s", name, value);
    snprintf(words, sizeof words, "--%s %s: must be %sa whole number from %lld to %lld", name,
             value, prefix, (long long)numbers[row].min, (long long)numbers[row].max);
    expect(line, EX_USAGE, words);
}

Test(options, numbers_at_and_past_their_bounds)
{
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        char past[32];
        expect_number(numbers[i].name, numbers[i].offset, numbers[i].min);
        expect_number(numbers[i].name, numbers[i].offset, numbers[i].min + 1);
        expect_number(numbers[i].name, numbers[i].offset, numbers[i].max);
        snprintf(past, sizeof past, "%lld", (long long)numbers[i].max + 1);
        refuse_number(i, past);
        snprintf(past, sizeof past, "%lld", (long long)numbers[i].min - 1);
        refuse_number(i, past);
        refuse_number(i, "-1");
        refuse_number(i, "four");
        refuse_number(i, "4.5");
        refuse_number(i, "99999999999999999999");
    }
}

Test(options, sizes)
{
    expect_number("max-body", offsetof(struct settings, max_body), 0);
    expect_number("max-body", offsetof(struct settings, max_body), 4096);
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    cr_expect_eq(read_line(&s, "", why), 0, "%s", why);
    cr_expect_eq(s.max_body, 1048576);
    cr_expect_eq(read_line(&s, "--max-body 2g", why), 0, "%s", why);
    cr_expect_eq(s.max_body, 2147483648);
}

Test(options, workers_auto_is_a_number_of_slots)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    cr_expect_eq(read_line(&s, "--workers 7 --workers auto", why), 0, "%s", why);
    cr_expect_geq(s.workers, 1);
    cr_expect_leq(s.workers, SLOTS_MAX);
    expect("--max-connections auto", EX_USAGE,
           "--max-connections auto: must be a whole number from 1 to 1000000");
}

static const struct {
    const char *name;
    size_t offset;
} durations[] = {
    {"header-timeout", offsetof(struct settings, header_timeout)},
    {"body-timeout", offsetof(struct settings, body_timeout)},
    {"send-timeout", offsetof(struct settings, send_timeout)},
    {"idle-timeout", offsetof(struct settings, idle_timeout)},
    {"drain-timeout", offsetof(struct settings, drain_timeout)},
    {"start-timeout", offsetof(struct settings, start_timeout)},
};

static const struct {
    const char *text;
    int64_t value; /* -1: refused */
} lengths[] = {
    {"0", 0},     {"0s", 0},      {"1ms", 1},  {"250ms", 250},     {"1m", 60000},
    {"24h", DAY}, {"1440m", DAY}, {"25h", -1}, {"86400001ms", -1}, {"10", -1},
    {"-1s", -1},  {"soon", -1},   {"''", -1},
};

Test(options, durations_at_and_past_their_bounds)
{
    for (size_t i = 0; i < LENGTH(durations); i++)
        for (size_t k = 0; k < LENGTH(lengths); k++) {
            struct settings s;
            char line[128], words[256], why[OPTIONS_WHY_SIZE];
            bool is_empty = strcmp(lengths[k].text, "''") == 0;
            snprintf(line, sizeof line, "--%s %s", durations[i].name, lengths[k].text);
            snprintf(words, sizeof words,
                     "--%s %s: must be a number with ms, s, m or h, as in 250ms or 10s, at most "
                     "24h; 0 is never",
                     durations[i].name, is_empty ? "" : lengths[k].text);
            int status = read_line(&s, line, why);
            cr_expect_eq(status, lengths[k].value < 0 ? EX_USAGE : 0, "%s: %s", line, why);
            cr_expect_str_eq(why, lengths[k].value < 0 ? words : "", "%s: %s", line, why);
            if (lengths[k].value >= 0)
                cr_expect_eq(member(&s, durations[i].offset), lengths[k].value, "%s", line);
        }
}

/* -------------------------------------------------------------------------- the other types */

static const struct {
    const char *line;
    int status;
    const char *why;
} rows[] = {
    {"--max-body 64q", EX_USAGE,
     "--max-body 64q: must be a number of bytes, or one with k, m or g, as in 64k"},
    {"--max-body -1", EX_USAGE,
     "--max-body -1: must be a number of bytes, or one with k, m or g, as in 64k"},
    {"--listing maybe", EX_USAGE, "--listing maybe: must be yes or no"},
    {"--listing=", EX_USAGE, "--listing : must be yes or no"},
    {"--dot-files true", EX_USAGE, "--dot-files true: must be yes or no"},
    {"--standby yes", EX_USAGE, "--standby yes: must be on or off"},
    {"--preempt on", EX_USAGE, "--preempt on: must be auto, yes or no"},
    {"--log-level loud", EX_USAGE, "--log-level loud: must be error, warn, info or debug"},
    {"--log-level INFO", EX_USAGE, "--log-level INFO: must be error, warn, info or debug"},
    {"--root ''", EX_USAGE, "--root: must not be empty"},
    {"--root=", EX_USAGE, "--root: must not be empty"},
    {"--pidfile ''", EX_USAGE, "--pidfile: must not be empty"},
    {"--control ''", EX_USAGE, "--control: must not be empty"},
    {"--control "
     "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/"
     "123456789/1234567",
     EX_USAGE,
     "--control "
     "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/"
     "123456789/1234567: is longer than 107 bytes"},
    {"--user ''", EX_USAGE, "--user: must not be empty"},
    {"--group=", EX_USAGE, "--group: must not be empty"},
    {"--precompressed on", EX_USAGE, "--precompressed on: must be yes or no"},
    {"--cache-control ''", EX_USAGE, "--cache-control : must not be empty"},
    {"--field X-One", EX_USAGE, "--field X-One: must be NAME: VALUE, with a colon"},
    {"--field Server:x", EX_USAGE, "--field Server:x: is a field that drover writes itself"},
    {"--error-page 200=/a", EX_USAGE,
     "--error-page 200=/a: must be STATUS=/PATH, a status from 400 to 599"},
    {"--fallback index.html", EX_USAGE,
     "--fallback index.html: must be a file below ROOT, as in /index.html"},
    {"--listen x", EX_USAGE,
     "--listen x: there is no port; an address is HOST:PORT, :PORT, [V6]:PORT, unix:/path, "
     "unix:@name or fd:NAME"},
    {"--listen [::1]", EX_USAGE,
     "--listen [::1]: there is no port; an address is HOST:PORT, :PORT, [V6]:PORT, unix:/path, "
     "unix:@name or fd:NAME"},
    {"--listen http://localhost:8080", EX_USAGE,
     "--listen http://localhost:8080: an address is without http://, as in localhost:8080"},
    {"--listen :80,backlog=0", EX_USAGE,
     "--listen :80,backlog=0: backlog= takes a number from 1 to 1048576"},
    {"--ready-fd -1", EX_USAGE, "--ready-fd -1: must be a whole number from 0 to 2147483647"},
    {"--ready-fd 2147483648", EX_USAGE,
     "--ready-fd 2147483648: must be a whole number from 0 to 2147483647"},
    {"--ready-fd 2147483647", EX_USAGE, "--ready-fd 2147483647: is not an open descriptor"},
    {"--user no-such-user", EX_USAGE, "--user no-such-user: there is no such user"},
    {"--group no-such-group", EX_USAGE, "--group no-such-group: there is no such group"},

    {"--listen", EX_USAGE, "--listen: its value is missing, as in --listen ADDR"},
    {"--workers", EX_USAGE, "--workers: its value is missing, as in --workers N"},
    {"--listing yes --idle-timeout", EX_USAGE,
     "--idle-timeout: its value is missing, as in --idle-timeout TIME"},
    {"--field", EX_USAGE, "--field: its value is missing, as in --field 'NAME: VALUE'"},
    {"--log-level", EX_USAGE, "--log-level: its value is missing, as in --log-level LEVEL"},

    {"--lisen :80", EX_USAGE, "--lisen: there is no such option; did you mean --listen?"},
    {"--listen-on :80", EX_USAGE, "--listen-on: there is no such option; did you mean --listen?"},
    {"--worker 3", EX_USAGE, "--worker: there is no such option; did you mean --workers?"},
    {"--worker=3", EX_USAGE, "--worker: there is no such option; did you mean --workers?"},
    {"--pid-file x", EX_USAGE, "--pid-file: there is no such option; did you mean --pidfile?"},
    {"--dotfiles", EX_USAGE, "--dotfiles: there is no such option; did you mean --dot-files?"},
    {"--send_timeout 1s", EX_USAGE,
     "--send_timeout: there is no such option; did you mean --send-timeout?"},
    {"--Workers 3", EX_USAGE, "--Workers: there is no such option; did you mean --workers?"},
    {"--quux", EX_USAGE, "--quux: there is no such option; drover serve --help lists them"},
    {"--=x", EX_USAGE, "--: there is no such option; drover serve --help lists them"},
    {"-w 3", EX_USAGE, "-w: there is no such option; options have two dashes"},
    {"-listen :80", EX_USAGE, "-listen: there is no such option; options have two dashes"},
    {". ..", EX_USAGE, "..: ROOT was given already: ."},
    {"--root .. .", EX_USAGE, "ROOT .: --root .. was given, too"},
    {". --root=..", EX_USAGE, "ROOT .: --root .. was given, too"},
    {"--port 80", EX_USAGE, "--port: there is no such option; did you mean --listen?"},
    {"--daemon", EX_USAGE, "--daemon: there is no such option; drover serve --help lists them"},
    {"--workers 0 --log-level loud", EX_USAGE,
     "--workers 0: must be \"auto\" or a whole number from 1 to 256\n"
     "--log-level loud: must be error, warn, info or debug"},
    {"--workers --listen :0 .", EX_USAGE,
     "--workers --listen: must be \"auto\" or a whole number from 1 to 256"},
    {"--listen [::1]:81 --listen [::1]:81", EX_USAGE,
     "--listen [::1]:81: was given already: [::1]:81"},

    {"--app ''", EX_USAGE, "--app: must not be empty"},
    {"--app", EX_USAGE, "--app: its value is missing, as in --app NAME"},
    {"--set zone", EX_USAGE, "--set zone: its value is missing, as in zone=VALUE"},
    {"--set", EX_USAGE, "--set: its value is missing, as in --set NAME=VALUE"},
    {"--app echo --root .", EX_USAGE, "--root is for the static site, not for --app echo"},
    {"--listing no --app ./it.so", EX_USAGE,
     "--listing is for the static site, not for --app ./it.so"},
    {"--app echo .", EX_USAGE, ".: a ROOT is for the static site, not for --app echo"},

    {"/no/such/directory", EX_NOINPUT, "ROOT /no/such/directory: No such file or directory"},
    {"--root /no/such/directory", EX_NOINPUT, "ROOT /no/such/directory: No such file or directory"},
    {"/dev/null", EX_NOINPUT, "ROOT /dev/null: is not a directory"},
    {"/dev/null/x", EX_NOINPUT, "ROOT /dev/null/x: Not a directory"},
    {"-- -x", EX_NOINPUT, "ROOT -x: No such file or directory"},
    {"-- --workers", EX_NOINPUT, "ROOT --workers: No such file or directory"},
    {"-", EX_NOINPUT, "ROOT -: No such file or directory"},
    {"''", EX_NOINPUT, "ROOT : No such file or directory"},
};

Test(options, what_is_wrong_and_what_is_allowed)
{
    for (size_t i = 0; i < LENGTH(rows); i++)
        expect(rows[i].line, rows[i].status, rows[i].why);
}

/* -------------------------------------------------------------------------------- all is well */

Test(options, values_in_both_spellings)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    int status = read_line(&s,
                           "--listing=no --dot-files yes --pidfile=/run/d=1.pid --root /tmp "
                           "--max-connections=5 --idle-timeout=1ms --log-level=debug",
                           why);
    cr_assert_eq(status, 0, "%s", why);
    cr_expect_not(s.listing);
    cr_expect(s.dot_files);
    cr_expect_str_eq(s.pidfile, "/run/d=1.pid");
    cr_expect_str_eq(s.root, "/tmp");
    cr_expect_eq(s.max_connections, 5);
    cr_expect_eq(s.idle_timeout, 1);
    cr_expect_eq(s.log_level, LOG_DEBUG);
}

Test(options, levels)
{
    static const char *const names[] = {
        [LOG_ERROR] = "error", [LOG_WARN] = "warn", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
    for (size_t i = 0; i < LENGTH(names); i++) {
        struct settings s;
        char line[64], why[OPTIONS_WHY_SIZE];
        snprintf(line, sizeof line, "--log-level %s", names[i]);
        cr_expect_eq(read_line(&s, line, why), 0, "%s", why);
        cr_expect_eq(s.log_level, i, "%s", names[i]);
    }
}

Test(options, the_last_of_two_counts)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    cr_assert_eq(read_line(&s, "--idle-timeout 1s --listing no --idle-timeout 2s", why), 0);
    cr_expect_eq(s.idle_timeout, 2000);
    cr_expect_not(s.listing);
}

Test(options, root_stands_anywhere)
{
    static const char *const lines[] = {
        "/tmp --workers 2", "--workers 2 /tmp", "--workers 2 -- /tmp",
        "-- /tmp",          "/tmp --",          "--root=/tmp"};
    for (size_t i = 0; i < LENGTH(lines); i++) {
        struct settings s;
        char why[OPTIONS_WHY_SIZE];
        cr_expect_eq(read_line(&s, lines[i], why), 0, "%s: %s", lines[i], why);
        cr_expect_str_eq(s.root, "/tmp", "%s", lines[i]);
    }
}

Test(options, addresses_are_gathered_up_to_the_limit)
{
    struct settings s;
    char line[1024] = "", why[OPTIONS_WHY_SIZE], text[NET_TEXT_SIZE];
    for (int i = 0; i < ADDRESSES_MAX; i++)
        sprintf(line + strlen(line), "--listen 127.0.0.1:%d ", 100 + i);
    cr_expect_eq(read_line(&s, line, why), 0, "%s", why);
    cr_expect_eq(s.address_count, ADDRESSES_MAX);
    for (int i = 0; i < ADDRESSES_MAX; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "127.0.0.1:%d", 100 + i);
        net_text(&s.addresses[i], text);
        cr_expect_str_eq(text, expected, "the default is not among them");
    }
    strcat(line, "--listen :99");
    expect(line, EX_USAGE, "--listen :99: there are too many addresses; 16 are allowed");
}

Test(options, what_the_site_is_told)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    static const char line[] =
        "--field X-One:1 --field=X-Two:2 --cache-control max-age=60 --error-page 404=/lost "
        "--error-page 500=/oops --fallback /index.html --precompressed no";
    cr_assert_eq(read_line(&s, line, why), 0, "%s", why);
    cr_assert_eq(s.field_count, 2);
    cr_expect_str_eq(s.fields[0].name, "X-One");
    cr_expect_str_eq(s.fields[1].value, "2");
    cr_expect_str_eq(s.cache_control, "max-age=60");
    cr_assert_eq(s.page_count, 2);
    cr_expect_eq(s.pages[1].status, 500);
    cr_expect_str_eq(s.pages[1].path, "/oops");
    cr_expect_str_eq(s.fallback, "/index.html");
    cr_expect_not(s.precompressed);
}

Test(options, ready_fd_must_be_open)
{
    struct settings s;
    char line[64], words[128], why[OPTIONS_WHY_SIZE];
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    snprintf(line, sizeof line, "--ready-fd %d", ends[1]);
    cr_expect_eq(read_line(&s, line, why), 0, "%s", why);
    cr_expect_eq(s.ready_fd, ends[1]);
    close(ends[0]);
    close(ends[1]);
    snprintf(words, sizeof words, "--ready-fd %d: is not an open descriptor", ends[1]);
    expect(line, EX_USAGE, words);
}

/* A directory that only its owner may pass; root is nobody for a while. */
Test(options, root_that_may_not_be_seen)
{
    char dir[64], line[128], words[256];
    make_directory(dir);
    snprintf(line, sizeof line, "%s/closed", dir);
    cr_assert_eq(mkdir(line, 0700), 0);
    cr_assert_eq(chmod(dir, 0), 0);
    bool is_root = geteuid() == 0;
    if (is_root)
        cr_assert(setegid(65534) == 0 && seteuid(65534) == 0, "%m");
    snprintf(words, sizeof words, "ROOT %s: Permission denied", line);
    expect(line, EX_NOPERM, words);
    if (is_root) {
        expect("--user root", EX_NOPERM, "--user root: only root may change it");
        expect("--group root", EX_NOPERM, "--group root: only root may change it");
        cr_assert(seteuid(0) == 0 && setegid(0) == 0, "%m");
        prctl(PR_SET_DUMPABLE, 1); /* for the leak check */
    }
    chmod(dir, 0700);
    remove_tree(dir);
}

/* -------------------------------------------------------------------------- the application */

Test(options, only_the_static_site_has_a_root)
{
    struct settings s;
    char why[OPTIONS_WHY_SIZE];
    cr_expect_eq(read_line(&s, "--app echo", why), 0, "%s", why);
    cr_expect_str_eq(s.app, "echo");
    cr_expect_null(s.root);
    cr_expect_eq(read_line(&s, "--root /tmp --app echo --app static", why), 0, "%s", why);
    cr_expect_str_eq(s.root, "/tmp");
}

Test(options, sets_are_gathered_up_to_the_limit)
{
    struct settings s;
    char line[2048] = "", why[OPTIONS_WHY_SIZE];
    char *argv[2 * SETS_MAX + 3];
    int argc = 0;
    cr_expect_eq(read_line(&s, "--set a=1 --set=b= --app echo --set c=d=e", why), 0, "%s", why);
    cr_assert_eq(s.set_count, 3);
    cr_expect_str_eq(s.sets[0], "a=1");
    cr_expect_str_eq(s.sets[1], "b=");
    cr_expect_str_eq(s.sets[2], "c=d=e");
    for (int i = 0; i <= SETS_MAX; i++) {
        argv[argc++] = strcpy(line, "--set");
        argv[argc++] = strcpy(line + 8, "x=y");
    }
    argv[argc] = NULL;
    options_defaults(&s);
    cr_expect_eq(read_arguments(&s, argc - 2, argv, why), 0, "%s", why);
    options_defaults(&s);
    cr_expect_eq(read_arguments(&s, argc, argv, why), EX_USAGE);
    cr_expect_str_eq(why, "--set x=y: there are too many; 64 are allowed");
}

static const struct {
    const char *line;
    const char *why; /* NULL: it is taken */
} embedded[] = {
    {"", NULL},
    {"--workers 2 --listen :0 --set a=b", NULL},
    {"--root .", "--root is for the static site"},
    {"--listing=no", "--listing is for the static site"},
    {"--dot-files", "--dot-files is for the static site"},
    {"--app echo", "--app is for drover serve; clock is an application"},
    {"/srv",
     "/srv: clock takes options alone, as --help lists them; drover status asks it as it runs"},
    {"-- -x",
     "-x: clock takes options alone, as --help lists them; drover status asks it as it runs"},
    {"--worker 2", "--worker: there is no such option; did you mean --workers?"},
    {"--rooot x", "--rooot: there is no such option; clock --help lists them"},
    {"--apps x", "--apps: there is no such option; clock --help lists them"},
};

Test(options, of_an_application_with_a_command_line_of_its_own)
{
    for (size_t i = 0; i < LENGTH(embedded); i++) {
        struct settings s;
        char why[OPTIONS_WHY_SIZE];
        int status = read_embedded(&s, embedded[i].line, why);
        cr_expect_eq(status, embedded[i].why ? EX_USAGE : 0, "%s: %s", embedded[i].line, why);
        cr_expect_str_eq(why, embedded[i].why ? embedded[i].why : "", "%s: %s", embedded[i].line,
                         why);
        if (!status)
            cr_expect_null(s.root);
    }
}

/* ------------------------------------------------------------------------ names and the help */

Test(options, root_that_is_a_module)
{
    char dir[64], path[128], words[256];
    make_directory(dir);
    snprintf(path, sizeof path, "%s/it.so", dir);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    snprintf(words, sizeof words, "ROOT %s: is not a directory; a module is named with --app",
             path);
    expect(path, EX_NOINPUT, words);
    remove_tree(dir);
}

static char *help_text(const struct settings *settings)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    cr_assert_not_null(to);
    options_print(to, settings);
    fclose(to);
    return text;
}

Test(options, help_has_every_option_and_short_lines)
{
    static const char *const starts[] = {
        "  --config FILE   (default: none)\n",
        "  --listen ADDR   (default: 127.0.0.1:8080)\n",
        "  --admin ADDR   (default: off)\n",
        "  --trust-proxy NETWORK   (default: nobody)\n",
        "  --workers N   (default: auto)\n",
        "  --app NAME   (default: static)\n",
        "  --set NAME=VALUE   (default: the application's)\n",
        "  --root DIR   (default: where drover was started)\n",
        "  --listing yes|no   (default: yes)\n",
        "  --dot-files yes|no   (default: no)\n",
        "  --ready-fd N   (default: off)\n",
        "  --pidfile FILE   (default: off)\n",
        ("  --control PATH   (default: in $RUNTIME_DIRECTORY, "
         "$XDG_RUNTIME_DIR or /run)\n"),
        "  --user NAME   (default: as started)\n",
        "  --group NAME   (default: the user's)\n",
        "  --max-connections N   (default: 10000)\n",
        "  --max-requests N   (default: 0, no bound)\n",
        "  --max-rss SIZE   (default: 0, no bound)\n",
        "  --connection-requests N   (default: 0, no bound)\n",
        "  --standby on|off   (default: on)\n",
        "  --preempt auto|yes|no   (default: auto)\n",
        "  --max-body SIZE   (default: 1m)\n",
        "  --header-timeout TIME   (default: 10s)\n",
        "  --body-timeout TIME   (default: 30s)\n",
        "  --answer-timeout TIME   (default: 60s)\n",
        "  --send-timeout TIME   (default: 30s)\n",
        "  --idle-timeout TIME   (default: 75s)\n",
        "  --drain-timeout TIME   (default: 30s)\n",
        "  --start-timeout TIME   (default: 10s)\n",
        "  --hang-timeout TIME   (default: 30s)\n",
        "  --lame-duck TIME   (default: 0s, none)\n",
        "  --log-level LEVEL   (default: info)\n",
        "  --log stderr|syslog|journal|FILE   (default: stderr)\n",
        "  --log-format text|json   (default: text)\n",
        "  --access-log off|FILE   (default: off)\n",
        "  --access-format combined|common|json|FORMAT   (default: combined)\n",
        "  --precompressed yes|no   (default: yes)\n",
        "  --cache-control VALUE   (default: none)\n",
        "  --cache 'PATTERN VALUE'   (default: none)\n",
        "  --field 'NAME: VALUE'   (default: none)\n",
        "  --error-page STATUS=/PATH   (default: drover's own)\n",
        "  --fallback /PATH   (default: off)\n"};
    struct settings settings;
    options_defaults(&settings);
    char *text = help_text(&settings);
    char *rest = NULL;
    for (size_t i = 0; i < LENGTH(starts); i++)
        cr_expect_not_null(strstr(text, starts[i]), "%s", starts[i]);
    cr_expect_not_null(strstr(text, "\n  host = NAME   (default: any that no other site has)\n"));
    cr_expect_not_null(strstr(text, "\n  prefix = /PATH   (default: /)\n"));
    size_t options = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        cr_expect_leq(strlen(line), 80, "%s", line);
        cr_expect_neq(line[strlen(line) - 1], ' ', "%s", line);
        options += strncmp(line, "  --", 4) == 0;
    }
    cr_expect_eq(options, LENGTH(starts), "%zu options", options);
    free(text);
}

Test(options, help_of_an_application_leaves_out_what_it_has_not)
{
    struct settings settings;
    options_defaults(&settings);
    settings.app = NULL;
    char *text = help_text(&settings);
    cr_expect_not_null(strstr(text, "  --listen ADDR"));
    cr_expect_not_null(strstr(text, "  --set NAME=VALUE"));
    cr_expect_null(strstr(text, "  --app "));
    cr_expect_null(strstr(text, "  --root "));
    cr_expect_null(strstr(text, "  --listing "));
    cr_expect_null(strstr(text, "  --dot-files "));
    cr_expect_null(strstr(text, "  host "));
    cr_expect_null(strstr(text, "A section"));
    free(text);
}
