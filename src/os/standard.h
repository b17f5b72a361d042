/*
 * standard - descriptors 0, 1 and 2, which belong to input, output and errors, whoever has closed
 * them: what is opened later must not have their numbers, or a log line ends up in a connection.
 */
#ifndef DROVER_OS_STANDARD_H
#define DROVER_OS_STANDARD_H

/* To be called before anything is opened: those that are closed are /dev/null from here on. -1 with
 * errno set. */
int standard_open(void);

#endif
