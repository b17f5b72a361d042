/* Options that stand in a file: which of them hold, and what is wrong where. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/options.h"
#include "config/print.h"
#include "support.h"

#define ARGS_MAX 16

static struct settings s;
static struct givens givens;
static char why[16384];

static char directory[64];

static void enter_directory(void)
{
    speak_english();
    make_directory(directory);
    cr_assert_eq(chdir(directory), 0);
    cr_assert_eq(mkdir("site", 0755), 0);
}

static void leave_directory(void)
{
    givens_free(&givens);
    remove_tree(directory);
}

TestSuite(config_file, .init = enter_directory, .fini = leave_directory);

static void write_file(const char *text, size_t n)
{
    FILE *file = fopen("f", "w");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, n, file), n);
    fclose(file);
}

/* Reads `-c f` with these arguments, split at spaces. Returns the status. */
static int read_file(const char *arguments, bool embedded)
{
    static char copy[1024];
    char *argv[ARGS_MAX + 3] = {"-c", "f"};
    char *rest = NULL;
    int argc = 2;
    struct faults faults = {.text = why, .size = sizeof why};
    snprintf(copy, sizeof copy, "%s", arguments);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    argv[argc] = NULL;
    givens_free(&givens);
    memset(&givens, 0, sizeof givens);
    why[0] = '\0';
    options_defaults(&s);
    if (embedded) {
        s.program = "clock";
        s.app = NULL;
    }
    options_read(&s, argc, argv, &givens, &faults);
    faults_end(&faults, "f");
    return faults.status;
}

static void expect(const char *text, const char *arguments, int status, const char *words)
{
    write_file(text, strlen(text));
    int got = read_file(arguments, false);
    cr_expect_eq(got, status, "%s with %s: %d", text, arguments, got);
    cr_expect_str_eq(why, words, "%s with %s:\n%s\nnot\n%s", text, arguments, why, words);
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"worker = 4", "f:1:1: unknown key \"worker\"; did you mean \"workers\"?"},
    {"\n  Listen = :0", "f:2:3: unknown key \"Listen\"; did you mean \"listen\"?"},
    {"max_body = 1m", "f:1:1: unknown key \"max_body\"; did you mean \"max-body\"?"},
    {"frobnicate = 1", "f:1:1: unknown key \"frobnicate\"; keys are the options that drover serve "
                       "--help lists, without dashes"},
    {"\xff\x9b = 1", "f:1:1: unknown key \"\\xff\\x9b\"; keys are the options that drover serve "
                     "--help lists, without dashes"},
    {"workers = 0", "f:1:11: workers = 0: must be \"auto\" or a whole number from 1 to 256"},
    {"workers = \"0\"", "f:1:11: workers = 0: must be \"auto\" or a whole number from 1 to 256"},
    {"workers =  # four", "f:1:12: workers: its value is missing, as in workers = N"},
    {"set = a", "f:1:7: set = a: its value is missing, as in a=VALUE"},
    {"pidfile = ''", "f:1:11: pidfile: must not be empty"},
    {"listen = 8080", "f:1:10: listen = 8080: a port alone stands behind a colon, as in :8080"},
    {"trust-proxy = 10.0.0.1/8",
     "f:1:15: trust-proxy = 10.0.0.1/8: the address has bits set behind the prefix"},
    {"idle-timeout = 5", "f:1:16: idle-timeout = 5: must be a number with ms, s, m or h, as in "
                         "250ms or 10s, at most 24h; 0 is never"},
    {"log-level = loud", "f:1:13: log-level = loud: must be error, warn, info or debug"},
    {"ready-fd = 3",
     "f:1:1: ready-fd: a descriptor belongs to one start; it is for the command line"},
    {"config = g", "f:1:1: config: a file cannot name another one; it is for the command line"},
    {"[site]", "f:1:6: the site's name is missing, as in [site NAME]"},
    {"workers = 1\nworkers = 2", "f:2:11: workers = 2: was given already, in line 1"},
    {"set = a=1\nset = b=1\nset = a=2", "f:3:7: set = a=2: was given already, in line 1"},
    {"error-page = 404=/a\nerror-page = 404=/b",
     "f:2:14: error-page = 404=/b: was given already, in line 1"},
    {"user = nosuchuser", "f:1:8: user = nosuchuser: there is no such user"},
    {"group = nosuchgroup", "f:1:9: group = nosuchgroup: there is no such group"},
    {"root = none", "f:1:8: root = none: No such file or directory"},
    {"root = f", "f:1:8: root = f: is not a directory"},
    {"app = echo\nlisting = no", "f:2:11: listing is for the static site, not for --app echo"},
    {"app = echo\nroot = site\nfallback = /a",
     "f:2:8: root is for the static site, not for --app echo\n"
     "f:3:12: fallback is for the static site, not for --app echo"},
    {"apq = echo\nroot = none", "f:1:1: unknown key \"apq\"; did you mean \"app\"?\n"
                                "f:2:8: root = none: No such file or directory"},
    {"worker = 1\nworkers = x # y\n[a]\nroot = none\nuser = nosuchuser",
     "f:1:1: unknown key \"worker\"; did you mean \"workers\"?\n"
     "f:2:11: workers = x: must be \"auto\" or a whole number from 1 to 256\n"
     "f:3:2: unknown section \"a\"; a section begins with [site NAME]\n"
     "f:4:8: root = none: No such file or directory\n"
     "f:5:1: user: is for the whole server: it stands before the first section"},
    {"user = nosuchuser\nroot = none\nworkers = 0\nfrob = 1\nuser = nosuchuser",
     "f:1:8: user = nosuchuser: there is no such user\n"
     "f:2:8: root = none: No such file or directory\n"
     "f:3:11: workers = 0: must be \"auto\" or a whole number from 1 to 256\n"
     "f:4:1: unknown key \"frob\"; keys are the options that drover serve --help lists, without "
     "dashes\n"
     "f:5:8: user = nosuchuser: was given already, in line 1"},
};

/* The same in sections. */
static const struct {
    const char *text, *why;
} bad_sections[] = {
    {"[sites a]\nroot = site",
     "f:1:2: unknown section \"sites\"; a section begins with [site NAME]"},
    {"[site a\nrot = site", "f:1:1: a section begins with [site NAME]\nf:2:1: unknown key \"rot\"; "
                            "did you mean \"root\"?"},
    {"[site a/b]", "f:1:7: site a/b: its name must be 1 to 63 letters, digits, '-', '_' and '.'"},
    {"[site a]\nroot = site\nhost = a\n[site a]\nroot = site",
     "f:4:7: site a: is there already, in line 1"},
    {"[site a]",
     "f:1:7: site a: has neither root nor app: one of them says what answers, as in root "
     "= /srv/www"},
    {"[site a]\napp = static",
     "f:1:7: site a: has no root: app = static wants one, as in root = /srv/www"},
    {"[site a]\nroot = f", "f:2:8: root = f: is not a directory"},
    {"[site a]\nroot = none\n[site b]\nhost = b\nroot = none",
     "f:2:8: root = none: No such file or directory\n"
     "f:5:8: root = none: No such file or directory"},
    {"[site a]\napp = echo\nroot = site\nlisting = no",
     "f:3:8: root is for the static site, not for --app echo\n"
     "f:4:11: listing is for the static site, not for --app echo"},
    {"[site a]\nroot = site\nprefx = /a", "f:3:1: unknown key \"prefx\"; did you mean \"prefix\"?"},
    {"[site a]\nroot = site\nfrobnicate = 1", "f:3:1: unknown key \"frobnicate\"; a site has root "
                                              "or app, host, prefix, set, and the options "
                                              "of the static site"},
    {"[site a]\nroot = site\nworkers = 2",
     "f:3:1: workers: is for the whole server: it stands before the first section"},
    {"host = a\n[site a]\nroot = site",
     "f:1:1: host: is for a site: it stands in a section that begins with [site NAME]"},
    {"[site a]\nroot = site\nroot = site", "f:3:8: root = site: was given already, in line 2"},
    {"[site a]\nroot = site\nhost = a.b\nhost = A.B.",
     "f:4:8: host = A.B.: was given already, in line 3"},
    {"[site a]\nroot = site\nhost = a:80",
     "f:3:8: host = a:80: must be a name without a port; all ports are meant"},
    {"[site a]\nroot = site\nprefix = a", "f:3:10: prefix = a: must be a path, as in /api"},
    {"[site a]\nroot = site\nprefix = b\n[site b]\nroot = site\nprefix =\n[site c]\nroot = site\n"
     "hosts = a\n[site d]\nroot = site",
     "f:3:10: prefix = b: must be a path, as in /api\n"
     "f:6:9: prefix: its value is missing, as in prefix = /PATH\n"
     "f:9:1: unknown key \"hosts\"; did you mean \"host\"?"},
    {"[site a]\nroot = site\ncache = *.css",
     "f:3:9: cache = *.css: must be PATTERN VALUE, as in *.css max-age=3600"},
    {"[site a]\nroot = site\ncache = *.a b\ncache = *.a c",
     "f:4:9: cache = *.a c: was given already, in line 3"},
    {"[site a]\nroot = site\n[site b]\nroot = site",
     "f:3:7: site b: every host with the prefix / is site a's already, in line 1"},
    {"[site a]\nroot = site\nhost = x\nhost = y\nprefix = /p\n"
     "[site b]\napp = echo\nhost = Y.\nprefix = /p/",
     "f:6:7: site b: host Y. with the prefix /p/ is site a's already, in line 1"},
    {"listing = no\n[site a]\nroot = site",
     "f:1:11: listing is for a site: there are sections, so give a root before the first one, too, "
     "or move it into one"},
    {"app = static\n[site a]\nroot = site",
     "f:1:7: app is for a site: there are sections, so give a root before the first one, too, or "
     "move it into one"},
};

Test(config_file, all_that_is_wrong_in_sections)
{
    for (size_t i = 0; i < LENGTH(bad_sections); i++)
        expect(bad_sections[i].text, "", EX_CONFIG, bad_sections[i].why);
}

Test(config_file, nobody_has_what_stands_in_a_section_too_many)
{
    char text[16384];
    size_t n = 0;
    for (int i = 0; i <= SITES_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "[site s%d]\nhost = s%d\nroot = site\n", i,
                              i);
    expect(text, "", EX_CONFIG, "f:769:7: there are too many sections; 256 are allowed");
}

Test(config_file, an_application_has_no_sections)
{
    write_file("[site a]\nworkers = 1", 20);
    cr_expect_eq(read_file("", true), EX_CONFIG);
    cr_expect_str_eq(why, "f:1:2: sections are for drover serve; this program is an application\n"
                          "f:2:1: workers: is for the whole server: it stands before the first "
                          "section");
}

Test(config_file, the_options_of_sections_are_none_of_the_command_line)
{
    expect("", "--host a", EX_USAGE, "--host: is for a [site NAME] section of a file");
    expect("[site a]\nroot = site", "--listing no", EX_USAGE,
           "--listing is for a site: there are sections, so give a root before the first one, too, "
           "or move it into one");
    expect("", "--hosts a", EX_USAGE,
           "--hosts: there is no such option; drover serve --help lists them");
}

static const char sections_text[] = "workers = 3\n"
                                    "[site a]\nhost = a\nhost = *.a\nroot = site\ncache = *.css x\n"
                                    "[site b] # words\nprefix = /b/\napp = echo\n";

Test(config_file, sections_have_their_own_values)
{
    write_file(sections_text, sizeof sections_text - 1);
    cr_assert_eq(read_file("", false), 0, "%s", why);
    cr_assert_eq(givens.sections.count, 2);
    const struct section *a = givens.sections.list[0], *b = givens.sections.list[1];
    cr_expect_eq(s.workers, 3);
    cr_expect(s.is_sites_only);
    cr_expect_null(s.root, "the directory that drover was started in is not served by surprise");
    cr_expect_eq(s.cache_count, 0);
    cr_expect_str_eq(a->name, "a");
    cr_expect_eq(a->place.line, 2);
    cr_expect_eq(a->settings.host_count, 2);
    cr_expect_str_eq(a->settings.hosts[1], "*.a");
    cr_expect_str_eq(a->settings.root, "site");
    cr_expect_str_eq(a->settings.caches[0].glob, "*.css");
    cr_expect_str_eq(a->settings.caches[0].value, "x");
    cr_expect_eq(section_prefix(a).n, 0);
    cr_expect_str_eq(b->settings.app, "echo");
    cr_expect_null(b->settings.root);
    cr_expect_eq(b->settings.host_count, 0);
    cr_expect(span_eq(section_prefix(b), SPAN("/b")));
}

Test(config_file, a_root_beside_sections_is_served)
{
    write_file(sections_text, sizeof sections_text - 1);
    cr_assert_eq(read_file("--listing no --cache=*.css\ty site", false), 0, "%s", why);
    cr_expect_not(s.is_sites_only);
    cr_expect_str_eq(s.root, "site");
    cr_expect_not(s.listing);
    cr_expect(givens.sections.list[0]->settings.listing, "a section stands for itself");
    cr_expect_str_eq(givens.sections.list[0]->settings.caches[0].value, "x");
    cr_assert_eq(read_file("--app echo", false), 0, "%s", why);
    cr_expect_not(s.is_sites_only);
    cr_expect_null(s.root);
}

Test(config_file, rules_of_the_command_line_come_first)
{
    static const char text[] = "cache = * all\ncache = *.a file\n";
    write_file(text, sizeof text - 1);
    cr_assert_eq(read_file("--cache=*.a\tfirst --cache=*.b\tnext site", false), 0, "%s", why);
    cr_assert_eq(s.cache_count, 3);
    cr_expect_str_eq(s.caches[0].value, "first");
    cr_expect_str_eq(s.caches[1].value, "next");
    cr_expect_str_eq(s.caches[2].value, "all");
}

Test(config_file, all_that_is_wrong_and_where)
{
    for (size_t i = 0; i < LENGTH(bad); i++)
        expect(bad[i].text, "", EX_CONFIG, bad[i].why);
}

Test(config_file, a_wrong_value_is_told_with_the_file_and_a_wrong_option_alone)
{
    expect("worker = 1", "--workers 0", EX_CONFIG,
           "--workers 0: must be \"auto\" or a whole number from 1 to 256\n"
           "f:1:1: unknown key \"worker\"; did you mean \"workers\"?");
    expect("workers = 1", "--workers 0", EX_USAGE,
           "--workers 0: must be \"auto\" or a whole number from 1 to 256");
    expect("worker = 1", "-x", EX_USAGE, "-x: there is no such option; options have two dashes");
    expect("", "none", EX_NOINPUT, "ROOT none: No such file or directory");
    expect("", "-c g", EX_USAGE, "--config g: one file is read, and was given already: f");
    expect("", "-x", EX_USAGE, "-x: there is no such option; options have two dashes");
    expect("", "--config", EX_USAGE, "--config: its value is missing, as in --config FILE");
}

Test(config_file, what_the_command_line_replaces_is_checked)
{
    expect("workers = 0", "--workers 2", EX_CONFIG,
           "f:1:11: workers = 0: must be \"auto\" or a whole number from 1 to 256");
    expect("root = none", "site", 0, "");
    expect("user = nosuchuser", "--user root", 0, "");
}

Test(config_file, of_many_faults_twenty_are_shown)
{
    char text[1024] = "";
    for (int i = 0; i < 23; i++)
        strcat(text, "= a\n");
    write_file(text, strlen(text));
    cr_expect_eq(read_file("", false), EX_CONFIG);
    cr_expect_not_null(strstr(why, "\nf:20:1: "), "%s", why);
    cr_expect_null(strstr(why, "f:21:1: "), "%s", why);
    cr_expect_str_eq(strrchr(why, '\n'), "\nand 3 more: drover check -c f tells all");
}

Test(config_file, which_values_hold)
{
    static const char text[] = "workers = 3\nidle-timeout = 5s\nlisten = :1\nlisten = :2\n"
                               "trust-proxy = unix\nset = a=1\nset = b=1\nroot = none\n"
                               "field = X-A: 1\nfield = x-a: 2\nfield = X-B: 1\n"
                               "error-page = 404=/a\nerror-page = 500=/a\n";
    write_file(text, strlen(text));
    cr_assert_eq(read_file("--idle-timeout 7s --listen :3 --trust-proxy ::1 --set=a=2 "
                           "--field=X-a:3 --error-page 404=/b site",
                           false),
                 0, "%s", why);
    cr_expect_eq(s.workers, 3);
    cr_expect_eq(s.idle_timeout, 7000);
    cr_assert_eq(s.address_count, 1);
    cr_expect_not(s.trusted.trusts_unix);
    cr_expect_eq(s.trusted.count, 1);
    cr_assert_eq(s.set_count, 2);
    cr_expect_str_eq(s.sets[0], "b=1");
    cr_expect_str_eq(s.sets[1], "a=2");
    cr_assert_eq(s.field_count, 2);
    cr_expect_str_eq(s.fields[0].name, "X-B");
    cr_expect_str_eq(s.fields[1].value, "3");
    cr_assert_eq(s.page_count, 2);
    cr_expect_str_eq(s.pages[0].path, "/a");
    cr_expect_eq(s.pages[0].status, 500);
    cr_expect_str_eq(s.pages[1].path, "/b");
    cr_expect_str_eq(s.root, "site");
}

Test(config_file, the_last_of_the_command_line_holds)
{
    write_file("workers = 3\n", 12);
    cr_assert_eq(
        read_file("--workers 1 --workers 2 --root none --root site --set a=1 --set a=2", false), 0,
        "%s", why);
    cr_expect_eq(s.workers, 2);
    cr_expect_str_eq(s.root, "site");
    cr_expect_str_eq(s.sets[1], "a=2");
    cr_expect_str_eq(givens_find(&givens, "workers")->value, "2");
    cr_expect_str_eq(givens_find(&givens, "set")->value, "a=2");
}

Test(config_file, a_program_with_an_application_of_its_own)
{
    static const char text[] = "workers = 3\nset = a=b\napp = echo\nlisting = no\nworker = 1\n";
    write_file(text, strlen(text));
    cr_expect_eq(read_file("", true), EX_CONFIG);
    cr_expect_str_eq(why, "f:3:1: app: is for drover serve; this program is an application\n"
                          "f:4:1: listing: is for the static site of drover serve\n"
                          "f:5:1: unknown key \"worker\"; did you mean \"workers\"?");
    write_file(text, 22);
    cr_expect_eq(read_file("", true), 0, "%s", why);
    cr_expect_null(s.root);
    cr_expect_eq(s.workers, 3);
    cr_expect_str_eq(s.program, "clock");
}

/* ------------------------------------------------------------------------------- printed again */

static char *print(void)
{
    static const struct drover_key keys[] = {{.name = "a", .fallback = "x # y"},
                                             {.name = "b", .fallback = "1"},
                                             {.name = "c"},
                                             {.name = NULL}};
    static const struct drover_app app = {.name = "a", .keys = keys};
    char *text = NULL;
    size_t n;
    FILE *to = open_memstream(&text, &n);
    cr_assert_not_null(to);
    print_configuration(to, &s, &givens, &app);
    fclose(to);
    return text;
}

Test(config_file, is_printed_with_where_each_value_comes_from)
{
    static const char text[] = "workers = 3\n\nset = b=2\nfield = \"X: a #b\"\n";
    static const char *const lines[] = {"listen = 127.0.0.1:8080  # default\n",
                                        "workers = 3  # f:1\n",
                                        "set = b=2  # f:3\n",
                                        "set = \"a=x # y\"  # default\n",
                                        "# set = c=  # default\n",
                                        "# ready-fd = 1  # option, and not for a file\n",
                                        "# pidfile: off  # default\n",
                                        "idle-timeout = 7s  # option\n",
                                        "root = site  # option\n",
                                        "field = \"X: a #b\"  # f:4\n"};
    write_file(text, strlen(text));
    cr_assert_eq(read_file("--idle-timeout 7s --ready-fd 1 site", false), 0, "%s", why);
    char *shown = print();
    for (size_t i = 0; i < LENGTH(lines); i++)
        cr_expect_not_null(strstr(shown, lines[i]), "%s is not in:\n%s", lines[i], shown);
    free(shown);
}

Test(config_file, is_printed_as_a_file_that_comes_to_the_same)
{
    static const char text[] = "set = \" a=\\\"\\\\\"\nset = 'b=# x'\nset = \"c=\\x0a\\xff\"\n"
                               "set = \"d= \"\nset = e=it's\nset = ' f=\"'\n";
    write_file(text, strlen(text));
    cr_assert_eq(read_file("--set g=2 --field=A:b --field=A:c site", false), 0, "%s", why);
    cr_assert_eq(s.set_count, 7);
    char *shown = print();
    struct settings first = s;
    char *text_of_first = givens.text;
    givens.text = NULL;
    write_file(shown, strlen(shown));
    cr_assert_eq(read_file("", false), 0, "%s", why);
    cr_expect_eq(s.set_count, 8); /* and the default of a */
    for (int i = 0; i < first.set_count; i++)
        cr_expect_str_eq(s.sets[i], first.sets[i]);
    cr_expect_eq(s.field_count, 2);
    cr_expect_str_eq(s.fields[1].value, "c");
    cr_expect_str_eq(s.root, "site");
    free(text_of_first);
    free(shown);
}
