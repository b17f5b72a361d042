#include "handlers/static.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "handlers/beneath.h"
#include "handlers/listing.h"

#define INDEX "index.html"

/* O_NONBLOCK: a FIFO must not hold the worker until somebody writes. */
#define OPEN_FILE (O_RDONLY | O_NONBLOCK | O_NOCTTY)

static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    struct static_site *site = context;
    (void)worker;
    site->has_openat2 = beneath_has_openat2();
    site->root_fd = open(site->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->root_fd >= 0)
        return 0;
    int cause = errno;
    snprintf(why, DROVER_WHY_SIZE, "--root %.180s: %s", site->root, strerror(cause));
    return cause == EACCES ? EX_NOPERM : EX_NOINPUT;
}

static void stop(void *context, struct drover_worker *worker)
{
    struct static_site *site = context;
    (void)worker;
    close(site->root_fd);
}

static int status_of_errno(int cause)
{
    switch (cause) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG: return 404;
    case EACCES:
    case EPERM:
    case EXDEV: /* a link that leads outside */
    case ELOOP:
    case ENXIO: return 403; /* a socket */
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: return 503;
    default: return 500;
    }
}

static bool span_is(struct drover_span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

/* Does any segment start with a dot? The path is normalized: "." and ".." are gone. */
static bool is_hidden(const char *path)
{
    return strstr(path, "/.") != NULL;
}

static char *hex(char *to, unsigned long long value)
{
    char digits[16];
    int n = 0;
    do
        digits[n++] = "0123456789abcdef"[value & 15];
    while (value >>= 4);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

/* Strong (RFC 9110, 8.8.1): another file, another length or another time of change is another tag.
 */
static void set_validators(struct drover_response *response, const struct stat *st)
{
    char tag[64];
    char *p = tag;
    *p++ = '"';
    p = hex(p, (unsigned long long)st->st_ino);
    *p++ = '-';
    p = hex(p, (unsigned long long)st->st_size);
    *p++ = '-';
    p = hex(p, (unsigned long long)st->st_mtim.tv_sec * 1000000000ULL +
                   (unsigned long long)st->st_mtim.tv_nsec);
    *p++ = '"';
    *p = '\0';
    drover_response_etag(response, tag);
    drover_response_modified(response, st->st_mtim.tv_sec);
}

static void send_file(struct drover_response *response, int fd, const struct stat *st,
                      const char *name)
{
    drover_response_type(response, drover_media_type(name));
    set_validators(response, st);
    drover_response_file(response, fd, (uint64_t)st->st_size);
}

/* A directory is asked for without its slash, and relative links in it would lead astray. */
static void redirect_to_directory(const struct drover_request *request,
                                  struct drover_response *response)
{
    char location[3 * PATH_MAX + 16384];
    struct drover_span path = drover_request_path(request);
    struct drover_span query = drover_request_query(request);
    long n = drover_path_encode(path, location, sizeof location);
    if (n < 0) {
        drover_response_status(response, 414);
        return;
    }
    snprintf(location + n, sizeof location - (size_t)n, "/%s%.*s", query.n > 0 ? "?" : "",
             (int)query.n, query.n > 0 ? query.p : "");
    drover_response_status(response, 301);
    drover_response_field(response, "Location", location);
}

/* A directory without an index. */
static void send_listing(const struct static_site *site, const char *name,
                         const struct drover_request *request, struct drover_response *response)
{
    const char *directory = *name ? name : ".";
    int fd = beneath_open(site->root_fd, directory, O_RDONLY | O_DIRECTORY, site->has_openat2);
    if (fd < 0) {
        drover_response_status(response, status_of_errno(errno));
        return;
    }
    if (!site->listing) {
        close(fd);
        drover_response_status(response, 403);
        return;
    }
    struct listing_rules rules = {.dot_files = site->dot_files,
                                  .has_openat2 = site->has_openat2,
                                  .root_fd = site->root_fd,
                                  .path = name};
    if (listing_send(fd, &rules, request, response) < 0)
        drover_response_status(response, status_of_errno(errno));
}

static void serve_directory(const struct static_site *site, const char *name,
                            const struct drover_request *request, struct drover_response *response)
{
    char index[PATH_MAX + sizeof INDEX];
    struct stat st;
    snprintf(index, sizeof index, "%s%s", name, INDEX);
    int fd = beneath_open(site->root_fd, index, OPEN_FILE, site->has_openat2);
    if (fd < 0 && errno != ENOENT) {
        drover_response_status(response, status_of_errno(errno));
        return;
    }
    if (fd >= 0 && fstat(fd, &st) < 0) {
        drover_response_status(response, status_of_errno(errno));
        close(fd);
        return;
    }
    if (fd >= 0 && S_ISREG(st.st_mode)) {
        send_file(response, fd, &st, index);
        return;
    }
    if (fd >= 0)
        close(fd);
    send_listing(site, name, request, response);
}

static void serve_file(const struct static_site *site, const char *name,
                       const struct drover_request *request, struct drover_response *response)
{
    struct stat st;
    int fd = beneath_open(site->root_fd, name, OPEN_FILE, site->has_openat2);
    if (fd < 0 || fstat(fd, &st) < 0) {
        drover_response_status(response, status_of_errno(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    if (S_ISREG(st.st_mode)) {
        send_file(response, fd, &st, name);
        return;
    }
    close(fd);
    if (S_ISDIR(st.st_mode))
        redirect_to_directory(request, response);
    else
        drover_response_status(response, 403);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    const struct static_site *site = context;
    struct drover_span method = drover_request_method(request);
    struct drover_span path = drover_request_path(request);
    if (!span_is(method, "GET") && !span_is(method, "HEAD")) {
        drover_response_status(response, span_is(method, "OPTIONS") ? 204 : 405);
        drover_response_field(response, "Allow", "GET, HEAD, OPTIONS");
    } else if (!site->dot_files && is_hidden(path.p)) {
        drover_response_status(response, 404);
    } else if (path.p[path.n - 1] == '/') {
        serve_directory(site, path.p + 1, request, response);
    } else {
        serve_file(site, path.p + 1, request, response);
    }
}

struct drover_app static_app(struct static_site *site)
{
    return (struct drover_app){.name = "static",
                               .context = site,
                               .worker_start = start,
                               .worker_stop = stop,
                               .handle = handle,
                               .when = DROVER_AT_HEAD};
}
