/*
 * framing - where one message of a stream ends and the next begins. Bytes in, bytes out.
 */
#ifndef DROVER_WORKER_FRAMING_H
#define DROVER_WORKER_FRAMING_H

#include <drover.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/span.h"

/* What a protocol allows for a frame, without its line end or length. */
size_t framing_max(const struct drover_protocol *protocol);

/*
 * Takes the next frame off the front of *input.
 *
 *   1  *frame is one, borrowed from the input
 *   0  it is not whole; nothing was taken
 *  -1  it is longer than allowed
 */
int framing_take(const struct drover_protocol *protocol, struct span *input, struct span *frame);

/* Could the other side tell this frame from the next one? */
bool framing_allows(const struct drover_protocol *protocol, struct span frame);

/* Appends a frame, with its line end or length. */
void framing_write(const struct drover_protocol *protocol, struct buf *out, struct span frame);

#endif
