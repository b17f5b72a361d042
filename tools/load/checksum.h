/*
 * checksum - CRC-32 of bytes that come in pieces.
 *
 * The one of gzip, zlib and Ethernet, so that a user can ask for it: `gzip -lv`, crc32(1),
 * Python's zlib.crc32. It finds every burst of wrong bits up to 32 long, and of all else all but
 * one in four thousand million.
 */
#ifndef DROVER_LOAD_CHECKSUM_H
#define DROVER_LOAD_CHECKSUM_H

#include <stdint.h>

#include "base/span.h"

/* The sum of what `sum` is of, and then of these bytes; 0 is the sum of nothing. How the bytes
 * are split changes nothing. */
uint32_t checksum_add(uint32_t sum, struct span bytes);

#endif
