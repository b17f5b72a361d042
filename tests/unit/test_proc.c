#include "os/proc.h"

#include <errno.h>
#include <pthread.h>

#include "support.h"

Test(proc, tells_what_this_process_has_used)
{
    struct proc before, after;
    cr_assert_eq(proc_read(getpid(), &before), 0);
    cr_expect_eq(before.parent, getppid());
    cr_expect_not(before.is_stopped);
    cr_expect_gt(before.rss, 100000);
    for (int i = 0; i < 20; i++)
        usleep(100);                        /* gives the CPU away */
    volatile char *block = malloc(8 << 20); /* else a compiler sees that nobody reads it */
    cr_assert_not_null(block);
    for (size_t i = 0; i < 8 << 20; i += 4096)
        block[i] = 1;
    cr_assert_eq(proc_read(getpid(), &after), 0);
    cr_expect_gt(after.cpu_us, before.cpu_us);
    cr_expect_geq(after.voluntary, before.voluntary + 20);
    cr_expect_gt(after.rss, before.rss + (4 << 20));
    free((void *)(uintptr_t)block);
}

static void *sleep_often(void *nothing)
{
    for (int i = 0; i < 50; i++)
        usleep(100);
    return nothing;
}

static void *wait_for_end(void *lock)
{
    sleep_often(NULL);
    pthread_mutex_lock(lock); /* lives on until then: the count of one that has ended is gone */
    pthread_mutex_unlock(lock);
    return NULL;
}

static uint64_t switches(void)
{
    struct proc proc;
    return proc_read(getpid(), &proc) == 0 ? proc.voluntary : 0;
}

Test(proc, counts_the_context_switches_of_all_threads)
{
    pthread_t thread;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint64_t before = switches();
    pthread_mutex_lock(&lock);
    cr_assert_eq(pthread_create(&thread, NULL, wait_for_end, &lock), 0);
    for (int i = 0; i < 10000 && switches() < before + 50; i++)
        sched_yield();
    cr_expect_geq(switches(), before + 50);
    pthread_mutex_unlock(&lock);
    pthread_join(thread, NULL);
}

Test(proc, of_no_process_is_an_error)
{
    struct proc proc = {.rss = 1};
    cr_expect_eq(proc_read(0x7ffffff0, &proc), -1);
    cr_expect_eq(errno, ENOENT);
    cr_expect_eq(proc.rss, 0);
}

Test(proc, files_are_cut)
{
    char text[4];
    cr_assert_eq(proc_file(getpid(), "stat", text, sizeof text), 0);
    cr_expect_eq(strlen(text), 3);
    cr_expect_eq(proc_file(getpid(), "no such file", text, sizeof text), -1);
}

Test(proc, opens_what_another_has_open)
{
    char byte;
    int file = make_file(10);
    int count = count_fds();
    int fd = proc_open(getpid(), "/memfd:test (deleted)");
    cr_assert_geq(fd, 0, "%m");
    cr_expect_eq(read(fd, &byte, 1), 1);
    cr_expect_eq(byte, byte_at(0));
    cr_expect_eq(write(fd, &byte, 1), -1, "to read and no more");
    close(fd);
    close(file);
    cr_expect_eq(proc_open(getpid(), "/memfd:test (deleted)"), -1);
    cr_expect_eq(errno, ENOENT);
    cr_expect_eq(proc_open(0x7ffffff0, "/memfd:test (deleted)"), -1);
    cr_expect_eq(count_fds(), count - 1);
}
