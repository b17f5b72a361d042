/* upload - PUT /NAME stores a file in --set dir=PATH, piece by piece, whole or not at all. */
#define _GNU_SOURCE
#include <drover.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *dir;
static int64_t max;
static int at;

static int enter(void *context, char why[DROVER_WHY_SIZE])
{
    at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return at < 0              ? snprintf(why, DROVER_WHY_SIZE, "--set dir=%s: %m", dir),
           66 /* EX_NOINPUT */ : 0;
}

static int receive(void *state, struct drover_response *r, const char *bytes, size_t length)
{
    const char *name = drover_request_path(drover_response_request(r)).p + 1;
    int fd = (int)(intptr_t)state;
    char file[64], link[64];
    if (length > 0 && write(fd, bytes, length) == (ssize_t)length && lseek(fd, 0, SEEK_CUR) <= max)
        return 0;
    if (length > 0)
        return drover_response_status(r, 413), -1;
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    snprintf(link, sizeof link, ".%d.%d", (int)getpid(), fd);
    int status = faccessat(at, name, F_OK, 0) < 0 ? 201 : 204;
    int made = linkat(AT_FDCWD, file, at, link, AT_SYMLINK_FOLLOW); /* a link replaces no file */
    return drover_response_status(r, made < 0 || renameat(at, link, at, name) < 0 ? 507 : status);
}

static void release(void *fd) /* however it has ended */
{
    close((int)(intptr_t)fd);
}

static void store(void *context, const struct drover_request *request, struct drover_response *r)
{
    const char *name = drover_request_path(request).p + 1;
    int fd;
    if (!drover_request_is(request, "PUT"))
        drover_response_status(r, 405), drover_response_field(r, "Allow", "PUT");
    else if (!*name || *name == '.' || strchr(name, '/'))
        drover_response_status(r, 403);
    else if ((fd = openat(at, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)) < 0)
        drover_response_status(r, 507);
    else if (drover_response_attach(r, (void *)(intptr_t)fd, release) == 0)
        drover_response_receive(r, receive, (void *)(intptr_t)fd);
}

static const struct drover_key keys[] = {{"dir", DROVER_TEXT, ".", 0, 0, "where to", &dir},
                                         {"max", DROVER_SIZE, "1g", 0, 0, "of one file", &max},
                                         {0}};
static const struct drover_app app = {
    .name = "upload", .keys = keys, .before_fork = enter, .handle = store, .when = DROVER_AT_HEAD};
DROVER_MAIN(app)
