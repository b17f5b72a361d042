#include "handlers/static.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "handlers/accept.h"
#include "handlers/beneath.h"
#include "handlers/kept.h"
#include "handlers/listing.h"
#include "handlers/siblings.h"

#define INDEX "index.html"

/* ------------------------------------------------------------------------ the start and the end */

static int open_root(struct static_site *site, char *why)
{
    site->root.has_openat2 = beneath_has_openat2();
    site->root.fd = open(site->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->root.fd >= 0)
        return 0;
    int cause = errno;
    snprintf(why, DROVER_WHY_SIZE, "--root %.180s: %s", site->root_path, strerror(cause));
    return cause == EACCES ? EX_NOPERM : EX_NOINPUT;
}

static int check_fallback(const struct static_site *site, char *why)
{
    struct file file;
    if (!site->fallback)
        return 0;
    bool is_open = file_open(&file, &site->root, site->fallback + 1) == 0;
    if (is_open && file_is_regular(&file)) {
        file_close(&file);
        return 0;
    }
    int cause = is_open ? 0 : errno;
    snprintf(why, DROVER_WHY_SIZE, "--fallback %.180s: %s", site->fallback,
             is_open ? "is not a file" : strerror(cause));
    file_close(&file);
    return cause == EACCES ? EX_NOPERM : EX_NOINPUT;
}

/* What is wrong with an option is told here, before there are workers, and ends the start. Nothing
 * is looked at that need not be: a ROOT that hangs must not hang the master. */
static int before_fork(void *context, char why[DROVER_WHY_SIZE])
{
    struct static_site *site = context;
    if (!site->fallback && site->page_count == 0)
        return 0;
    int status = open_root(site, why);
    if (status)
        return status;
    status = check_fallback(site, why);
    if (!status)
        status = pages_load(site->pages, site->page_count, &site->root, site->page_max, why);
    close(site->root.fd);
    return status;
}

/* Bytes of small files that a worker keeps of this site. */
static size_t kept_share(const struct static_site *site)
{
    size_t share = KEPT_BYTES_MAX / (site->sharers > 0 ? site->sharers : 1);
    return share > KEPT_SITE_MIN ? share : KEPT_SITE_MIN;
}

/* A page that is gone since must not keep a worker from its clients: the one there was is kept. */
static int start(void *context, struct drover_worker *worker, char why[DROVER_WHY_SIZE])
{
    struct static_site *site = context;
    (void)worker;
    int status = open_root(site, why);
    if (status)
        return status;
    if (pages_load(site->pages, site->page_count, &site->root, site->page_max, why))
        drover_log("%s; the page that was read before is kept", why);
    site->kept = kept_new(kept_share(site));
    site->siblings = site->precompressed ? siblings_new() : NULL;
    if (site->kept && (site->siblings || !site->precompressed))
        return 0;
    snprintf(why, DROVER_WHY_SIZE, "%s", strerror(ENOMEM));
    return EX_OSERR;
}

static void stop(void *context, struct drover_worker *worker)
{
    struct static_site *site = context;
    (void)worker;
    kept_free(site->kept);
    siblings_free(site->siblings);
    pages_free(site->pages, site->page_count);
    close(site->root.fd);
}

/* ---------------------------------------------------------------------------------- the answers */

/*
 * The fields of the site are added here to answers that have a body of the site's, or none by their
 * status; answer_page() adds them to the others, drover's own refusals among them.
 */
static void add_fields(const struct static_site *site, struct drover_response *response)
{
    for (size_t i = 0; i < site->field_count; i++)
        drover_response_field(response, site->fields[i].name, site->fields[i].value);
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

/* Compared with a literal. */
#define IS(span, text) ((span).n == sizeof(text) - 1 && memcmp((span).p, text, (span).n) == 0)

/* What a site says of itself to programs (RFC 8615), for all to see. */
static const char well_known[] = "/.well-known/";

static bool is_well_known(const char *path)
{
    return strncmp(path, well_known, sizeof well_known - 1) == 0;
}

/* Does any segment start with a dot? The path is normalized: "." and ".." are gone. */
static bool is_hidden(const char *path)
{
    const char *dot = strstr(path, "/.");
    if (dot == path && is_well_known(path))
        dot = strstr(path + sizeof well_known - 2, "/.");
    return dot != NULL;
}

/* Puts a sibling in the file's place, if there is one that the client takes. */
static struct kept_form choose_coding(const struct static_site *site, const char *name,
                                      const char *type, struct file *file,
                                      struct drover_response *response,
                                      const struct drover_request *request)
{
    struct file sibling;
    struct kept_form form = {.coding = DROVER_IDENTITY};
    int64_t now = drover_now(drover_response_worker(response));
    if (site->siblings)
        form.codings = siblings_find(site->siblings, &site->root, name, type, file, now);
    if (!form.codings)
        return form;
    drover_response_field(response, "Vary", "Accept-Encoding");
    unsigned chosen = drover_request_coding(request, form.codings | DROVER_IDENTITY);
    if (!(chosen & form.codings) ||
        siblings_open(site->siblings, &site->root, name, file, chosen, &sibling) < 0)
        return form;
    drover_response_field(response, "Content-Encoding", siblings_coding_name(chosen));
    file_close(file);
    *file = sibling;
    form.coding = chosen;
    return form;
}

/* NULL: none is sent. */
static const char *cache_control_of(const struct static_site *site, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < site->cache_count; i++)
        if (fnmatch(site->caches[i].glob, name, 0) == 0)
            return site->caches[i].value;
    return site->cache_control;
}

/* Returns which form of it. */
static struct kept_form send_file(const struct static_site *site, const char *name,
                                  struct file *file, const struct drover_request *request,
                                  struct drover_response *response)
{
    const char *type = drover_media_type(name);
    drover_response_type(response, type);
    struct kept_form form = choose_coding(site, name, type, file, response, request);
    const char *cache_control = cache_control_of(site, name);
    if (cache_control)
        drover_response_field(response, "Cache-Control", cache_control);
    add_fields(site, response);
    file_send(file, response);
    return form;
}

/* What was asked for by this name, with which its path starts, may be asked for again. */
static void send_and_keep(const struct static_site *site, const char *path, size_t name_length,
                          struct file *file, const struct drover_request *request,
                          struct drover_response *response)
{
    struct stat st = file->st;
    struct kept_form form = send_file(site, path, file, request, response);
    bool is_sibling = form.coding != DROVER_IDENTITY;
    if (is_sibling) {
        char sibling[PATH_MAX + sizeof INDEX + 8];
        snprintf(sibling, sizeof sibling, "%s%s", path, siblings_ending(form.coding));
        kept_offer(site->kept, sibling, name_length, &form, &file->st, response, true);
    }
    form.coding = DROVER_IDENTITY;
    kept_offer(site->kept, path, name_length, &form, &st, response, !is_sibling);
}

/* What is kept for that request; NULL when there is no such thing. */
static struct drover_prepared *ready(void *context, const struct drover_request *request,
                                     struct drover_worker *worker)
{
    const struct static_site *site = context;
    const struct root *root = &site->root;
    struct drover_span path = drover_request_path(request);
    const char *name = path.p + 1;
    size_t length = path.n - 1;
    const struct kept_form *form = kept_find(site->kept, root, name, length, DROVER_IDENTITY,
                                             worker);
    unsigned chosen = DROVER_IDENTITY;
    if (form && form->codings)
        chosen = drover_request_coding(request, form->codings | DROVER_IDENTITY);
    if (form && (chosen & form->codings))
        form = kept_find(site->kept, root, name, length, chosen, worker);
    return form ? form->prepared : NULL;
}

/* Answers with it. */
static bool send_kept(void *context, const struct drover_request *request,
                      struct drover_response *response)
{
    struct drover_prepared *kept = ready(context, request, drover_response_worker(response));
    return kept && drover_response_prepared(response, kept) == 0;
}

/* Has the last segment a dot in it? The last that is not empty: "/a.b/" has one. */
static bool has_dot(struct drover_span path)
{
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    const char *slash = path.n > 0 ? memrchr(path.p, '/', path.n) : NULL;
    size_t before = slash ? (size_t)(slash - path.p) : 0;
    return memchr(path.p + before, '.', path.n - before) != NULL;
}

/* The file that stands for pages which are not there. */
static void fall_back(const struct static_site *site, const struct drover_request *request,
                      struct drover_response *response)
{
    struct file file;
    const char *name = site->fallback + 1;
    drover_response_field(response, "Vary", "Accept");
    /* Of several lines the first; nobody is known to send more. */
    if (!accept_has_html(drover_request_field(request, "Accept")) ||
        file_open(&file, &site->root, name) < 0) {
        drover_response_status(response, 404);
        return;
    }
    if (file_is_regular(&file)) {
        send_file(site, name, &file, request, response);
        return;
    }
    file_close(&file);
    drover_response_status(response, 404);
}

/* What is there and is not served, for who looks for the reason; once a second at most. */
static void tell(int cause, const struct drover_request *request,
                 const struct drover_response *response)
{
    static int64_t told_at;
    int64_t now = drover_now(drover_response_worker(response));
    if (told_at && now < told_at + 1000)
        return;
    told_at = now;
    drover_log("%s: %s", drover_request_prefix(request).p,
               cause == EXDEV ? "a link leads out of ROOT" : strerror(cause));
}

/* What cannot be opened, and why. */
static void send_failure(const struct static_site *site, int cause,
                         const struct drover_request *request, struct drover_response *response)
{
    int status = status_of_errno(cause);
    struct drover_span path = drover_request_path(request);
    if (status == 404 && site->fallback && !has_dot(path) && !is_well_known(path.p))
        fall_back(site, request, response);
    else
        drover_response_status(response, status);
    if (status != 404)
        tell(cause, request, response);
}

/* A directory is asked for without its slash, and relative links in it would lead astray. */
static void redirect_to_directory(const struct drover_request *request,
                                  struct drover_response *response)
{
    char location[3 * PATH_MAX + 16384];
    struct drover_span path = drover_request_path(request);
    struct drover_span query = drover_request_query(request);
    struct drover_span whole = drover_request_prefix(request); /* the path stands behind it */
    whole.n += path.n;
    long n = drover_path_encode(whole, location, sizeof location);
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
    int flags = O_RDONLY | O_DIRECTORY;
    int fd = beneath_open(site->root.fd, directory, flags, site->root.has_openat2);
    if (fd < 0) {
        send_failure(site, errno, request, response);
        return;
    }
    if (!site->listing) {
        close(fd);
        drover_response_status(response, 403);
        return;
    }
    struct listing_rules rules = {.dot_files = site->dot_files,
                                  .has_openat2 = site->root.has_openat2,
                                  .root_fd = site->root.fd,
                                  .path = name};
    if (listing_send(fd, &rules, request, response) < 0)
        drover_response_status(response, status_of_errno(errno));
    else
        add_fields(site, response);
}

static void serve_directory(const struct static_site *site, const char *name,
                            const struct drover_request *request, struct drover_response *response)
{
    char index[PATH_MAX + sizeof INDEX];
    struct file file;
    snprintf(index, sizeof index, "%s%s", name, INDEX);
    if (file_open(&file, &site->root, index) < 0 && errno != ENOENT) {
        send_failure(site, errno, request, response);
        return;
    }
    if (file.fd >= 0 && file_is_regular(&file)) {
        send_and_keep(site, index, strlen(name), &file, request, response);
        return;
    }
    file_close(&file);
    send_listing(site, name, request, response);
}

static void serve_file(const struct static_site *site, const char *name,
                       const struct drover_request *request, struct drover_response *response)
{
    struct file file;
    if (file_open(&file, &site->root, name) < 0) {
        send_failure(site, errno, request, response);
        return;
    }
    if (file_is_regular(&file)) {
        send_and_keep(site, name, strlen(name), &file, request, response);
        return;
    }
    bool is_directory = S_ISDIR(file.st.st_mode);
    file_close(&file);
    if (is_directory)
        redirect_to_directory(request, response);
    else
        drover_response_status(response, 403);
}

static void refuse_method(const struct static_site *site, bool is_options,
                          struct drover_response *response)
{
    drover_response_status(response, is_options ? 204 : 405);
    drover_response_field(response, "Allow", "GET, HEAD, OPTIONS");
    if (is_options)
        add_fields(site, response);
}

static void handle(void *context, const struct drover_request *request,
                   struct drover_response *response)
{
    const struct static_site *site = context;
    struct drover_span method = drover_request_method(request);
    struct drover_span path = drover_request_path(request);
    if (!IS(method, "GET") && !IS(method, "HEAD"))
        refuse_method(site, IS(method, "OPTIONS"), response);
    else if (send_kept(context, request, response))
        return; /* it is none of those that are hidden */
    else if (!site->dot_files && is_hidden(path.p))
        drover_response_status(response, 404);
    else if (path.p[path.n - 1] == '/')
        serve_directory(site, path.p + 1, request, response);
    else
        serve_file(site, path.p + 1, request, response);
}

static void answer_page(void *context, int status, struct drover_response *response)
{
    const struct static_site *site = context;
    const struct site_page *page = pages_find(site->pages, site->page_count, status);
    add_fields(site, response);
    if (!page)
        return;
    drover_response_type(response, drover_media_type(page->path));
    drover_response_body(response, page->bytes, page->length);
}

struct drover_app static_app(struct static_site *site)
{
    return (struct drover_app){.name = "static",
                               .context = site,
                               .before_fork = before_fork,
                               .worker_start = start,
                               .worker_stop = stop,
                               .ready = ready,
                               .handle = handle,
                               .when = DROVER_AT_HEAD,
                               .page = answer_page};
}

void static_free(struct static_site *site)
{
    pages_free(site->pages, site->page_count);
}
