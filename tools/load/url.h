/*
 * url - the parts of http://HOST[:PORT][/PATH][?QUERY].
 *
 * All spans are borrowed from the text that was parsed.
 */
#ifndef DROVER_LOAD_URL_H
#define DROVER_LOAD_URL_H

#include <stdint.h>

#include "base/span.h"

struct url {
    struct span authority; /* HOST[:PORT] as written: the Host field's value */
    struct span host;      /* without the brackets of an IPv6 address */
    uint16_t port;         /* 80 when not given */
    struct span path;      /* with its query; may be empty or start with '?' */
};

/* Returns NULL, or in words what is wrong with it; static. */
const char *url_parse(struct url *url, const char *text);

#endif
