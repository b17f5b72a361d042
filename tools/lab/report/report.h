/*
 * report - one self-contained page of what result files hold (page.h).
 */
#ifndef DROVER_LAB_REPORT_REPORT_H
#define DROVER_LAB_REPORT_REPORT_H

/* Reads the files and writes the page to `output`, whose name is printed then if it is a file. What
 * is wrong is told on stderr. Returns an exit status: EX_OK; EX_NOINPUT, EX_DATAERR of a file;
 * EX_UNAVAILABLE without gnuplot; EX_CANTCREAT, EX_IOERR of the page. */
int report_make(int count, const char *const files[], const char *output);

/* Can plots be drawn, and a page be written there? EX_OK, or an exit status after it was told why
 * not: what takes long is better not begun then. */
int report_check(const char *output);

#endif
