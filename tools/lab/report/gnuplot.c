#include "lab/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/child.h"

/* It draws a hundred plots in a second. */
#define PATIENCE_MS 60000

/* As shells have it: there is no such program. */
#define STATUS_MISSING 127

struct pipes {
    int script;  /* memfd, so that nobody waits for the other while both write */
    int told;    /* memfd: what it says on stderr */
    int drawing; /* the read end of a pipe */
    int far_end;
};

static void close_pipes(const struct pipes *pipes)
{
    const int fds[] = {pipes->script, pipes->told, pipes->drawing, pipes->far_end};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

static bool open_pipes(struct pipes *pipes, const struct buf *script)
{
    int ends[2];
    pipes->script = memfd_create("script", MFD_CLOEXEC);
    pipes->told = memfd_create("told", MFD_CLOEXEC);
    pipes->drawing = pipes->far_end = -1;
    if (pipes->script < 0 || pipes->told < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return false;
    pipes->drawing = ends[0];
    pipes->far_end = ends[1];
    return write_all(pipes->script, script->p, script->len) &&
           lseek(pipes->script, 0, SEEK_SET) == 0;
}

static _Noreturn void be_gnuplot(const struct pipes *pipes, pid_t parent)
{
    static char name[] = "gnuplot", no_init_file[] = "-d";
    static char *const argv[] = {name, no_init_file, NULL};
    if (child_tie(parent) < 0 || dup2(pipes->script, STDIN_FILENO) < 0 ||
        dup2(pipes->far_end, STDOUT_FILENO) < 0 || dup2(pipes->told, STDERR_FILENO) < 0)
        _exit(EX_OSERR);
    execvp(argv[0], argv);
    _exit(errno == ENOENT ? STATUS_MISSING : EX_OSERR);
}

/* Reads to the end. False when it fails, with errno set, or takes too long (ETIMEDOUT). */
static bool drink(int fd, struct buf *out)
{
    int64_t deadline = clock_ms() + PATIENCE_MS;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, clock_until(deadline, clock_ms()));
        char *room = buf_room(out, BUFSIZ);
        errno = ready == 0 ? ETIMEDOUT : room ? errno : ENOMEM;
        if (ready == 0 || !room || (ready < 0 && errno != EINTR))
            return false;
        ssize_t n = ready > 0 ? read(fd, room, BUFSIZ) : -1;
        if (n == 0)
            return true;
        if (n > 0)
            buf_grow(out, (size_t)n);
        else if (errno != EINTR)
            return false;
    }
}

static int judge(int status, const struct pipes *pipes, struct buf *wrong)
{
    char words[512];
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_MISSING) {
        buf_lit(wrong, "gnuplot, which draws the plots, is not installed "
                       "(Debian and its relatives: apt-get install gnuplot-nox)");
        return EX_UNAVAILABLE;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    child_describe(status, words, sizeof words);
    buf_printf(wrong, "gnuplot: %s: ", words);
    ssize_t n = pread(pipes->told, words, sizeof words - 1, 0);
    words[n > 0 ? n : 0] = '\0';
    buf_str(wrong, words);
    return EX_SOFTWARE;
}

static int run(struct pipes *pipes, struct buf *out, struct buf *wrong)
{
    int status;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        be_gnuplot(pipes, parent);
    if (pid < 0) {
        buf_printf(wrong, "gnuplot cannot be started: %s", strerror(errno));
        return EX_OSERR;
    }
    close(pipes->far_end);
    pipes->far_end = -1;
    bool is_whole = drink(pipes->drawing, out);
    if (!is_whole) {
        buf_printf(wrong, "gnuplot: %s", strerror(errno));
        kill(pid, SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return is_whole ? judge(status, pipes, wrong) : EX_SOFTWARE;
}

int gnuplot_run(const struct buf *script, struct buf *out, struct buf *wrong)
{
    struct pipes pipes;
    int status = EX_OSERR;
    if (open_pipes(&pipes, script))
        status = run(&pipes, out, wrong);
    else
        buf_printf(wrong, "gnuplot cannot be started: %s", strerror(errno));
    close_pipes(&pipes);
    return status;
}
