/*
 * support - what several tests need: small arrays, temporary directories, files with known bytes.
 */
#ifndef DROVER_TESTS_SUPPORT_H
#define DROVER_TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Criterion takes the locale of whoever runs it; strerror(3) and its kind speak that language. */
static inline void speak_english(void)
{
    setlocale(LC_ALL, "C");
}

/* xorshift32: the same walk on every machine. The seed must not be 0. */
static inline unsigned next_random(unsigned *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A new directory; to be given to remove_tree(). */
static inline void make_directory(char path[64])
{
    snprintf(path, 64, "/tmp/drover-test-XXXXXX");
    cr_assert_not_null(mkdtemp(path), "mkdtemp: %m");
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The byte that stands at this offset of make_file(). A period that no power of two divides. */
static inline char byte_at(size_t offset)
{
    return (char)('!' + offset % 89);
}

/* A file without a name, of this many bytes. */
static inline int make_file(size_t size)
{
    char block[4096];
    int fd = memfd_create("test", MFD_CLOEXEC);
    cr_assert_geq(fd, 0, "memfd_create: %m");
    for (size_t at = 0; at < size;) {
        size_t n = size - at < sizeof block ? size - at : sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = byte_at(at + i);
        cr_assert_eq(write(fd, block, n), (ssize_t)n, "write: %m");
        at += n;
    }
    return fd;
}

/* The lowest number that is not in use: what the next open(2) gets. */
static inline int next_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "/dev/null: %m");
    close(fd);
    return fd;
}

/* How many descriptors are open: the same before and after, if nothing was leaked. */
static inline int count_fds(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    cr_assert_not_null(dir, "/proc/self/fd: %m");
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

#endif
