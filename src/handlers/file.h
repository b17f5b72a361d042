/*
 * file - something below ROOT, opened and looked at; the parts that answer with one share it.
 */
#ifndef DROVER_HANDLERS_FILE_H
#define DROVER_HANDLERS_FILE_H

#include <drover.h>
#include <stdbool.h>
#include <sys/stat.h>

/* The directory that is served. */
struct root {
    int fd;
    bool has_openat2; /* as beneath_has_openat2() said */
};

struct file {
    int fd;
    struct stat st;
};

/*
 * Opens what has this name, relative to the root, for reading, whatever it is: a directory, too.
 * Returns 0, or -1 with errno set as by beneath_open() and fstat(2), and then file->fd is -1.
 */
int file_open(struct file *file, const struct root *root, const char *name);

/* Closes it, if it is open. Keeps errno. */
void file_close(struct file *file);

bool file_is_regular(const struct file *file);

/*
 * The answer's body is the file, with its ETag and Last-Modified. The descriptor is drover's from
 * here on.
 */
void file_send(struct file *file, struct drover_response *response);

#endif
