#include "lab/report/style.h"

/* The assembler takes the file in as it is; the path is from the top of the tree, where make runs.
 */
__asm__(".pushsection .rodata\n"
        ".global report_css, report_css_size\n"
        "report_css: .incbin \"tools/lab/report/report.css\"\n"
        "report_css_end:\n"
        ".balign 8\n"
        "report_css_size: .quad report_css_end - report_css\n"
        ".popsection\n");

_Static_assert(sizeof(size_t) == 8, "report_css_size is a .quad");
