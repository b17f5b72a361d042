/*
 * mime - the media type of a file by its name's extension, with the charset where one belongs.
 */
#ifndef DROVER_HTTP_MIME_H
#define DROVER_HTTP_MIME_H

#include "base/span.h"

/* "text/html; charset=utf-8". Case of the extension is ignored. A name without a known extension is
 * "application/octet-stream". A static string. */
const char *http_media_type(struct span name);

#endif
