/*
 * path - from the encoded path of a request target to a name below a root, and back.
 */
#ifndef DROVER_HTTP_PATH_H
#define DROVER_HTTP_PATH_H

#include <stddef.h>

#include "base/span.h"

/*
 * Decodes %XX, drops "." segments, resolves ".." segments, and makes one slash of several
 * (RFC 3986, 6.2.2 and 6.2.3). The result starts with '/', ends with '/' if the last segment was
 * empty, "." or "..", and never holds "//", a "." or ".." segment, or a NUL.
 *
 * Returns its length, NUL not counted, though one is written behind it. Minus a status when the
 * path is refused: 400 for an incomplete or non-hex escape, for a NUL, encoded or not, for a path
 * that does not start with '/', and for one that climbs above the root; 404 for %2F, since no file
 * name holds a slash; 414 when the result, or what a ".." takes back later, does not fit into
 * `size` bytes with its NUL.
 */
int http_path_decode(struct span encoded, char *out, size_t size);

/*
 * Writes the path with all that RFC 3986, 3.3 does not allow in a segment as %XX, and a NUL; '/'
 * stays. Returns its length, -1 when it does not fit: it has at most three times the path's length.
 */
long http_path_encode(struct span path, char *out, size_t size);

#endif
