/*
 * proxy - the header that a proxy in front sends before the first byte of a connection: HAProxy's
 * "The PROXY protocol", versions 1 (2.1 there) and 2 (2.2 there).
 *
 * It says who the client is, and a client could say so as well: read it only from proxies.
 */
#ifndef DROVER_HTTP_PROXY_H
#define DROVER_HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "http/ip.h"

struct proxy_header {
    bool is_local; /* the connection is the proxy's own, or it does not say whose (LOCAL, AF_UNSPEC,
                    * UNKNOWN): the socket's addresses are the ones to use, those here are zeroed */
    struct http_address source;      /* the client; no address when it came by a unix socket */
    struct http_address destination; /* where it connected to */
};

/*
 * Reads a header from the start of the bytes.
 *
 *  > 0  whole: so many bytes were the header; *out is set
 *    0  not whole yet: call again with the same bytes and more
 *   -1  malformed: close, for nobody knows where a request would start
 *
 * Version 1: at most PROXY_LINE_MAX bytes, one space between the words, addresses of the family
 * that is named, ports from 0 to 65535 without leading zeros. What follows UNKNOWN is passed over
 * up to the CRLF; a CR or LF that is not of one is malformed.
 *
 * Version 2: at most PROXY_HEADER_MAX bytes, the commands LOCAL and PROXY. Datagrams do not come to
 * a listener and are taken for AF_UNSPEC, as 2.2 wants it. TLVs must fill the rest of the header
 * and are passed over, but for a CRC32C, which may stand there once and must be right (2.2.3). What
 * the specification has discarded, all behind the length of LOCAL and AF_UNSPEC and the family of
 * LOCAL, is not looked at.
 *
 * How the bytes were split into calls never changes the outcome: a wrong byte is refused as soon
 * as it has come, a word or number of several bytes with its last one or its delimiter.
 * *out is undefined unless the result is > 0.
 */
int proxy_parse(const char *bytes, size_t length, struct proxy_header *out);

#endif
