#include <criterion/criterion.h>
#include <errno.h>
#include <sysexits.h>

#include "base/exit_status.h"

Test(exit_status, each_cause_has_its_own)
{
    static const struct {
        int cause, status;
    } rows[] = {{EACCES, EX_NOPERM},
                {EPERM, EX_NOPERM},
                {ENOENT, EX_CANTCREAT},
                {ENOTDIR, EX_CANTCREAT},
                {EISDIR, EX_CANTCREAT},
                {EROFS, EX_CANTCREAT},
                {EAFNOSUPPORT, EX_CONFIG},
                {EADDRINUSE, EX_UNAVAILABLE},
                {EADDRNOTAVAIL, EX_UNAVAILABLE},
                {EMFILE, EX_OSERR},
                {ENOMEM, EX_OSERR}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(exit_status_of(rows[i].cause), rows[i].status, "errno %d", rows[i].cause);
}
