/*
 * field - finding the fields of a request, and which ones an answer may be given by others than
 * drover (RFC 9110, 5).
 */
#ifndef DROVER_HTTP_FIELD_H
#define DROVER_HTTP_FIELD_H

#include <stdbool.h>

#include "base/span.h"
#include "http/parse.h"

/* The first field of that name, case ignored, or NULL. Borrowed from *request. */
const struct http_field *http_request_field(const struct http_request *request, struct span name);

/* The one field of that name; NULL when there is none, or several, which say nothing for sure. */
const struct http_field *http_request_sole(const struct http_request *request, struct span name);

/* Does drover write the field of this name itself? */
bool http_field_is_ours(struct span name);

#endif
