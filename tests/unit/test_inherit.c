#include "os/inherit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>

#include "support.h"

/*
 * What is tested here overwrites the descriptors from 3 on, which are Criterion's. So it is done in
 * a thread with a table of descriptors of its own, which says nothing while it runs.
 */
static void run_aside(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, body, argument), 0);
    pthread_join(thread, NULL);
}

static bool clear_table(void)
{
    return unshare(CLONE_FILES) == 0 && close_range(3, ~0U, 0) == 0;
}

static ino_t identity_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* A new file at this number. Returns who it is, 0 on failure. */
static ino_t open_at(int at)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    if (fd == at)
        return identity_of(fd);
    int moved = dup3(fd, at, O_CLOEXEC);
    close(fd);
    return moved == at ? identity_of(at) : 0;
}

static bool is_cloexec(int fd)
{
    return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

/* ---------------------------------------------------------------------------------------- take */

struct taking {
    const char *name, *pid, *fds, *names;
    int open; /* so many are open, from 3 on */
    const char *names_taken, *complaint;
    int cause; /* 0: success */
};

struct taken {
    const struct taking *wish;
    int status, cause;
    size_t count;
    char names[128], why[128];
    bool is_ready, in_order, guarded, clean;
};

static void note_entries(struct taken *t, const struct inherit *in)
{
    t->count = in->count;
    t->in_order = t->guarded = true;
    for (size_t i = 0; i < in->count; i++) {
        t->in_order &= in->entries[i].fd == 3 + (int)i;
        t->guarded &= is_cloexec(in->entries[i].fd);
        size_t n = strlen(t->names);
        snprintf(t->names + n, sizeof t->names - n, "%s ", in->entries[i].name);
    }
}

static void *take_aside(void *argument)
{
    struct taken *t = argument;
    struct inherit in = {.count = 77};
    t->is_ready = clear_table();
    for (int fd = 3; fd < 3 + t->wish->open; fd++)
        t->is_ready &= open_at(fd) != 0 && fcntl(fd, F_SETFD, 0) == 0;
    t->status = inherit_take(&in, t->why, sizeof t->why);
    t->cause = t->status < 0 ? errno : 0;
    note_entries(t, &in);
    inherit_free(&in);
    t->clean = !getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES") &&
               !getenv("LISTEN_PIDFDID");
    return NULL;
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void check_taking(const struct taking *wish)
{
    char self[24];
    struct taken t = {.wish = wish};
    snprintf(self, sizeof self, "%d", (int)getpid());
    set("LISTEN_PID", wish->pid && strcmp(wish->pid, "self") == 0 ? self : wish->pid);
    set("LISTEN_FDS", wish->fds);
    set("LISTEN_FDNAMES", wish->names);
    set("LISTEN_PIDFDID", "12");
    run_aside(take_aside, &t);
    cr_assert(t.is_ready, "%s", wish->name);
    cr_expect_eq(t.status, wish->cause ? -1 : 0, "%s", wish->name);
    cr_expect_eq(t.cause, wish->cause, "%s: %s", wish->name, strerror(t.cause));
    cr_expect_str_eq(t.names, wish->names_taken, "%s: %s", wish->name, t.names);
    cr_expect_str_eq(t.why, wish->complaint, "%s: %s", wish->name, t.why);
    cr_expect(t.in_order && t.guarded && t.clean, "%s", wish->name);
}

Test(inherit, what_is_taken)
{
    static const struct taking cases[] = {
        {"nothing at all", NULL, NULL, NULL, 0, "", "", 0},
        {"three with names", "self", "3", "slot0:inbox0.in:slot1", 3, "slot0 inbox0.in slot1 ", "",
         0},
        {"no names", "self", "2", NULL, 2, "unknown unknown ", "", 0},
        {"names that are empty", "self", "2", "", 2, "unknown unknown ", "", 0},
        {"fewer names", "self", "3", "a:b", 3, "a b unknown ", "", 0},
        {"more names", "self", "1", "a:b", 1, "", "LISTEN_FDNAMES has 2 names for 1 descriptors",
         EINVAL},
        {"none of them", "self", "0", "", 0, "", "", 0},
        {"another process's", "1", "2", "a:b", 2, "", "", 0},
        {"another process's rubbish", "1", "x", "a:b", 0, "", "", 0},
        {"nobody's", NULL, "2", "a:b", 2, "", "", 0},
        {"a pid that is none", "x", "2", "a:b", 2, "", "LISTEN_PID=x is not a number", EINVAL},
        {"no number", "self", NULL, "a", 1, "", "LISTEN_FDS= is not a number", EINVAL},
        {"a negative number", "self", "-1", "a", 1, "", "LISTEN_FDS=-1 is not a number", EINVAL},
        {"too many", "self", "8721", "a", 1, "", "LISTEN_FDS=8721 is more than 8720", EINVAL},
        {"far too many", "self", "18446744073709551617", "a", 1, "",
         "LISTEN_FDS=18446744073709551617 is not a number", EINVAL},
        {"one that is not open", "self", "3", "a:b:c", 2, "",
         "LISTEN_FDS: descriptor 5 (c) is not open", EBADF},
    };
    speak_english();
    for (size_t i = 0; i < LENGTH(cases); i++)
        check_taking(&cases[i]);
}

/* --------------------------------------------------------------------------------------- place */

#define MANY 64

struct placing {
    const char *name;
    int report;
    size_t count;
    int from[MANY];
};

struct placed {
    const struct placing *wish;
    int status;
    size_t left; /* how many are where they belong, and open across execve(2) */
    bool is_ready, told, reported;
};

/* One number may stand for several entries: it is opened once. */
static bool open_all(const struct placing *wish, struct inherit_entry *entries, ino_t *who)
{
    for (size_t i = 0; i < wish->count; i++) {
        ino_t there = identity_of(wish->from[i]);
        who[i] = there ? there : open_at(wish->from[i]);
        entries[i] = (struct inherit_entry){.fd = wish->from[i], .name = "x"};
        if (!who[i])
            return false;
    }
    return true;
}

static void *place_aside(void *argument)
{
    struct placed *p = argument;
    struct inherit_entry entries[MANY];
    ino_t who[MANY];
    int report = p->wish->report, count = (int)p->wish->count;
    p->is_ready = clear_table() && open_all(p->wish, entries, who);
    ino_t reporter = open_at(report);
    p->status = inherit_place(entries, p->wish->count, &report);
    p->reported = identity_of(report) == reporter && is_cloexec(report) &&
                  (report < 3 || report >= 3 + count);
    p->told = true;
    for (int i = 0; i < count; i++) {
        p->told &= entries[i].fd == 3 + i;
        p->left += identity_of(3 + i) == who[i] && fcntl(3 + i, F_GETFD) == 0;
    }
    return NULL;
}

static void check_placing(const struct placing *wish)
{
    struct placed p = {.wish = wish};
    run_aside(place_aside, &p);
    cr_assert(p.is_ready, "%s", wish->name);
    cr_expect_eq(p.status, 0, "%s", wish->name);
    cr_expect_eq(p.left, wish->count, "%s: %zu of %zu", wish->name, p.left, wish->count);
    cr_expect(p.told, "%s", wish->name);
    cr_expect(p.reported, "%s", wish->name);
}

Test(inherit, where_they_are_placed)
{
    static const struct placing cases[] = {
        {"none", 3, 0, {0}},
        {"far away", 50, 3, {20, 30, 40}},
        {"there already", 50, 3, {3, 4, 5}},
        {"the other way round", 50, 4, {6, 5, 4, 3}},
        {"one up", 3, 4, {4, 5, 6, 7}},
        {"one down", 50, 3, {4, 3, 5}},
        {"a circle", 50, 3, {5, 3, 4}},
        {"one twice", 50, 4, {3, 20, 3, 20}},
        {"one twice, in its place", 50, 3, {4, 4, 4}},
        {"the report is in the way", 4, 2, {3, 20}},
        {"the report is the next", 5, 2, {3, 4}},
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        check_placing(&cases[i]);
}

Test(inherit, any_order)
{
    unsigned seed = 4;
    for (int round = 0; round < 20; round++) {
        struct placing wish = {.name = "any order", .report = 2 * MANY, .count = MANY};
        for (int i = 0; i < MANY; i++)
            wish.from[i] = 3 + i + (round % 2) * 20;
        for (unsigned i = MANY - 1; i > 0; i--) {
            unsigned j = next_random(&seed) % (i + 1);
            int other = wish.from[j];
            wish.from[j] = wish.from[i];
            wish.from[i] = other;
        }
        check_placing(&wish);
    }
}

/* ---------------------------------------------------------------------------------------- exec */

struct attempt {
    bool is_ready, reported;
    int status, cause;
};

static void *exec_aside(void *argument)
{
    struct attempt *a = argument;
    char *argv[] = {"none", NULL}, *extra[] = {"DROVER_TEST_EXTRA=7", NULL};
    struct inherit_entry entries[] = {{5, "slot0"}, {3, "slot1"}, {9, "pidfile"}};
    int report = 4;
    a->is_ready = clear_table();
    for (size_t i = 0; i < LENGTH(entries); i++)
        a->is_ready &= open_at(entries[i].fd) != 0;
    ino_t reporter = open_at(report);
    a->status = inherit_exec("/nonexistent/drover", argv, entries, LENGTH(entries), extra, &report);
    a->cause = errno;
    a->reported = reporter != 0 && identity_of(report) == reporter;
    return NULL;
}

/* What the other binary would find. */
Test(inherit, a_binary_that_is_not_there)
{
    char self[24];
    struct attempt a = {.status = 7};
    setenv("LISTEN_PIDFDID", "12", 1);
    run_aside(exec_aside, &a);
    cr_assert(a.is_ready);
    cr_expect_eq(a.status, -1);
    cr_expect_eq(a.cause, ENOENT, "%s", strerror(a.cause));
    cr_expect(a.reported);
    snprintf(self, sizeof self, "%d", (int)getpid());
    cr_expect_str_eq(getenv("LISTEN_PID"), self);
    cr_expect_str_eq(getenv("LISTEN_FDS"), "3");
    cr_expect_str_eq(getenv("LISTEN_FDNAMES"), "slot0:slot1:pidfile");
    cr_expect_str_eq(getenv("DROVER_TEST_EXTRA"), "7");
    cr_expect_null(getenv("LISTEN_PIDFDID"));
}

Test(inherit, more_than_there_can_be)
{
    struct inherit_entry one = {.fd = 0, .name = "x"};
    int report = 1;
    errno = 0;
    cr_expect_eq(inherit_place(&one, INHERIT_MAX + 1, &report), -1);
    cr_expect_eq(errno, EINVAL, "%m");
}
