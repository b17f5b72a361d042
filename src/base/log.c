#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log_line.h"
#include "base/nowait.h"
#include "base/span.h"

/* A line, and the journal's prefix. */
#define LINE_ROOM (LOG_LINE_MAX + 3)

static enum log_level shown = LOG_INFO;
static enum log_format form = LOG_TEXT;
static struct log_output output = {.target = LOG_TO_STDERR, .fd = STDERR_FILENO};
static char writer[32] = "master";

static struct {
    void (*tell)(void *context, enum log_level level, const char *words);
    void *context;
} witness;

/* Lines that could not be written since the last one that could. */
static uint64_t lost;

/* sd-daemon(3): syslog's priorities, as err, warning, info and debug are numbered there. */
static const char *const level_prefixes[] = {
    [LOG_ERROR] = "<3>",
    [LOG_WARN] = "<4>",
    [LOG_INFO] = "<6>",
    [LOG_DEBUG] = "<7>",
};
_Static_assert(sizeof level_prefixes / sizeof *level_prefixes == LOG_DEBUG + 1, "one a level");

/* The socket that the manager connected to the journal. Inode 0: none; no file has it. */
static struct {
    uint64_t device, inode;
} journal;

void log_set_level(enum log_level level)
{
    shown = level;
}

void log_set_format(enum log_format format)
{
    form = format;
}

void log_set_output(const struct log_output *to)
{
    output = *to;
}

void log_set_witness(void (*tell)(void *context, enum log_level level, const char *words),
                     void *context)
{
    witness.tell = tell;
    witness.context = context;
}

void log_set_name(const char *name)
{
    snprintf(writer, sizeof writer, "%s", name);
}

bool log_shows(enum log_level level)
{
    return level <= shown;
}

/* Read once: an application may change the environment while another of its threads logs. */
static void read_journal_stream(void)
{
    const char *text = getenv("JOURNAL_STREAM"), *colon = text ? strchr(text, ':') : NULL;
    uint64_t device, inode;
    if (!colon || !span_to_u64((struct span){.p = text, .n = (size_t)(colon - text)}, &device) ||
        !span_to_u64(span_of(colon + 1), &inode))
        return;
    journal.device = device;
    journal.inode = inode;
}

/* Asked for each line, since stderr may be made another file at any time. */
static bool is_journal(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat st;
    pthread_once(&once, read_journal_stream);
    return journal.inode != 0 && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == journal.device &&
           st.st_ino == journal.inode;
}

const char *log_prefix(enum log_level level)
{
    int saved = errno;
    const char *prefix = is_journal() ? level_prefixes[level] : "";
    errno = saved;
    return prefix;
}

/* ------------------------------------------------------------------------------ the writing */

/* The journal has the time and the level by itself. */
static size_t make_for_stderr(const struct log_line *line, char text[LINE_ROOM])
{
    const char *prefix = log_prefix(line->level);
    if (!*prefix)
        return form == LOG_JSON ? log_line_json(line, text) : log_line_text(line, text);
    if (form == LOG_JSON) {
        size_t n = log_line_json(line, text);
        memmove(text + 3, text, n);
        memcpy(text, prefix, 3);
        return n + 3;
    }
    int n = snprintf(text, LOG_LINE_MAX - 1, "%s%s: %s", prefix, line->process, line->words);
    size_t length = n < LOG_LINE_MAX - 1 ? (size_t)n : LOG_LINE_MAX - 2;
    text[length] = '\n';
    return length + 1;
}

static size_t make(const struct log_line *line, char text[LINE_ROOM])
{
    bool is_json = form == LOG_JSON;
    switch (output.target) {
    case LOG_TO_STDERR: return make_for_stderr(line, text);
    case LOG_TO_FILE: return is_json ? log_line_json(line, text) : log_line_text(line, text);
    case LOG_TO_SYSLOG: return log_line_syslog(line, is_json, text);
    case LOG_TO_JOURNAL: return log_line_journal(line, is_json, text);
    }
    return 0;
}

/* Whole or not at all; or a part of it, on a file system that is full. */
static bool write_out(char *text, size_t n)
{
    struct iovec part = {text, n};
    if (output.target == LOG_TO_STDERR || output.target == LOG_TO_FILE)
        return nowait_writev(output.fd, &part, 1) == (ssize_t)n;
    return sendto(output.fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&output.address, sizeof output.address) == (ssize_t)n;
}

static bool write_words(enum log_level level, const char *words)
{
    char text[LINE_ROOM];
    struct log_line line = {
        .level = level, .process = writer, .pid = (int)getpid(), .words = words};
    clock_gettime(CLOCK_REALTIME, &line.time);
    return write_out(text, make(&line, text));
}

/* Where nobody can be told that the log cannot be written, the log tells, once it can be. */
static void tell_lost(void)
{
    char words[80];
    uint64_t lines = __atomic_exchange_n(&lost, 0, __ATOMIC_RELAXED);
    if (lines == 0)
        return;
    snprintf(words, sizeof words, "log: %llu lines before this one could not be written",
             (unsigned long long)lines);
    if (!write_words(LOG_WARN, words))
        __atomic_fetch_add(&lost, lines, __ATOMIC_RELAXED);
}

static void write_line(enum log_level level, const char *words)
{
    tell_lost();
    if (!write_words(level, words))
        __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
}

/* snprintf(3) tells what it would have written. */
static size_t clip(int n, size_t size)
{
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

/* A client's bytes must not start a line of their own. */
static void make_one_line(char *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)words[i] < 0x20 || words[i] == 0x7f)
            words[i] = '?';
}

static void say(enum log_level level, const char *cause, const char *format, va_list args)
{
    bool is_witnessed = witness.tell && level <= LOG_INFO;
    char words[LOG_LINE_MAX];
    if (!log_shows(level) && !is_witnessed)
        return;
    size_t n = clip(vsnprintf(words, sizeof words, format, args), sizeof words);
    if (cause)
        n += clip(snprintf(words + n, sizeof words - n, ": %s", cause), sizeof words - n);
    make_one_line(words, n);
    if (log_shows(level))
        write_line(level, words);
    if (is_witnessed)
        witness.tell(witness.context, level, words);
}

void log_stderr_too(const char *words)
{
    char line[LOG_LINE_MAX];
    const struct log_output before = output;
    if (before.target == LOG_TO_STDERR)
        return;
    make_one_line(line, clip(snprintf(line, sizeof line, "%s", words), sizeof line));
    log_set_output(&(struct log_output){.target = LOG_TO_STDERR, .fd = STDERR_FILENO});
    write_words(LOG_ERROR, line);
    output = before;
}

#define LOG_VERB(verb, level, cause)     \
    void verb(const char *format, ...)   \
    {                                    \
        int saved = errno;               \
        va_list args;                    \
        va_start(args, format);          \
        say(level, cause, format, args); \
        va_end(args);                    \
        errno = saved;                   \
    }

LOG_VERB(log_fatal, LOG_ERROR, strerror(saved))
LOG_VERB(log_fatalx, LOG_ERROR, NULL)
LOG_VERB(log_warn, LOG_WARN, strerror(saved))
LOG_VERB(log_warnx, LOG_WARN, NULL)
LOG_VERB(log_info, LOG_INFO, NULL)
LOG_VERB(log_debug, LOG_DEBUG, NULL)
