/*
 * log - one line an event, to stderr.
 *
 * A line is written whole, by one write(2), and a process name stands in it, so the lines of a
 * master and its workers may share a file. Every verb keeps errno. The verbs without x append
 * errno's words, as err(3) and errx(3) do.
 */
#ifndef DROVER_BASE_LOG_H
#define DROVER_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are dropped. Default: LOG_INFO. */
void log_set_level(enum log_level level);

/* Who writes, as in "worker 3"; copied, cut at 31 bytes. Default: "master". */
void log_set_name(const char *name);

/* True when a line of that level would be written. */
bool log_shows(enum log_level level);

/* LOG_ERROR: something that drover was asked to do does not happen. */
void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_fatalx(const char *format, ...) __attribute__((format(printf, 1, 2)));

void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
