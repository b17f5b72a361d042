/*
 * siblings - the precompressed forms of a file, which lie beside it: NAME.br, NAME.zst, NAME.gz.
 *
 * One counts when it is a regular file that drover may read, below ROOT as everything else, and not
 * older than NAME: an older one was made of another content. Times are compared in whole seconds,
 * since archives and many tools that copy keep no finer ones.
 *
 * Every answer for a name that has any must say "Vary: Accept-Encoding", also the one to a client
 * that sent none, so it has to be known for each request which siblings there are. To look costs
 * three system calls where there are none, so what was seen is remembered for SIBLINGS_MS: then a
 * request for a plain file costs nothing more than the file. What may come late by that time is
 * only that a new sibling is noticed. The bytes are never old: the sibling that is sent is opened
 * and compared anew for each request, and one that is gone or outdated is not sent.
 *
 * What is remembered is found by a hash of the name, and of the file and its time of change. Two
 * names that share a place push each other out, which costs the three calls again.
 */
#ifndef DROVER_HANDLERS_SIBLINGS_H
#define DROVER_HANDLERS_SIBLINGS_H

#include <stdint.h>

#include "handlers/file.h"

/* Milliseconds that is remembered which siblings a file has. */
#define SIBLINGS_MS 500

struct siblings;

/* For one worker. NULL when memory ran out. */
struct siblings *siblings_new(void);
void siblings_free(struct siblings *siblings);

/*
 * The codings that the file of this name has siblings for: an OR of DROVER_GZIP, DROVER_ZSTD and
 * DROVER_BR. One of a media type that is dense by itself has none. `now` in milliseconds, of any
 * clock that does not go back.
 */
unsigned siblings_find(struct siblings *siblings, const struct root *root, const char *name,
                       const char *media_type, const struct file *file, int64_t now);

/*
 * Opens the sibling of one coding. -1 when it does not count any more, and then it is looked for
 * anew with the next request.
 */
int siblings_open(struct siblings *siblings, const struct root *root, const char *name,
                  const struct file *file, unsigned coding, struct file *sibling);

/* As Content-Encoding calls it: "br", "zstd" or "gzip". */
const char *siblings_coding_name(unsigned coding);

/* What the sibling's name has behind that of the file: ".br", ".zst" or ".gz"; "" for the file. */
const char *siblings_ending(unsigned coding);

#endif
