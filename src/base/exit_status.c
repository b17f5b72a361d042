#include "base/exit_status.h"

#include <errno.h>
#include <sysexits.h>

int exit_status_of(int cause)
{
    switch (cause) {
    case EACCES:
    case EPERM: return EX_NOPERM;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EROFS: return EX_CANTCREAT;
    case EAFNOSUPPORT: return EX_CONFIG;
    case EADDRINUSE:
    case EADDRNOTAVAIL: return EX_UNAVAILABLE;
    default: return EX_OSERR;
    }
}
