/*
 * exit_status - what a process exits with for an error of a system call: of <sysexits.h>, so that
 * a service manager can tell what another try may mend from what it cannot.
 */
#ifndef DROVER_BASE_EXIT_STATUS_H
#define DROVER_BASE_EXIT_STATUS_H

/*
 * For an errno of what was to be opened, bound or created: EX_NOPERM for a right that lacks,
 * EX_CANTCREAT for a place that is not there or takes no file, EX_CONFIG for an address of a family
 * that there is not, EX_UNAVAILABLE for an address that is in use or not this machine's, and
 * EX_OSERR for the rest.
 */
int exit_status_of(int cause);

#endif
