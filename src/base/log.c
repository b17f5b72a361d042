#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/span.h"

/* A line is cut here: PIPE_BUF, so that lines of several processes never mix in a pipe. */
#define LINE_MAX_BYTES 4096

static enum log_level shown = LOG_INFO;
static char writer[32] = "master";

static struct {
    void (*tell)(void *context, enum log_level level, const char *words);
    void *context;
} witness;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};
_Static_assert(sizeof level_names / sizeof *level_names == LOG_DEBUG + 1, "a name a level");

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

static size_t stamp(char *line, size_t size)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &tm);
    size_t n = strftime(line, size, "%Y-%m-%d %H:%M:%S", &tm);
    return n + (size_t)snprintf(line + n, size - n, ".%03ld", now.tv_nsec / 1000000);
}

/* snprintf(3) tells what it would have written; a line that is cut ends at its room. */
static size_t clip(size_t n, int added, size_t size)
{
    if (added < 0)
        return n;
    n += (size_t)added;
    return n < size ? n : size - 1;
}

/* The journal has the time and the level by itself. */
static size_t line_begin(char *line, size_t size, enum log_level level)
{
    const char *prefix = log_prefix(level);
    if (*prefix)
        return clip(0, snprintf(line, size, "%s%s: ", prefix, writer), size);
    size_t n = stamp(line, size);
    return clip(n, snprintf(line + n, size - n, " %-5s %s: ", level_names[level], writer), size);
}

/* A client's bytes must not start a line of their own. */
static void make_one_line(char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
}

static void line_write(enum log_level level, const char *words, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    size_t size = sizeof line - 1; /* the newline's place */
    size_t n = line_begin(line, size, level);
    n = clip(n, vsnprintf(line + n, size - n, format, args), size);
    if (words)
        n = clip(n, snprintf(line + n, size - n, ": %s", words), size);
    make_one_line(line, n);
    line[n++] = '\n';
    /* Nobody is left to tell that stderr cannot be written. */
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}

static void tell_witness(enum log_level level, const char *words, const char *format, va_list args)
{
    char line[LINE_MAX_BYTES];
    size_t n = clip(0, vsnprintf(line, sizeof line, format, args), sizeof line);
    if (words)
        n = clip(n, snprintf(line + n, sizeof line - n, ": %s", words), sizeof line);
    make_one_line(line, n);
    witness.tell(witness.context, level, line);
}

#define LOG_VERB(verb, level, words)                  \
    void verb(const char *format, ...)                \
    {                                                 \
        int saved = errno;                            \
        va_list args;                                 \
        va_start(args, format);                       \
        if (log_shows(level))                         \
            line_write(level, words, format, args);   \
        va_end(args);                                 \
        if (witness.tell && level <= LOG_INFO) {      \
            va_start(args, format);                   \
            tell_witness(level, words, format, args); \
            va_end(args);                             \
        }                                             \
        errno = saved;                                \
    }

LOG_VERB(log_fatal, LOG_ERROR, strerror(saved))
LOG_VERB(log_fatalx, LOG_ERROR, NULL)
LOG_VERB(log_warn, LOG_WARN, strerror(saved))
LOG_VERB(log_warnx, LOG_WARN, NULL)
LOG_VERB(log_info, LOG_INFO, NULL)
LOG_VERB(log_debug, LOG_DEBUG, NULL)
