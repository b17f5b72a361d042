/*
 * beneath - opens a file below a directory, and nothing that is not below it, whatever the name
 * or the symbolic links say.
 */
#ifndef DROVER_HANDLERS_BENEATH_H
#define DROVER_HANDLERS_BENEATH_H

#include <stdbool.h>

/* Can the kernel do it in one call: openat2(2) with RESOLVE_BENEATH, Linux 5.6? */
bool beneath_has_openat2(void);

/*
 * Opens `name`, relative to `root`, with these open(2) flags; O_CLOEXEC is added. Links that stay
 * below the root are followed. Without openat2 no link is followed at all, which is stricter.
 *
 * Returns a descriptor, or -1 with errno set: EXDEV for what leads outside (ELOOP for any link
 * without openat2), else as open(2).
 */
int beneath_open(int root, const char *name, int flags, bool has_openat2);

#endif
