/*
 * range - the Range field (RFC 9110, 14.1 and 14.2), for the unit "bytes".
 */
#ifndef DROVER_HTTP_RANGE_H
#define DROVER_HTTP_RANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

struct http_range {
    uint64_t first;  /* offset of the first byte */
    uint64_t length; /* bytes, at least 1 */
};

/*
 * Reads the value of a Range field for a representation of `size` bytes.
 *
 *  > 0  so many ranges are satisfiable; they are in `ranges`, in the order asked for, clipped to
 *       the size
 *    0  well formed, but none is satisfiable: 416
 *   -1  to be ignored: another unit, malformed, more than HTTP_RANGES_MAX, together longer than the
 *       representation, which costs more to send in parts than whole, or the last bytes of an empty
 *       representation, which no Content-Range can name
 *
 * Numbers over UINT64_MAX are clipped, not wrapped.
 */
int http_ranges(struct span value, uint64_t size, struct http_range ranges[HTTP_RANGES_MAX]);

#endif
