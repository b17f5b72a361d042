/* upload - PUT /NAME stores a file in --set dir=PATH, piece by piece as it comes. It has no name
 * until it is whole, so nobody sees half of it. NAME is one segment without a leading dot. */
#define _GNU_SOURCE
#include <drover.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *dir;
static int64_t max;

/* In two steps: a link replaces no file that is there, but a rename does. */
static int publish(int fd, const struct drover_response *r)
{
    char file[64], from[4096], to[4096];
    snprintf(file, sizeof file, "/proc/self/fd/%d", fd);
    snprintf(from, sizeof from, "%s/.%d.%d", dir, (int)getpid(), fd);
    snprintf(to, sizeof to, "%s%s", dir, drover_request_path(drover_response_request(r)).p);
    int status = access(to, F_OK) < 0 ? 201 : 204;
    int result = linkat(AT_FDCWD, file, AT_FDCWD, from, AT_SYMLINK_FOLLOW);
    return result < 0 || rename(from, to) < 0 ? 507 : status;
}

static int receive(void *state, struct drover_response *r, const char *bytes, size_t length)
{
    int fd = (int)(intptr_t)state;
    if (length == 0)
        return drover_response_status(r, publish(fd, r));
    if (write(fd, bytes, length) == (ssize_t)length && lseek(fd, 0, SEEK_CUR) <= max)
        return 0;
    return drover_response_status(r, lseek(fd, 0, SEEK_CUR) > max ? 413 : 507), -1;
}

static void release(void *state) /* however it has ended */
{
    close((int)(intptr_t)state);
}

static void handle(void *context, const struct drover_request *request, struct drover_response *r)
{
    struct drover_span method = drover_request_method(request);
    const char *name = drover_request_path(request).p + 1;
    int fd;
    if (method.n != 3 || memcmp(method.p, "PUT", 3) != 0)
        drover_response_status(r, 405), drover_response_field(r, "Allow", "PUT");
    else if (!*name || *name == '.' || strchr(name, '/'))
        drover_response_status(r, 403);
    else if ((fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644)) < 0)
        drover_response_status(r, 507);
    else if (drover_response_attach(r, (void *)(intptr_t)fd, release) == 0)
        drover_response_receive(r, receive, (void *)(intptr_t)fd);
}

static const struct drover_key keys[] = {{"dir", DROVER_TEXT, ".", 0, 0, "where to", &dir},
                                         {"max", DROVER_SIZE, "1g", 0, 0, "of one file", &max},
                                         {0}};
static const struct drover_app app = {
    .name = "upload", .keys = keys, .handle = handle, .when = DROVER_AT_HEAD};
DROVER_MAIN(app)
