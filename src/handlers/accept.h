/*
 * accept - does the client take a page of HTML (RFC 9110, 12.5.1)?
 */
#ifndef DROVER_HANDLERS_ACCEPT_H
#define DROVER_HANDLERS_ACCEPT_H

#include <drover.h>
#include <stdbool.h>

/*
 * Reads the value of Accept; p is NULL when there is none, and then all is taken. Of the ranges
 * that cover text/html the closest counts, and q=0 refuses. Parameters but q are passed over, and
 * what is malformed covers nothing.
 */
bool accept_has_html(struct drover_span accept);

#endif
