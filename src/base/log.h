/*
 * log - one line an event, to stderr or where log_set_output() says, in one of the forms of
 * log_line.h.
 *
 * A line is written whole, by one write(2), and a process name stands in it, so the lines of a
 * master and its workers may share a file. Every verb keeps errno. The verbs without x append
 * errno's words, as err(3) and errx(3) do. None of them waits: a line that finds no room, in a pipe
 * that nobody reads or on a full disk, is lost, and how many were is told with the next that does.
 *
 *     2026-01-31 12:00:00.000 warn  worker 3: words
 *     <4>worker 3: words                               in the journal
 *
 * The second when stderr is the journal's socket, that is, when JOURNAL_STREAM names its device and
 * inode (systemd.exec(5)): the journal has time and level of its own, the level from this prefix
 * (sd-daemon(3)). The variable is read with the first line and stays where it is: workers, the next
 * master and whatever else inherits stderr have the same question. Stderr itself is looked at for
 * each line, so one that was redirected since gets the first form, from its next line on.
 */
#ifndef DROVER_BASE_LOG_H
#define DROVER_BASE_LOG_H

#include <stdbool.h>
#include <sys/un.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Has every line told to `tell`, too, whatever levels are shown, but none of LOG_DEBUG: the words
 * alone, one line, without time, level and writer. `tell` must not log. For a process of one
 * thread; a child that is forked has it as well, until it says NULL. */
void log_set_witness(void (*tell)(void *context, enum log_level level, const char *words),
                     void *context);

/* Lines above this level are dropped. Default: LOG_INFO. */
void log_set_level(enum log_level level);

enum log_format { LOG_TEXT, LOG_JSON };

/* Default: LOG_TEXT. */
void log_set_format(enum log_format format);

enum log_target { LOG_TO_STDERR, LOG_TO_FILE, LOG_TO_SYSLOG, LOG_TO_JOURNAL };

struct log_output {
    enum log_target target;
    int fd;                     /* borrowed */
    struct sockaddr_un address; /* of the last two, whose socket is not connected */
};

/* Copied. Default: LOG_TO_STDERR. */
void log_set_output(const struct log_output *to);

/* Who writes, as in "worker 3"; copied, cut at 31 bytes. Default: "master". */
void log_set_name(const char *name);

/* True when a line of that level would be written. */
bool log_shows(enum log_level level);

/* For a line that is written to stderr past the log: "<3>" and its like when stderr is the journal,
 * else "". A constant; keeps errno. */
const char *log_prefix(enum log_level level);

/* LOG_ERROR: something that drover was asked to do does not happen. */
void log_fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_fatalx(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An error that was logged, for whoever waits at a terminal: it is said on stderr, too, unless the
 * log is there. */
void log_stderr_too(const char *words);

void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
