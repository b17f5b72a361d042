#include "handlers/kept.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "handlers/beneath.h"
#include "support.h"
#include "worker/exchange.h"

static char directory[64];
static struct root root;
static struct kept *kept;
static struct drover_app app;
static struct drover_worker worker = {.main = &worker};
static struct exchange_env env;
static struct exchange *exchange;
static time_t ahead; /* seconds that time(2) is ahead of the files' clock */

/* In place of the C library's: no test waits until a file has settled. */
time_t time(time_t *timer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (timer)
        *timer = now.tv_sec + ahead;
    return now.tv_sec + ahead;
}

static void setup(void)
{
    make_directory(directory);
    root.fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    root.has_openat2 = beneath_has_openat2();
    cr_assert_geq(root.fd, 0);
    exchange_env_open(&env, &app);
    exchange_tick(&env, 784111777);
    env.worker = &worker;
    exchange = exchange_new(&env);
    kept = kept_new(KEPT_BYTES_MAX);
    cr_assert(exchange && kept);
    worker.now = 100000;
    ahead = 1000;
}

static void teardown(void)
{
    kept_free(kept);
    exchange_free(exchange);
    exchange_env_close(&env);
    close(root.fd);
    remove_tree(directory);
}

TestSuite(kept, .init = setup, .fini = teardown);

/* ----------------------------------------------------------------------------------- the files */

static void write_at(const char *path, const char *content, int flags)
{
    int fd = openat(root.fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    cr_assert_geq(fd, 0, "%s: %m", path);
    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    close(fd);
}

static void make(const char *path, const char *content)
{
    write_at(path, content, O_TRUNC);
}

static struct stat look_at(const char *path)
{
    struct stat st;
    cr_assert_eq(fstatat(root.fd, path, &st, 0), 0, "%s: %m", path);
    return st;
}

/* Until what changes gets another time than the file has: some milliseconds. */
static void let_time_pass(const char *path)
{
    struct stat was = look_at(path), is;
    do {
        make(".clock", "x");
        is = look_at(".clock");
    } while (is.st_ctim.tv_sec == was.st_ctim.tv_sec && is.st_ctim.tv_nsec == was.st_ctim.tv_nsec);
}

/* ----------------------------------------------------------------------- what a handler does */

static const struct kept_form *find_form(const char *name, unsigned coding)
{
    return kept_find(kept, &root, name, strlen(name), coding, &worker);
}

static bool is_kept(const char *name)
{
    return find_form(name, DROVER_IDENTITY) != NULL;
}

/* As if the path had been opened for this name, and the answer were about to be sent. */
static void offer_form(const char *path, const char *name, const struct kept_form *form,
                       bool prepare)
{
    struct file file;
    cr_assert_eq(file_open(&file, &root, path), 0, "%s: %m", path);
    struct stat st = file.st;
    file_send(&file, &exchange->response);
    kept_offer(kept, path, strlen(name), form, &st, &exchange->response, prepare);
    exchange_reset(exchange);
}

static void offer_path(const char *path, const char *name)
{
    const struct kept_form form = {.coding = DROVER_IDENTITY};
    offer_form(path, name, &form, true);
}

static void offer(const char *name)
{
    offer_path(name, name);
}

/* Asked for twice. */
static void keep_path(const char *path, const char *name)
{
    offer_path(path, name);
    offer_path(path, name);
}

static void keep(const char *name)
{
    keep_path(name, name);
    cr_assert(is_kept(name), "%s", name);
}

static void next_turn(void)
{
    worker.turn++;
}

static void expect_content(const char *name, unsigned coding, const char *content)
{
    const struct kept_form *form = find_form(name, coding);
    cr_assert(form && form->prepared, "%s", name);
    cr_expect_eq(form->coding, coding);
    cr_expect(span_eq(form->prepared->body, span_of(content)), "%s: %.*s instead of %s", name,
              (int)form->prepared->body.n, form->prepared->body.p, content);
}

/* -------------------------------------------------------------------------------- the keeping */

Test(kept, at_the_second_time)
{
    make("a", "one");
    make("b", "two");
    offer("a");
    cr_expect_not(is_kept("a"));
    offer("b");
    offer("a");
    expect_content("a", DROVER_IDENTITY, "one");
    cr_expect_not(is_kept("b"));
    cr_expect_not(is_kept("c"));
}

Test(kept, what_is_to_settle_is_not)
{
    make("a", "one");
    time_t changed = look_at("a").st_ctim.tv_sec;
    for (int seconds = 0; seconds <= KEPT_SETTLED_S; seconds++) {
        ahead = changed + seconds - time(NULL) + ahead;
        keep_path("a", "a");
        cr_expect_not(is_kept("a"), "%d s", seconds);
    }
    ahead = changed + KEPT_SETTLED_S + 1 - time(NULL) + ahead;
    offer("a");
    cr_expect(is_kept("a"));
}

static void set_modified(const char *path, time_t at)
{
    const struct timespec times[] = {{.tv_sec = at}, {.tv_sec = at}};
    cr_assert_eq(utimensat(root.fd, path, times, 0), 0, "%m");
}

/* Such a time is not that of Last-Modified before it has come. */
Test(kept, what_was_changed_in_time_to_come_is_not)
{
    make("a", "one");
    set_modified("a", time(NULL) - KEPT_SETTLED_S);
    keep_path("a", "a");
    cr_expect_not(is_kept("a"));
    set_modified("a", time(NULL) + 100000);
    keep_path("a", "a");
    cr_expect_not(is_kept("a"));
    set_modified("a", time(NULL) - KEPT_SETTLED_S - 2);
    keep("a");
}

static void make_long(const char *path, off_t size)
{
    make(path, "");
    cr_assert_eq(truncate(path, size), 0, "%m");
}

Test(kept, files_of_some_length)
{
    cr_assert_eq(fchdir(root.fd), 0);
    make_long("empty", 0);
    make_long("longest", KEPT_FILE_MAX);
    make_long("longer", KEPT_FILE_MAX + 1);
    make_long("huge", (off_t)1 << 33);
    keep("empty");
    keep("longest");
    cr_expect_eq(find_form("longest", DROVER_IDENTITY)->prepared->body.n, KEPT_FILE_MAX);
    keep_path("longer", "longer");
    keep_path("huge", "huge");
    cr_expect_not(is_kept("longer"));
    cr_expect_not(is_kept("huge"));
}

/* It became shorter between the two looks at it. */
Test(kept, one_that_cannot_be_read_is_not)
{
    const struct kept_form form = {.coding = DROVER_IDENTITY};
    make("a", "one");
    for (int i = 0; i < 3; i++) {
        struct stat st = look_at("a");
        drover_response_file(&exchange->response, openat(root.fd, "a", O_RDONLY | O_CLOEXEC), 4);
        st.st_size = 4;
        kept_offer(kept, "a", 1, &form, &st, &exchange->response, true);
        exchange_reset(exchange);
        cr_expect_not(is_kept("a"));
    }
    keep("a");
}

/* -------------------------------------------------------------------------------- the changes */

static void change_content(void)
{
    write_at("a", "two", 0);
}

static void change_content_and_set_back(void)
{
    struct stat st = look_at("a");
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    write_at("a", "two", 0);
    cr_assert_eq(utimensat(root.fd, "a", times, 0), 0);
}

static void set_back_the_time(void)
{
    set_modified("a", 1000000000);
}

static void append(void)
{
    write_at("a", "x", O_APPEND);
}

static void truncate_it(void)
{
    make("a", "");
}

static void rename_over(void)
{
    struct stat st = look_at("a");
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    make("new", "two");
    cr_assert_eq(utimensat(root.fd, "new", times, 0), 0);
    cr_assert_eq(renameat(root.fd, "new", root.fd, "a"), 0);
}

static void delete_it(void)
{
    cr_assert_eq(unlinkat(root.fd, "a", 0), 0);
}

static void forbid_it(void)
{
    cr_assert_eq(fchmodat(root.fd, "a", 0, 0), 0);
}

static void put_a_directory_there(void)
{
    delete_it();
    cr_assert_eq(mkdirat(root.fd, "a", 0755), 0);
}

static void put_a_link_there(void)
{
    delete_it();
    cr_assert_eq(symlinkat("/etc/passwd", root.fd, "a"), 0);
}

static const struct {
    const char *name;
    void (*change)(void);
} changes[] = {{"content", change_content},
               {"content, with the time that it had", change_content_and_set_back},
               {"time", set_back_the_time},
               {"longer", append},
               {"empty", truncate_it},
               {"rename over", rename_over},
               {"delete", delete_it},
               {"chmod", forbid_it},
               {"a directory", put_a_directory_there},
               {"a link to elsewhere", put_a_link_there}};

/* In this turn it was looked at, and in the next it is again. */
Test(kept, a_change_is_seen_in_the_next_turn)
{
    for (size_t i = 0; i < LENGTH(changes); i++) {
        make("a", "one");
        keep("a");
        let_time_pass("a");
        next_turn();
        cr_expect(is_kept("a"), "%s", changes[i].name);
        changes[i].change();
        cr_expect(is_kept("a"), "%s: looked at once a turn", changes[i].name);
        next_turn();
        cr_expect_not(is_kept("a"), "%s", changes[i].name);
        cr_expect_not(is_kept("a"), "%s: nor later in the turn", changes[i].name);
        unlinkat(root.fd, "a", 0);
        unlinkat(root.fd, "a", AT_REMOVEDIR);
    }
}

Test(kept, what_has_changed_is_kept_anew)
{
    make("a", "one");
    keep("a");
    let_time_pass("a");
    make("a", "another");
    next_turn();
    cr_expect_not(is_kept("a"));
    offer("a");
    expect_content("a", DROVER_IDENTITY, "another");
}

/* A change that is found out in the turn in which it is offered. */
Test(kept, an_offer_replaces_what_there_was)
{
    make("a", "one");
    keep("a");
    let_time_pass("a");
    make("a", "another");
    offer("a");
    expect_content("a", DROVER_IDENTITY, "another");
    next_turn();
    expect_content("a", DROVER_IDENTITY, "another");
}

Test(kept, a_link_that_is_turned)
{
    make("a", "one");
    make("b", "two");
    cr_assert_eq(symlinkat("a", root.fd, "link"), 0);
    if (!root.has_openat2) /* no link is followed */
        return;
    keep("link");
    expect_content("link", DROVER_IDENTITY, "one");
    cr_assert_eq(symlinkat("b", root.fd, "new"), 0);
    cr_assert_eq(renameat(root.fd, "new", root.fd, "link"), 0);
    next_turn();
    cr_expect_not(is_kept("link"));
    offer("link");
    expect_content("link", DROVER_IDENTITY, "two");
}

/* What leads to it counts, too. */
Test(kept, a_directory_that_is_gone)
{
    cr_assert_eq(mkdirat(root.fd, "d", 0755), 0);
    make("d/a", "one");
    keep("d/a");
    cr_assert_eq(renameat(root.fd, "d", root.fd, "e"), 0);
    next_turn();
    cr_expect_not(is_kept("d/a"));
    cr_expect_not(is_kept("e/a"));
}

Test(kept, it_is_read_anew_after_its_time)
{
    make("a", "one");
    keep("a");
    worker.now += KEPT_MS - 1;
    next_turn();
    cr_expect(is_kept("a"));
    worker.now++;
    cr_expect(is_kept("a"), "this turn knows it");
    next_turn();
    cr_expect_not(is_kept("a"));
    offer("a");
    cr_expect(is_kept("a"), "it was asked for before");
}

Test(kept, who_has_it_has_it_when_it_is_gone)
{
    make("a", "one");
    keep("a");
    struct drover_prepared *held = prepared_hold(find_form("a", DROVER_IDENTITY)->prepared);
    delete_it();
    next_turn();
    cr_expect_not(is_kept("a"));
    cr_expect_eq(held->holders, 1);
    cr_expect(span_eq(held->body, SPAN("one")));
    drover_prepared_free(held);
}

/* --------------------------------------------------------------------------------- the siblings */

static void offer_sibling(const char *path, const char *name, unsigned coding)
{
    const struct kept_form form = {.coding = coding, .codings = DROVER_BR | DROVER_GZIP};
    const struct kept_form itself = {.coding = DROVER_IDENTITY, .codings = form.codings};
    offer_form(path, name, &form, true);
    offer_form(name, name, &itself, false);
}

static void keep_siblings(void)
{
    make("a", "itself");
    make("a.br", "as br");
    make("a.gz", "as gz");
    for (int i = 0; i < 2; i++) {
        offer_sibling("a.br", "a", DROVER_BR);
        offer_sibling("a.gz", "a", DROVER_GZIP);
    }
}

Test(kept, siblings)
{
    keep_siblings();
    expect_content("a", DROVER_BR, "as br");
    expect_content("a", DROVER_GZIP, "as gz");
    cr_expect_null(find_form("a", DROVER_ZSTD));
    const struct kept_form *form = find_form("a", DROVER_IDENTITY);
    cr_assert_not_null(form);
    cr_expect_null(form->prepared, "nothing but which siblings it has");
    cr_expect_eq(form->codings, DROVER_BR | DROVER_GZIP);
    cr_expect_not(is_kept("a.br"), "it is another name");
    const struct kept_form itself = {.coding = DROVER_IDENTITY, .codings = DROVER_BR | DROVER_GZIP};
    offer_form("a", "a", &itself, true);
    expect_content("a", DROVER_IDENTITY, "itself");
    cr_expect_eq(find_form("a", DROVER_IDENTITY)->codings, DROVER_BR | DROVER_GZIP);
    keep("a.br");
    expect_content("a.br", DROVER_IDENTITY, "as br");
}

Test(kept, a_sibling_changes_by_itself)
{
    keep_siblings();
    let_time_pass("a.gz");
    make("a.br", "as new");
    next_turn();
    cr_expect_null(find_form("a", DROVER_BR));
    expect_content("a", DROVER_GZIP, "as gz");
    cr_expect(is_kept("a"));
    unlinkat(root.fd, "a.gz", 0);
    next_turn();
    cr_expect_null(find_form("a", DROVER_GZIP));
    cr_expect(is_kept("a"));
}

/* ------------------------------------------------------------------------------------ the names */

/* Each tells its own name, and each but the first differs by one byte from others. */
Test(kept, names_of_every_length)
{
    static char names[1 + 40 * 41 / 2][64];
    size_t count = 0;
    for (size_t length = 1; length <= 40; length++)
        for (size_t at = 0; at < length; at++) {
            memset(names[count], 'a', length);
            names[count][at] = 'b';
            make(names[count], names[count]);
            count++;
        }
    cr_assert_lt(count, KEPT_FILES_MAX);
    make("index.html", "the index");
    keep_path("index.html", ""); /* of the root */
    for (size_t i = 0; i < count; i++)
        keep(names[i]);
    for (size_t i = 0; i < count; i++)
        expect_content(names[i], DROVER_IDENTITY, names[i]);
    expect_content("", DROVER_IDENTITY, "the index");
    char all[64] = {0};
    for (size_t length = 1; length <= 40; length++) {
        all[length - 1] = 'a';
        cr_expect_not(is_kept(all), "%s", all);
    }
}

/* A name is so many bytes, whatever stands behind it. */
Test(kept, a_name_ends_where_it_ends)
{
    make("a", "one");
    keep("a");
    cr_expect_not_null(kept_find(kept, &root, "a/b", 1, DROVER_IDENTITY, &worker));
    cr_expect_null(kept_find(kept, &root, "a/b", 2, DROVER_IDENTITY, &worker));
    cr_expect_null(kept_find(kept, &root, "a", 0, DROVER_IDENTITY, &worker));
}

Test(kept, a_directory_and_its_index)
{
    cr_assert_eq(mkdirat(root.fd, "d", 0755), 0);
    make("d/index.html", "one");
    keep_path("d/index.html", "d/");
    expect_content("d/", DROVER_IDENTITY, "one");
    cr_expect_not(is_kept("d"));
    cr_expect_not(is_kept("d/index.html"));
    keep("d/index.html");
    let_time_pass("d/index.html");
    make("d/index.html", "two");
    next_turn();
    cr_expect_not(is_kept("d/"));
    cr_expect_not(is_kept("d/index.html"));
}

/* ------------------------------------------------------------------------------------- the room */

/* Another name of the file "0". */
static const char *link_of(int i)
{
    static char name[16];
    snprintf(name, sizeof name, "%d", i);
    if (i > 0 && linkat(root.fd, "0", root.fd, name, 0) < 0)
        cr_assert_eq(errno, EEXIST, "%m");
    return name;
}

static int count_kept(int names)
{
    char name[16];
    int count = 0;
    for (int i = 0; i < names; i++) {
        snprintf(name, sizeof name, "%d", i);
        count += is_kept(name);
    }
    return count;
}

Test(kept, in_a_full_table_those_in_use_stay)
{
    enum { ALL = 3 * KEPT_FILES_MAX, HOT = 20 };
    make("0", "one");
    for (int i = 0; i < ALL; i++)
        link_of(i);
    for (int i = 0; i < ALL; i++) {
        keep(link_of(i));
        if (i == KEPT_FILES_MAX) /* all were in use, so one had to go that was */
            for (int k = 0; k < HOT; k++)
                keep(link_of(k));
        for (int k = 0; k < HOT && k <= i; k++)
            cr_assert(is_kept(link_of(k)), "%d, with %d", k, i);
    }
    int count = count_kept(ALL);
    cr_expect_eq(count, KEPT_FILES_MAX, "%d", count);
    cr_expect(is_kept(link_of(ALL - 1)), "the last, too");
}

Test(kept, the_bytes_have_a_bound)
{
    enum { ALL = 2 * (KEPT_BYTES_MAX / KEPT_FILE_MAX) };
    cr_assert_eq(fchdir(root.fd), 0);
    make_long("0", KEPT_FILE_MAX);
    for (int i = 0; i < ALL; i++)
        link_of(i);
    for (int i = 0; i < ALL; i++)
        keep(link_of(i));
    int count = count_kept(ALL);
    cr_expect_leq(count * KEPT_FILE_MAX, KEPT_BYTES_MAX, "%d", count);
    cr_expect_gt(count * KEPT_FILE_MAX, KEPT_BYTES_MAX * 9 / 10, "%d", count);
}

/* What goes gives its bytes back. */
Test(kept, one_that_is_kept_again_and_again)
{
    cr_assert_eq(fchdir(root.fd), 0);
    make_long("0", KEPT_FILE_MAX);
    const int all = KEPT_BYTES_MAX / KEPT_FILE_MAX * 3 / 4;
    for (int i = 0; i < all; i++)
        link_of(i);
    for (int i = 0; i < all; i++)
        keep(link_of(i));
    for (int i = 0; i < 3 * KEPT_BYTES_MAX / KEPT_FILE_MAX; i++) {
        offer("0");
        cr_assert_eq(count_kept(all), all, "%d", i);
    }
    worker.now += KEPT_MS;
    next_turn();
    cr_expect_eq(count_kept(all), 0);
}

Test(kept, nothing)
{
    kept_free(NULL);
    cr_expect_not(is_kept(""));
    cr_expect_eq(count_kept(10), 0);
}
