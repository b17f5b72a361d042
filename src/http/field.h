/*
 * field - which fields an answer may be given by others than drover (RFC 9110, 5).
 */
#ifndef DROVER_HTTP_FIELD_H
#define DROVER_HTTP_FIELD_H

#include <stdbool.h>

#include "base/span.h"

/* Does drover write the field of this name itself? */
bool http_field_is_ours(struct span name);

#endif
