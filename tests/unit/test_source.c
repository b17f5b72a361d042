#include "cli/source.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support.h"

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
    cr_expect_str_eq(why, "f:2:1: unknown key \"worker\"; did you mean \"workers\"?\n"
                          "f:1:7: set = n=10: must be a whole number from 1 to 9");
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
