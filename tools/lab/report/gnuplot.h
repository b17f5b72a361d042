/*
 * gnuplot - the program gnuplot(1), which draws.
 */
#ifndef DROVER_LAB_REPORT_GNUPLOT_H
#define DROVER_LAB_REPORT_GNUPLOT_H

#include "base/buf.h"

/*
 * Has it run a script; what it writes on stdout is appended to *out. No init file of the user's is
 * read (-d). Returns 0; else, with the reason in *wrong, EX_UNAVAILABLE when there is no such
 * program, EX_SOFTWARE when it did not like the script or took longer than a minute, EX_OSERR when
 * it could not be started.
 */
int gnuplot_run(const struct buf *script, struct buf *out, struct buf *wrong);

#endif
