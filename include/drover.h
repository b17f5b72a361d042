/*
 * drover.h - what an application written for drover sees.
 *
 * An application is one function that is called with a request and fills in a response. It runs in
 * a worker process, on the worker's only thread; while it runs, no other connection of that worker
 * is served.
 *
 * Whatever a request hands out is borrowed: it is valid until the handler returns, and no longer.
 */
#ifndef DROVER_H
#define DROVER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed bytes, not terminated by NUL. */
struct drover_span {
    const char *p;
    size_t n;
};

struct drover_request;
struct drover_response;

/* ------------------------------------------------------------------------------ the request */

/* The method as it was sent, as in "GET" (RFC 9110, 9.1: case matters). */
struct drover_span drover_request_method(const struct drover_request *request);

/*
 * The path: decoded, without "." and ".." segments and without "//" (RFC 3986, 6.2.2). It starts
 * with '/', holds no NUL, and one stands behind it, so it is a C string too.
 */
struct drover_span drover_request_path(const struct drover_request *request);

/* The query as it was sent, without the '?'. Empty when there is none. */
struct drover_span drover_request_query(const struct drover_request *request);

/*
 * The value of the first field of that name, case ignored, without the white space around it.
 * p is NULL when there is none.
 */
struct drover_span drover_request_field(const struct drover_request *request, const char *name);

/* ----------------------------------------------------------------------------- the response
 *
 * A response starts as 200 with no fields and no body. drover writes the status line, Date,
 * Server, Content-Length and Connection; leaves the body away where there must be none (HEAD, 204,
 * 304); and gives a status from 300 on without a body a short page.
 *
 * If etag or modified is set, drover evaluates the conditional fields of a GET or HEAD and answers
 * 304 or 412 itself (RFC 9110, 13); if the body is a file, it serves ranges of it (RFC 9110, 14).
 *
 * Each function returns 0, or -1 with errno set: EINVAL for an argument that cannot be sent,
 * ENOMEM.
 */

/* 200 to 599. */
int drover_response_status(struct drover_response *response, int status);

/*
 * Adds a field; both strings are copied. EINVAL if the name is not a token, if the value holds
 * control bytes, or if it is one of the fields that drover writes.
 */
int drover_response_field(struct drover_response *response, const char *name, const char *value);

/* The media type of the body. Without it "text/plain; charset=utf-8". Copied. */
int drover_response_type(struct drover_response *response, const char *media_type);

/* Appends to the body; copied. */
int drover_response_body(struct drover_response *response, const void *bytes, size_t length);

/*
 * The body is the first `size` bytes of this file. The descriptor belongs to drover from here on,
 * on failure too, and is closed when the answer has left. What drover_response_body() had
 * gathered is dropped.
 */
int drover_response_file(struct drover_response *response, int fd, uint64_t size);

/* The entity tag, with its quotes (RFC 9110, 8.8.3). Copied. */
int drover_response_etag(struct drover_response *response, const char *etag);

/* Last-Modified, in seconds since the Epoch (RFC 9110, 8.8.2). */
int drover_response_modified(struct drover_response *response, time_t modified);

/*
 * Writes the path with all that RFC 3986, 3.3 does not allow in one as %XX, and a NUL; '/' stays.
 * For Location and for links. Returns its length, -1 with errno ENOBUFS when it does not fit, which
 * it always does in three times the path's length and one.
 */
long drover_path_encode(struct drover_span path, char *out, size_t size);

/* "text/html; charset=utf-8" for a name that ends with ".html". A static string; never NULL. */
const char *drover_media_type(const char *name);

/* -------------------------------------------------------------------------- the application */

/* Bytes for the cause that a worker could not start, NUL included. */
#define DROVER_WHY_SIZE 256

struct drover_app {
    const char *name;

    /* Handed to every function below; the application's own. */
    void *context;

    /*
     * In every worker, after it has dropped its privileges and before it accepts. Returns 0, or
     * the status that the worker exits with (sysexits.h), its cause, for the log, in `why`. A
     * worker that could not start is tried again, later and later; EX_CONFIG is final. May be NULL.
     */
    int (*worker_start)(void *context, char why[DROVER_WHY_SIZE]);

    /* In every worker that leaves in order. May be NULL. */
    void (*worker_stop)(void *context);

    /* Answers one request. */
    void (*handle)(void *context, const struct drover_request *request,
                   struct drover_response *response);
};

#ifdef __cplusplus
}
#endif

#endif
