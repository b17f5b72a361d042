#include "os/control_path.h"

#include <sys/stat.h>

#include "support.h"

#define TEN "/123456789"
/* With "/drover-4711.control" behind it, of 20 bytes: 107 and 108. */
#define LONG_87 TEN TEN TEN TEN TEN TEN TEN TEN "/123456"
#define LONG_88 LONG_87 "7"

static const struct {
    const char *name;
    struct control_places places;
    const char *path; /* NULL: none */
} rows[] = {
    {"a service", {"/run/a", "/run/user/0", "/run", true}, "/run/a/control"},
    {"the first of several", {"/run/a:/run/b", NULL, "/run", true}, "/run/a/control"},
    {"an empty one is none", {"", "/run/user/0", "/run", true}, "/run/user/0/drover-4711.control"},
    {"none before the colon", {":/run/b", "/u", "/run", true}, "/u/drover-4711.control"},
    {"a user", {NULL, "/run/user/7", "/run", false}, "/run/user/7/drover-4711.control"},
    {"root", {NULL, NULL, "/run", true}, "/run/drover-4711.control"},
    {"root with an empty one", {NULL, "", "/run", true}, "/run/drover-4711.control"},
    {"nowhere", {NULL, NULL, "/run", false}, NULL},
    {"just short enough", {NULL, LONG_87, "/run", true}, LONG_87 "/drover-4711.control"},
    {"too long: the next", {NULL, LONG_88, "/run", true}, "/run/drover-4711.control"},
    {"too long, and no next", {NULL, LONG_88, "/run", false}, NULL},
};

Test(control_path, where_a_server_puts_it)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char path[PEER_PATH_SIZE];
        bool is_there = control_path(&rows[i].places, 4711, path);
        cr_expect_eq(is_there, rows[i].path != NULL, "%s", rows[i].name);
        if (is_there && rows[i].path)
            cr_expect_str_eq(path, rows[i].path, "%s", rows[i].name);
    }
}

static void touch(const char *place, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0, "%s: %m", path);
    close(fd);
}

static void make(const char *place, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", place, name);
    cr_assert_eq(mkdir(path, 0700), 0, "%s: %m", path);
}

static void expect_paths(const struct control_places *places, const char *place,
                         const char *const *names, size_t count)
{
    char path[256], **paths;
    size_t found = control_paths(places, &paths);
    cr_expect_eq(found, count, "%zu", found);
    for (size_t i = 0; i < count && i < found; i++) {
        snprintf(path, sizeof path, "%s/%s", place, names[i]);
        cr_expect_str_eq(paths[i], path);
    }
    control_paths_free(paths, found);
}

Test(control_path, where_it_is_looked_for)
{
    static const char *const names[] = {"drover/control", "drover-12.control", "drover-3.control",
                                        "drover@site/control"};
    char place[64];
    speak_english();
    make_directory(place);
    touch(place, "drover-12.control");
    touch(place, "drover-3.control");
    touch(place, "other-4.control");
    touch(place, "drover.pid");
    make(place, "drover");
    touch(place, "drover/control");
    make(place, "drover@site");
    touch(place, "drover@site/control");
    make(place, "drover-empty");
    const struct control_places user = {.user = place, .system = "/nonexistent"};
    const struct control_places both = {.user = place, .system = place};
    const struct control_places none = {.service = place, .system = "/nonexistent"};
    expect_paths(&user, place, names, LENGTH(names));
    expect_paths(&both, place, names, LENGTH(names));
    expect_paths(&none, place, names, 0);
    remove_tree(place);
}

Test(control_path, one_that_is_too_long_to_connect_to_is_left_out)
{
    char place[64], name[128] = "drover-";
    make_directory(place);
    memset(name + 7, 'x', 80);
    strcpy(name + 87, ".control");
    touch(place, name);
    const struct control_places places = {.user = place};
    expect_paths(&places, place, NULL, 0);
    remove_tree(place);
}
