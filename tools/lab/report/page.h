/*
 * page - a report while it is written: one machine's part of it, what was measured there, and its
 * plots.
 */
#ifndef DROVER_LAB_REPORT_PAGE_H
#define DROVER_LAB_REPORT_PAGE_H

#include "base/buf.h"
#include "lab/report/families.h"
#include "lab/report/groups.h"
#include "lab/report/plots.h"

struct page {
    struct buf html; /* owned, as the plots */
    struct plots plots;
    const struct results *results; /* borrowed */
    const struct groups *groups;   /* borrowed */

    /* of the machine that is written of */
    unsigned machine;
    struct families strategies, models;
};

/* A figure of the report: one file in figures/, one line in figures.c. */
struct figure {
    const char *id;    /* of its section */
    const char *title; /* HTML, as the next two */
    const char *expected;
    const char *published; /* what others have measured; NULL: nothing that is known */

    /* Appends what is seen here, and the plots. False when nothing was measured for it; nothing is
     * appended then. */
    bool (*draw)(struct page *page);
};

extern const struct figure *const figures[]; /* the last one is NULL */

/* The group of a strategy or a model that stands for it in the plots; NULL. */
const struct group *page_find(const struct page *page, const char *kind, const char *name,
                              const char *workload, const char *phase, unsigned workers);

/* The number of workers, at most `most`, for which most names have figures of a workload, the
 * largest of these; 0 when none has. */
unsigned page_common_workers(const struct page *page, const char *workload, unsigned most);

/* Whole pages: one for all machines of the results. Appends it to *out without its plots' places
 * filled: plots_draw() does that. False without memory. */
bool page_write(struct page *page, int files, const char *const paths[]);

/* What is no figure: of page_tables.c and page_verdicts.c. */
void page_tables(struct page *page);
void page_skipped(struct page *page);
void page_expectations(struct page *page);
void page_claims(struct page *page);

#endif
