#include "cli/source.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support.h"
#include "worker/routes.h"

static char directory[64];
static int64_t number;

static void enter_directory(void)
{
    speak_english();
    make_directory(directory);
    cr_assert_eq(chdir(directory), 0);
}

static void leave_directory(void)
{
    remove_tree(directory);
}

TestSuite(source, .init = enter_directory, .fini = leave_directory);

static void write_file(const char *text)
{
    FILE *file = fopen("f", "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static struct configuration *read_anew(const struct drover_app *app, int *status, char *why)
{
    static char *const argv[] = {"-c", "f", NULL};
    struct source source = {.program = "drover serve", .argc = 2, .argv = argv, .app = app};
    why[0] = '\0';
    return source_read(&source, status, why, CONFIGURATION_WHY_SIZE);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    (void)context;
    (void)request;
    (void)response;
}

static const struct drover_key keys[] = {{"n", DROVER_NUMBER, "5", 1, 9, "", &number},
                                         {.name = NULL}};
static const struct drover_app app = {.name = "a", .handle = handle, .keys = keys};

Test(source, an_old_and_a_new_configuration_live_side_by_side)
{
    static char why[CONFIGURATION_WHY_SIZE];
    int status;
    write_file("field = X-A: one\nidle-timeout = 1s\ncache-control = no-store\n");
    struct configuration *old = read_anew(NULL, &status, why);
    cr_assert_not_null(old, "%s", why);
    write_file("field = X-B: two\nidle-timeout = 2s\n");
    struct configuration *next = read_anew(NULL, &status, why);
    cr_assert_not_null(next, "%s", why);
    cr_expect_neq(old->app, next->app);
    cr_expect_neq(old->app->context, next->app->context);
    cr_expect_eq(old->settings.idle_timeout, 1000);
    cr_expect_eq(next->settings.idle_timeout, 2000);
    cr_expect_str_eq(old->settings.fields[0].value, "one");
    cr_expect_str_eq(old->settings.cache_control, "no-store");
    cr_expect_null(next->settings.cache_control);
    source_free(old);
    cr_expect_str_eq(next->settings.fields[0].name, "X-B");
    cr_expect_str_eq(next->settings.fields[0].value, "two");
    source_free(next);
    source_free(NULL);
}

Test(source, reading_sets_no_key)
{
    static char why[CONFIGURATION_WHY_SIZE];
    int status;
    write_file("set = n=7\n");
    struct configuration *present = read_anew(&app, &status, why);
    cr_assert_not_null(present, "%s", why);
    cr_expect_eq(number, 0);
    cr_expect_eq(configuration_apply(present, why, sizeof why), 0, "%s", why);
    cr_expect_eq(number, 7);
    write_file("set = n=10\nworker = 1\n");
    cr_expect_null(read_anew(&app, &status, why));
    cr_expect_eq(status, EX_CONFIG);
    cr_expect_str_eq(why, "f:1:7: set = n=10: must be a whole number from 1 to 9\n"
                          "f:2:1: unknown key \"worker\"; did you mean \"workers\"?");
    cr_expect_eq(number, 7);
    write_file("set = n=8\n");
    struct configuration *next = read_anew(&app, &status, why);
    cr_assert_not_null(next, "%s", why);
    cr_expect_eq(number, 7);
    cr_expect_eq(next->app, &app);
    source_free(next);
    source_free(present);
}

Test(source, a_file_that_has_gone_is_said)
{
    static char why[CONFIGURATION_WHY_SIZE];
    int status;
    cr_expect_null(read_anew(NULL, &status, why));
    cr_expect_eq(status, EX_NOINPUT);
    cr_expect_str_eq(why, "-c f: No such file or directory");
}

Test(source, a_server_that_speaks_first_defers_no_client)
{
    static const struct drover_protocol protocol = {.speaks_first = 1};
    static const struct drover_app talker = {.name = "t", .stream = &protocol};
    static char why[CONFIGURATION_WHY_SIZE];
    int status;
    write_file("listen = :0\n");
    struct configuration *c = read_anew(&talker, &status, why);
    cr_assert_not_null(c, "%s", why);
    cr_expect_not(c->settings.addresses[0].defer);
    cr_expect(c->settings.addresses[0].any_port);
    source_free(c);
}

/* ------------------------------------------------------------------------------- with sections */

static struct configuration *read_text(const char *text, char *why)
{
    int status;
    write_file(text);
    return read_anew(NULL, &status, why);
}

static unsigned app_of(const struct configuration *c, const char *host, const char *path)
{
    const struct route *route = routes_find(c->sites->routes, span_of(host), span_of(path));
    return route ? route->app : 0;
}

Test(source, each_static_site_is_an_application_and_what_is_built_in_is_one)
{
    static char why[CONFIGURATION_WHY_SIZE];
    struct configuration *c = read_text("[site a]\nroot = .\nhost = a\n"
                                        "[site b]\nroot = .\nhost = b\nlisting = no\n"
                                        "[site c]\napp = echo\nhost = c\n"
                                        "[site d]\napp = echo\nprefix = /d/\n",
                                        why);
    cr_assert_not_null(c, "%s", why);
    cr_assert_eq(c->sites->count, 4);
    cr_expect_str_eq(c->app->name, "sites", "what no site answers is 404");
    cr_expect_eq(c->app, c->sites->apps[0].app);
    cr_expect_null(c->sites->apps[0].site);
    cr_expect_str_eq(c->sites->apps[1].site, "a");
    cr_expect_neq(c->sites->apps[1].app->context, c->sites->apps[2].app->context);
    cr_expect_eq(app_of(c, "a", "/"), 1);
    cr_expect_eq(app_of(c, "b", "/"), 2);
    cr_expect_eq(app_of(c, "c", "/"), 3);
    cr_expect_eq(app_of(c, "x", "/d"), 3, "it has two sites");
    cr_expect_eq(app_of(c, "x", "/e"), 0);
    cr_expect_eq(c->settings.site_count, 4);
    source_free(c);
}

Test(source, without_sections_there_is_nothing_to_choose)
{
    static char why[CONFIGURATION_WHY_SIZE];
    struct configuration *c = read_text("root = .\n", why);
    cr_assert_not_null(c, "%s", why);
    cr_expect_eq(c->sites->count, 1);
    cr_expect_null(c->sites->routes);
    cr_expect_null(c->sites->metrics[0].name);
    source_free(c);
}

Test(source, an_application_of_the_whole_server_may_have_sites_too)
{
    static char why[CONFIGURATION_WHY_SIZE];
    struct configuration *c = read_text("app = echo\n[site a]\nprefix = /a\napp = echo\n"
                                        "[site b]\nprefix = /b\napp = hello\n",
                                        why);
    cr_assert_not_null(c, "%s", why);
    cr_expect_eq(c->sites->count, 2);
    cr_expect_eq(app_of(c, "x", "/a"), 0);
    cr_expect_eq(app_of(c, "x", "/b"), 1);
    source_free(c);
}

Test(source, all_that_is_wrong_with_the_applications_of_sections)
{
    static char why[CONFIGURATION_WHY_SIZE];
    cr_expect_null(
        read_text("workers = 0\n[site a]\napp = ech\n[site b]\napp = tcp-echo\nprefix = /b\n"
                  "[site c]\nprefix = /c\napp = hello\nset = x=1\n"
                  "[sites d]\napp = nobody\n[site e]\napq = nobody\nprefix = /e\n",
                  why));
    cr_expect_str_eq(
        why,
        "f:1:11: workers = 0: must be \"auto\" or a whole number from 1 to 256\n"
        "f:3:7: app = ech: there is no such application; did you mean echo? There are static, "
        "echo, "
        "hello, tcp-echo, status, and modules by their path, as in ./it.so\n"
        "f:5:7: app = tcp-echo: has the bytes of a connection to itself, which say no host and no "
        "path; it cannot be used with [site NAME] sections\n"
        "f:10:7: set = x=1: the application has no keys\n"
        "f:11:2: unknown section \"sites\"; a section begins with [site NAME]\n"
        "f:14:1: unknown key \"apq\"; did you mean \"app\"?");
}
