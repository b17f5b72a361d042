#include "cli/top_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config/values.h"

/* xterm's, as nearly all others have them: the alternate screen, which keeps what stood there with
 * the cursor; no cursor; no wrapping at the end of a line. */
#define ENTER "\033[?1049h\033[?25l\033[?7l"
#define LEAVE "\033[m\033[?7h\033[?25h\033[?1049l"

/* No screen is larger; more is a mistake, or malice. */
#define SIZE_MAX_EACH 1000

/* Milliseconds that a terminal that is held (Ctrl-S) is waited for when it is left. */
#define LEAVE_MS 500

bool terminal_is_there(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* What has the modes: the keys' end, or else the other. */
static int modes_of(const struct terminal *terminal)
{
    return terminal->in >= 0 ? terminal->in : terminal->out;
}

/* A description of its own that does not block: keys that were there may be gone when they are
 * read, since a shell has taken them while this process was stopped. The shell's is not to be
 * changed. */
static int open_keys(const char *path)
{
    return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int terminal_open(struct terminal *terminal)
{
    bool is_stdin = isatty(STDIN_FILENO);
    int own = open_keys(is_stdin ? "/proc/self/fd/0" : "/dev/tty");
    *terminal = (struct terminal){.out = STDOUT_FILENO, .owns_in = own >= 0};
    terminal->in = own < 0 && is_stdin ? STDIN_FILENO
                                       : own; /* another user's may be opened by none */
    return tcgetattr(modes_of(terminal), &terminal->before);
}

void terminal_close(struct terminal *terminal)
{
    terminal_leave(terminal);
    if (terminal->owns_in)
        close(terminal->in);
    *terminal = (struct terminal){.in = -1, .out = -1};
}

static int set_modes(const struct terminal *terminal, const struct termios *modes)
{
    int failed;
    do
        failed = tcsetattr(modes_of(terminal), TCSANOW, modes);
    while (failed && errno == EINTR);
    return failed;
}

int terminal_enter(struct terminal *terminal)
{
    static char bytes[] = ENTER;
    const struct buf enter = {.p = bytes, .len = sizeof bytes - 1};
    struct termios modes = terminal->before;
    modes.c_lflag &= (tcflag_t) ~(ICANON | ECHO | IEXTEN);
    modes.c_lflag |= ISIG;
    modes.c_cc[VMIN] = 1;
    modes.c_cc[VTIME] = 0;
    if (set_modes(terminal, &modes) < 0)
        return -1;
    terminal->is_entered = true;
    return terminal_write(terminal->out, &enter);
}

/* One in the background has its terminal no more: the shell has set it as it likes. */
static bool is_mine(const struct terminal *terminal)
{
    pid_t group = tcgetpgrp(modes_of(terminal));
    return group < 0 || group == getpgrp();
}

void terminal_leave(struct terminal *terminal)
{
    static char bytes[] = LEAVE;
    const struct buf leave = {.p = bytes, .len = sizeof bytes - 1};
    if (!terminal->is_entered)
        return;
    terminal->is_entered = false;
    if (!is_mine(terminal))
        return;
    if (terminal_takes(terminal->out, LEAVE_MS))
        terminal_write(terminal->out, &leave);
    set_modes(terminal, &terminal->before);
}

bool terminal_takes(int fd, int milliseconds)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    return poll(&wait, 1, milliseconds) > 0;
}

static int from_environment(const char *name, int fallback)
{
    const char *text = getenv(name);
    int64_t value;
    return text && value_number(text, &value) && value > 0 && value <= SIZE_MAX_EACH ? (int)value
                                                                                     : fallback;
}

void terminal_size(int *rows, int *columns)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        size = (struct winsize){0};
    *rows = size.ws_row ? size.ws_row : from_environment("LINES", 24);
    *columns = size.ws_col ? size.ws_col : from_environment("COLUMNS", 80);
    *rows = *rows < SIZE_MAX_EACH ? *rows : SIZE_MAX_EACH;
    *columns = *columns < SIZE_MAX_EACH ? *columns : SIZE_MAX_EACH;
}

/* Whoever shares the terminal may have made it non-blocking. */
static bool may_go_on(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    return errno == EINTR || (errno == EAGAIN && poll(&wait, 1, -1) > 0);
}

int terminal_write(int fd, const struct buf *bytes)
{
    for (size_t at = 0; at < bytes->len;) {
        ssize_t n = write(fd, bytes->p + at, bytes->len - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && !may_go_on(fd))
            return -1;
    }
    return 0;
}
