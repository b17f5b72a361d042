#include "handlers/siblings.h"

#include <sys/stat.h>

#include "handlers/beneath.h"
#include "support.h"

#define ALL (DROVER_BR | DROVER_ZSTD | DROVER_GZIP)

static char directory[64];
static struct root root;
static struct siblings *siblings;

static void open_all(void)
{
    make_directory(directory);
    root.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    root.has_openat2 = beneath_has_openat2();
    siblings = siblings_new();
    cr_assert(root.fd >= 0 && siblings);
}

static void close_all(void)
{
    siblings_free(siblings);
    close(root.fd);
    remove_tree(directory);
}

TestSuite(siblings, .init = open_all, .fini = close_all);

/* A file of that name, that was changed so many nanoseconds after some second. */
static void make(const char *name, long long after)
{
    int fd = openat(root.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    struct timespec at = {.tv_sec = 1000000000 + after / 1000000000, .tv_nsec = after % 1000000000};
    struct timespec times[] = {at, at};
    cr_assert_geq(fd, 0, "%s: %m", name);
    cr_assert_eq(futimens(fd, times), 0);
    close(fd);
}

static unsigned find(const char *name, int64_t now)
{
    struct file file;
    int before = count_fds();
    cr_assert_eq(file_open(&file, &root, name), 0, "%s: %m", name);
    unsigned found = siblings_find(siblings, &root, name, drover_media_type(name), &file, now);
    file_close(&file);
    cr_expect_eq(count_fds(), before);
    return found;
}

static int open_coding(const char *name, unsigned coding)
{
    struct file file, sibling;
    cr_assert_eq(file_open(&file, &root, name), 0, "%s: %m", name);
    int result = siblings_open(siblings, &root, name, &file, coding, &sibling);
    if (result == 0)
        cr_expect(file_is_regular(&sibling));
    if (result == 0)
        file_close(&sibling);
    file_close(&file);
    return result;
}

Test(siblings, each_coding_by_its_ending)
{
    make("a", 0);
    cr_expect_eq(find("a", 1), 0);
    make("a.br", 0);
    make("b", 0);
    make("b.zst", 0);
    make("c", 0);
    make("c.gz", 0);
    make("d", 0);
    make("d.br", 0);
    make("d.gz", 0);
    make("d.zst", 0);
    make("e", 0);
    make("e.zstd", 0);
    make("e.gzip", 0);
    make("e.bro", 0);
    cr_expect_eq(find("a", 1 + SIBLINGS_MS), DROVER_BR);
    cr_expect_eq(find("b", 1), DROVER_ZSTD);
    cr_expect_eq(find("c", 1), DROVER_GZIP);
    cr_expect_eq(find("d", 1), ALL);
    cr_expect_eq(find("e", 1), 0);
    cr_expect_str_eq(siblings_coding_name(DROVER_BR), "br");
    cr_expect_str_eq(siblings_coding_name(DROVER_ZSTD), "zstd");
    cr_expect_str_eq(siblings_coding_name(DROVER_GZIP), "gzip");
}

Test(siblings, an_older_one_does_not_count)
{
    static const struct {
        const char *name;
        long long file, sibling; /* nanoseconds */
        unsigned found;
    } rows[] = {{"same", 0, 0, DROVER_GZIP},
                {"newer", 0, 1000000000, DROVER_GZIP},
                {"in the same second", 999999999, 0, DROVER_GZIP},
                {"a second older", 1000000000, 0, 0},
                {"a moment older, in another second", 1000000000, 999999999, 0}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char sibling[64];
        snprintf(sibling, sizeof sibling, "%s.gz", rows[i].name);
        make(rows[i].name, rows[i].file);
        make(sibling, rows[i].sibling);
        cr_expect_eq(find(rows[i].name, 1), rows[i].found, "%s", rows[i].name);
        cr_expect_eq(open_coding(rows[i].name, DROVER_GZIP), rows[i].found ? 0 : -1, "%s",
                     rows[i].name);
    }
}

Test(siblings, only_a_file_below_the_root_counts)
{
    make("a", 0);
    make("inner", 0);
    cr_assert_eq(mkdirat(root.fd, "a.br", 0755), 0);
    cr_assert_eq(mkfifoat(root.fd, "a.zst", 0644), 0);
    cr_assert_eq(symlinkat("/etc/passwd", root.fd, "a.gz"), 0);
    cr_expect_eq(find("a", 1), 0);
    cr_assert_eq(unlinkat(root.fd, "a.gz", 0), 0);
    cr_assert_eq(symlinkat("inner", root.fd, "a.gz"), 0);
    cr_expect_eq(find("a", 1 + SIBLINGS_MS), root.has_openat2 ? DROVER_GZIP : 0u);
}

Test(siblings, what_was_seen_is_remembered_for_its_time)
{
    make("a", 0);
    cr_expect_eq(find("a", 5), 0);
    make("a.gz", 0);
    cr_expect_eq(find("a", 5 + SIBLINGS_MS - 1), 0);
    cr_expect_eq(find("a", 5 + SIBLINGS_MS), DROVER_GZIP);
    unlinkat(root.fd, "a.gz", 0);
    cr_expect_eq(find("a", 5 + 2 * SIBLINGS_MS - 1), DROVER_GZIP);
    cr_expect_eq(find("a", 5 + 2 * SIBLINGS_MS), 0);
}

Test(siblings, one_that_is_gone_is_looked_for_anew)
{
    make("a", 0);
    make("a.gz", 0);
    make("a.br", 0);
    cr_expect_eq(find("a", 5), DROVER_GZIP | DROVER_BR);
    cr_expect_eq(open_coding("a", DROVER_BR), 0);
    unlinkat(root.fd, "a.br", 0);
    cr_expect_eq(open_coding("a", DROVER_BR), -1);
    cr_expect_eq(find("a", 6), DROVER_GZIP);
}

Test(siblings, a_changed_file_is_another_one)
{
    make("a", 0);
    make("a.gz", 0);
    cr_expect_eq(find("a", 5), DROVER_GZIP);
    make("a", 1000000000);
    cr_expect_eq(find("a", 6), 0);
}

/* Two names of one file, of which one has a sibling. */
Test(siblings, a_name_is_not_another_name_of_the_file)
{
    make("a", 0);
    cr_assert_eq(linkat(root.fd, "a", root.fd, "b", 0), 0);
    make("b.gz", 0);
    cr_expect_eq(find("a", 5), 0);
    cr_expect_eq(find("b", 5), DROVER_GZIP);
}

/* More than are remembered: whatever is pushed out, what is said is right. */
Test(siblings, many_names)
{
    char name[32];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "%d", i);
        make(name, 0);
        if (i % 3 == 0) {
            strcat(name, ".gz");
            make(name, 0);
        }
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3000; i++) {
            snprintf(name, sizeof name, "%d", i);
            cr_assert_eq(find(name, 5), i % 3 == 0 ? DROVER_GZIP : 0u, "%s", name);
        }
}

/* A name that is too long with the ending, and one that is not. */
Test(siblings, long_names)
{
    char name[256 + 8];
    memset(name, 'x', sizeof name);
    name[255] = '\0';
    make(name, 0);
    cr_expect_eq(find(name, 5), 0);
    name[252] = '\0';
    make(name, 0);
    strcat(name, ".gz");
    make(name, 0);
    name[252] = '\0';
    cr_expect_eq(find(name, 5), DROVER_GZIP);
}

Test(siblings, types)
{
    static const struct {
        const char *name;
        bool suits;
    } rows[] = {{"a.html", true}, {"a.css", true},   {"a.js", true},    {"a.json", true},
                {"a.svg", true},  {"a.wasm", true},  {"a.ttf", true},   {"a.bin", true},
                {"a", true},      {"a.pdf", true},   {"a.xml", true},   {"a.tar", true},
                {"a.png", false}, {"a.jpg", false},  {"a.webp", false}, {"a.mp4", false},
                {"a.ts", false},  {"a.mp3", false},  {"a.gz", false},   {"a.br", false},
                {"a.zst", false}, {"a.zip", false},  {"a.xz", false},   {"a.7z", false},
                {"a.bz2", false}, {"a.woff", false}, {"a.rar", false},  {"a.woff2", false},
                {"a.jar", false}, {"a.tgz", false}};
    for (size_t i = 0; i < LENGTH(rows); i++) {
        char sibling[32];
        snprintf(sibling, sizeof sibling, "%s.br", rows[i].name);
        make(rows[i].name, 0);
        make(sibling, 0);
        cr_expect_eq(find(rows[i].name, 5), rows[i].suits ? DROVER_BR : 0u, "%s", rows[i].name);
    }
}
