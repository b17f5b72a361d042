/*
 * shed - what a client hears that is turned away: 503, and to ask again in a second.
 */
#ifndef DROVER_WORKER_SHED_H
#define DROVER_WORKER_SHED_H

#include "base/buf.h"

/*
 * Sends the answer, as far as the socket takes it at once, which a fresh one does; no matter what
 * the request is. `scratch` is overwritten; `date` is as http_date_format() writes it. Whatever
 * fails, nothing is left to be done: the caller closes. Returns the bytes that were sent;
 * *page_length is how many of them come behind the head.
 */
size_t shed_send(int fd, struct buf *scratch, const char *date, size_t *page_length);

#endif
