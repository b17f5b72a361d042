#include "handlers/pages.h"

#include <sys/stat.h>
#include <sysexits.h>

#include "base/limits.h"
#include "handlers/beneath.h"
#include "support.h"

static char directory[64];
static struct root root;

static void open_all(void)
{
    speak_english();
    make_directory(directory);
    root.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    root.has_openat2 = beneath_has_openat2();
    cr_assert_geq(root.fd, 0);
}

static void close_all(void)
{
    close(root.fd);
    remove_tree(directory);
}

TestSuite(pages, .init = open_all, .fini = close_all);

static void make(const char *name, size_t size)
{
    int fd = openat(root.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0, "%s: %m", name);
    for (size_t i = 0; i < size; i++) {
        char byte = byte_at(i);
        cr_assert_eq(write(fd, &byte, 1), 1);
    }
    close(fd);
}

static void expect_failure(const char *path, int status, const char *words)
{
    struct site_page page = {.status = 404, .path = path};
    char why[DROVER_WHY_SIZE] = "";
    int before = count_fds();
    cr_expect_eq(pages_load(&page, 1, &root, PAGE_MAX, why), status, "%s", path);
    cr_expect_str_eq(why, words, "%s: %s", path, why);
    cr_expect_null(page.bytes);
    cr_expect_eq(count_fds(), before);
}

Test(pages, are_held_by_status)
{
    struct site_page pages[] = {{.status = 404, .path = "/404.html"},
                                {.status = 500, .path = "/.errors/500"},
                                {.status = 503, .path = "/empty"}};
    char why[DROVER_WHY_SIZE];
    make("404.html", 1000);
    cr_assert_eq(mkdirat(root.fd, ".errors", 0755), 0);
    make(".errors/500", 5);
    make("empty", 0);
    int before = count_fds();
    cr_assert_eq(pages_load(pages, LENGTH(pages), &root, PAGE_MAX, why), 0, "%s", why);
    cr_expect_eq(count_fds(), before);
    const struct site_page *page = pages_find(pages, LENGTH(pages), 404);
    cr_assert_not_null(page);
    cr_assert_eq(page->length, 1000);
    for (size_t i = 0; i < 1000; i++)
        cr_assert_eq(page->bytes[i], byte_at(i));
    cr_expect_eq(pages_find(pages, LENGTH(pages), 500)->length, 5);
    cr_expect_eq(pages_find(pages, LENGTH(pages), 503)->length, 0);
    cr_expect_not_null(pages_find(pages, LENGTH(pages), 503)->bytes);
    cr_expect_null(pages_find(pages, LENGTH(pages), 403));
    cr_expect_null(pages_find(NULL, 0, 404));
    pages_free(pages, LENGTH(pages));
    cr_expect_null(pages[0].bytes);
}

Test(pages, at_the_limit_and_past_it)
{
    struct site_page page = {.status = 404, .path = "/page"};
    char why[DROVER_WHY_SIZE];
    make("page", PAGE_MAX);
    cr_assert_eq(pages_load(&page, 1, &root, PAGE_MAX, why), 0, "%s", why);
    cr_expect_eq(page.length, PAGE_MAX);
    pages_free(&page, 1);
    make("page", PAGE_MAX + 1);
    expect_failure("/page", EX_NOINPUT, "--error-page 404=/page: has more than 65536 bytes");
}

Test(pages, what_is_no_page)
{
    cr_assert_eq(mkdirat(root.fd, "folder", 0755), 0);
    cr_assert_eq(mkfifoat(root.fd, "fifo", 0644), 0);
    cr_assert_eq(symlinkat("/etc/passwd", root.fd, "out"), 0);
    expect_failure("/none", EX_NOINPUT, "--error-page 404=/none: No such file or directory");
    expect_failure("/folder", EX_NOINPUT, "--error-page 404=/folder: is not a file");
    expect_failure("/fifo", EX_NOINPUT, "--error-page 404=/fifo: is not a file");
    if (root.has_openat2) {
        expect_failure("/out", EX_NOINPUT, "--error-page 404=/out: Invalid cross-device link");
        expect_failure("/../x", EX_NOINPUT, "--error-page 404=/../x: Invalid cross-device link");
        expect_failure("//etc/passwd", EX_NOINPUT,
                       "--error-page 404=//etc/passwd: Invalid cross-device link");
    }
}

/* What cannot be read anew stays as it was; the others are renewed. */
Test(pages, renewed)
{
    struct site_page pages[] = {{.status = 404, .path = "/one"}, {.status = 500, .path = "/two"}};
    char why[DROVER_WHY_SIZE];
    make("one", 1);
    make("two", 2);
    cr_assert_eq(pages_load(pages, LENGTH(pages), &root, PAGE_MAX, why), 0, "%s", why);
    unlinkat(root.fd, "one", 0);
    make("two", 22);
    cr_expect_eq(pages_load(pages, LENGTH(pages), &root, PAGE_MAX, why), EX_NOINPUT);
    cr_expect_str_eq(why, "--error-page 404=/one: No such file or directory");
    cr_expect_eq(pages_find(pages, LENGTH(pages), 404)->length, 1);
    cr_expect_eq(pages_find(pages, LENGTH(pages), 500)->length, 22);
    make("one", PAGE_MAX + 1);
    cr_expect_eq(pages_load(pages, LENGTH(pages), &root, PAGE_MAX, why), EX_NOINPUT);
    cr_expect_eq(pages_find(pages, LENGTH(pages), 404)->length, 1);
    pages_free(pages, LENGTH(pages));
    cr_expect_null(pages_find(pages, LENGTH(pages), 404));
}

/* The first failure is the one that is told. */
Test(pages, of_two_failures_the_first_is_told)
{
    struct site_page pages[] = {{.status = 400, .path = "/a"},
                                {.status = 404, .path = "/b"},
                                {.status = 500, .path = "/c"}};
    char why[DROVER_WHY_SIZE];
    make("a", 1);
    cr_expect_eq(pages_load(pages, LENGTH(pages), &root, PAGE_MAX, why), EX_NOINPUT);
    cr_expect_str_eq(why, "--error-page 404=/b: No such file or directory");
    cr_expect_not_null(pages_find(pages, LENGTH(pages), 400));
    pages_free(pages, LENGTH(pages));
}
