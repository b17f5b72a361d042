/*
 * style - the report's style sheet, tools/lab/report/report.css, as it was when the program was
 * built.
 */
#ifndef DROVER_LAB_REPORT_STYLE_H
#define DROVER_LAB_REPORT_STYLE_H

#include <stddef.h>

extern const char report_css[]; /* no NUL ends it */
extern const size_t report_css_size;

#endif
