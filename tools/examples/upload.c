/* upload - PUT or POST /NAME stores a file in --set dir=PATH, piece by piece as it comes. It has no
 * name until it is whole, so nobody sees half of it. NAME is one segment without a leading dot. */
#define _GNU_SOURCE
#include <drover.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *path;
static int64_t max;
static int dir;

static int open_dir(void *context, char why[DROVER_WHY_SIZE])
{
    (void)context;
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        snprintf(why, DROVER_WHY_SIZE, "--set dir=%s: %s", path, strerror(errno));
    return dir < 0 ? EX_NOINPUT : 0;
}

/* In two steps: a link replaces no file that is there, but a rename does. */
static int publish(int fd, const char *name)
{
    char file[64], link[64];
    int status = faccessat(dir, name, F_OK, 0) < 0 ? 201 : 204;
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    snprintf(link, sizeof link, ".%d.%d", (int)getpid(), fd);
    if (linkat(AT_FDCWD, file, dir, link, AT_SYMLINK_FOLLOW) < 0)
        return 500;
    return renameat(dir, link, dir, name) == 0 ? status : 500;
}

static int receive(void *state, struct drover_response *r, const char *bytes, size_t length)
{
    struct drover_span target = drover_request_path(drover_response_request(r));
    int fd = (int)(intptr_t)state;
    char location[4096];
    if (lseek(fd, 0, SEEK_CUR) + (int64_t)length > max)
        return drover_response_status(r, 413), -1;
    if (length > 0 && write(fd, bytes, length) != (ssize_t)length)
        return drover_response_status(r, 507), -1;
    if (length == 0 && drover_path_encode(target, location, sizeof location) > 0)
        drover_response_field(r, "Location", location);
    return length == 0 ? drover_response_status(r, publish(fd, target.p + 1)) : 0;
}

static void release(void *state) /* however it has ended */
{
    close((int)(intptr_t)state);
}

static void handle(void *context, const struct drover_request *request, struct drover_response *r)
{
    struct drover_span m = drover_request_method(request);
    const char *name = drover_request_path(request).p + 1;
    int fd, is_put = m.n == 3 && memcmp(m.p, "PUT", 3) == 0;
    (void)context;
    if (!is_put && (m.n != 4 || memcmp(m.p, "POST", 4) != 0))
        drover_response_status(r, 405), drover_response_field(r, "Allow", "PUT, POST");
    else if (!*name || *name == '.' || strchr(name, '/'))
        drover_response_status(r, 403);
    else if ((fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)) < 0)
        drover_response_status(r, 507);
    else if (drover_response_attach(r, (void *)(intptr_t)fd, release) == 0)
        drover_response_receive(r, receive, (void *)(intptr_t)fd);
}

static const struct drover_key keys[] = {
    {"dir", DROVER_TEXT, ".", 0, 0, "where the files go", &path},
    {"max", DROVER_SIZE, "1g", 1, INT64_MAX, "of one file", &max},
    {0}};
static const struct drover_app app = {.name = "upload",
                                      .keys = keys,
                                      .before_fork = open_dir,
                                      .handle = handle,
                                      .when = DROVER_AT_HEAD};
DROVER_MODULE(app);

int main(int argc, char *argv[])
{
    return drover_main(argc, argv, &app);
}
