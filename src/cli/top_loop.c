#include "cli/top_loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/top_keys.h"
#include "cli/top_terminal.h"
#include "cli/top_view.h"
#include "cli/top_watch.h"
#include "os/sigfd.h"

/* Milliseconds from the first look, which has nothing to be compared with, to the second: enough
 * for what a second has. */
#define FIRST_MS 250
_Static_assert(FIRST_MS >= TABLE_BASE_MS, "the second look tells rates");

/* Milliseconds that what may follow an ESC has: over a slow line it comes late. */
#define ESCAPE_MS 500

/* Of plain text: rows at least, and columns. */
#define PLAIN_ROWS    24
#define PLAIN_COLUMNS 132

/* Lines of a frame beside the table: the head, events and titles. */
#define PLAIN_ROWS_MORE 20

enum { WAIT_KEYS, WAIT_SIGNALS, WAIT_SEARCH, WAIT_RELOAD, WAIT_OUT, WAITS };

struct top {
    struct snapshot snapshot;
    struct table table;
    struct top_options options;
    struct watch watch;
    struct view view;
    struct screen shown, next;
    struct buf bytes;
    const char *why;
    int64_t look_at; /* the next look */
    int64_t escape_at;
    int64_t frames;
    struct errand reload;
    struct terminal terminal;
    struct keys keys;
    int status;
    int signal;    /* that has ended it; 0: none */
    int signals;   /* descriptor; -1 */
    int page;      /* rows of the table that have room */
    bool is_live;  /* on a terminal; else plain text */
    bool is_known; /* `shown` is what the terminal shows */
    bool is_due;   /* something is to be drawn */
    bool has_ended;
    char message[ERRAND_WORDS];
};

/* Ends the loop; `why` is for stderr, unless it is NULL. */
static void leave(struct top *top, int status, const char *why)
{
    top->has_ended = true;
    top->status = status;
    top->why = why;
}

/* Whoever has read it is gone: that is no error. */
static void leave_unread(struct top *top)
{
    if (errno == EPIPE || (top->is_live && errno == EIO))
        leave(top, 0, NULL);
    else
        leave(top, EX_IOERR, strerror(errno));
}

/* ------------------------------------------------------------------------------------- draw */

static void resize(struct top *top, int rows, int columns)
{
    if (top->next.rows == rows && top->next.columns == columns)
        return;
    top->is_known = false;
    if (screen_resize(&top->next, rows, columns) < 0 ||
        screen_resize(&top->shown, rows, columns) < 0)
        leave(top, EX_OSERR, strerror(errno));
}

static void fit(struct top *top)
{
    int rows = PLAIN_ROWS, columns = PLAIN_COLUMNS, need = top->table.count + PLAIN_ROWS_MORE;
    if (isatty(STDOUT_FILENO))
        terminal_size(&rows, &columns);
    if (!top->is_live)
        rows = need > PLAIN_ROWS ? need : PLAIN_ROWS;
    resize(top, rows, columns);
}

static void draw(struct top *top)
{
    struct view *view = &top->view;
    view->absence = *top->watch.absence ? top->watch.absence : NULL;
    view->message = top->message;
    table_sort(&top->table, view->sort, view->is_reversed);
    top->page = view_draw(view, &top->snapshot, &top->table, &top->next);
}

static void swap_screens(struct top *top)
{
    struct screen drawn = top->next;
    top->next = top->shown;
    top->shown = drawn;
    top->is_known = true;
}

/* What a slow line has not yet taken is not added to: the next frame has it all. */
static void show(struct top *top)
{
    if (!top->is_due || top->has_ended || !terminal_takes(top->terminal.out, 0))
        return;
    fit(top);
    if (top->has_ended)
        return;
    draw(top);
    buf_clear(&top->bytes);
    screen_update(top->is_known ? &top->shown : NULL, &top->next, &top->bytes);
    if (top->bytes.failed)
        leave(top, EX_OSERR, strerror(ENOMEM));
    else if (terminal_write(top->terminal.out, &top->bytes) < 0)
        leave_unread(top);
    swap_screens(top);
    top->is_due = false;
}

static void print_frame(struct top *top)
{
    fit(top);
    if (top->has_ended)
        return;
    draw(top);
    buf_clear(&top->bytes);
    screen_text(&top->next, &top->bytes);
    buf_lit(&top->bytes, "\n");
    if (top->bytes.failed)
        leave(top, EX_OSERR, strerror(ENOMEM));
    else if (terminal_write(STDOUT_FILENO, &top->bytes) < 0)
        leave_unread(top);
}

/* ------------------------------------------------------------------------------------- look */

static void look(struct top *top)
{
    watch_look(&top->watch, clock_ms(), &top->snapshot);
    table_take(&top->table, &top->snapshot);
    top->is_due = true;
}

/* At its time; what was late is not made up for. */
static void look_again(struct top *top)
{
    int64_t now = clock_ms();
    if (now < top->look_at)
        return;
    top->look_at = now + top->options.interval_ms;
    if (top->view.is_paused)
        return;
    look(top);
    if (top->is_live)
        show(top);
    else
        print_frame(top);
    if (++top->frames == top->options.count)
        leave(top, top->status, top->why);
}

static void look_at_another(struct top *top)
{
    if (watch_found(&top->watch)) {
        look(top);
        snprintf(top->message, sizeof top->message, "the server is pid %lld now",
                 (long long)top->snapshot.pid);
    }
    top->is_due = true;
}

/* ----------------------------------------------------------------------------------- reload */

static int ask_for_reload(const void *context, int *give)
{
    const struct request *request = context;
    (void)give;
    return ask(request);
}

static void begin_reload(struct top *top)
{
    struct request request = {.program = "reload",
                              .words = "reload",
                              .done = "reload",
                              .control = top->options.request.control};
    if (top->reload.pid)
        snprintf(top->message, sizeof top->message, "reload: is under way");
    else if (errand_begin(&top->reload, ask_for_reload, &request) < 0)
        snprintf(top->message, sizeof top->message, "reload: %s", strerror(errno));
    else
        snprintf(top->message, sizeof top->message, "reload: is asked for");
}

/* One line has room; a configuration with several faults has more. */
static void end_reload(struct top *top)
{
    const char *words = top->reload.words;
    if (!errand_turn(&top->reload))
        return;
    int n = (int)strcspn(words, "\n");
    bool has_more = words[n] && words[n + 1];
    if (*words)
        snprintf(top->message, sizeof top->message, "%.*s%s", n, words,
                 has_more ? " (and more: drover check)" : "");
    else
        snprintf(top->message, sizeof top->message, "reload: exit status %d", top->reload.status);
    top->is_due = true;
}

/* ------------------------------------------------------------------------------------- keys */

static void scroll(struct view *view, int rows)
{
    view->scroll = view->scroll + rows < 0 ? 0 : view->scroll + rows;
}

static void toggle_pause(struct top *top)
{
    top->view.is_paused = !top->view.is_paused;
    top->look_at = top->view.is_paused ? top->look_at : clock_ms();
}

static void press(struct top *top, int key)
{
    struct view *view = &top->view;
    top->is_due = true;
    *top->message = '\0';
    if (view->is_help) {
        view->is_help = false;
        return;
    }
    switch (key) {
    case 'q':
    case 'Q': leave(top, 0, NULL); break;
    case '>':
    case KEY_RIGHT: view_choose(view, 1, top->shown.columns); break;
    case '<':
    case KEY_LEFT: view_choose(view, -1, top->shown.columns); break;
    case 'R':
    case '-': view->is_reversed = !view->is_reversed; break;
    case 'k':
    case KEY_UP: scroll(view, -1); break;
    case 'j':
    case KEY_DOWN: scroll(view, 1); break;
    case KEY_PAGE_UP: scroll(view, -top->page); break;
    case KEY_PAGE_DOWN: scroll(view, top->page); break;
    case KEY_HOME: view->scroll = 0; break;
    case KEY_END: view->scroll = TABLE_ROWS; break;
    case 'r': begin_reload(top); break;
    case ' ': look(top); break;
    case 'p': toggle_pause(top); break;
    case '?':
    case 'h': view->is_help = true; break;
    case 'L' & 0x1f: top->is_known = false; break;
    default: break;
    }
}

static void read_keys(struct top *top)
{
    unsigned char bytes[256];
    ssize_t n = read(top->terminal.in, bytes, sizeof bytes);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) { /* the terminal has gone */
        leave(top, 0, NULL);
        return;
    }
    for (ssize_t i = 0; i < n && !top->has_ended; i++) {
        int key = keys_take(&top->keys, bytes[i]);
        if (key != KEY_NONE)
            press(top, key);
    }
    top->escape_at = keys_is_waiting(&top->keys) ? clock_ms() + ESCAPE_MS : CLOCK_NEVER;
}

static void expire_keys(struct top *top)
{
    if (clock_ms() < top->escape_at)
        return;
    top->escape_at = CLOCK_NEVER;
    int key = keys_expire(&top->keys);
    if (key != KEY_NONE)
        press(top, key);
}

/* ---------------------------------------------------------------------------------- signals */

static const int live_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH, SIGCONT, 0};

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (const int *one = live_signals; *one; one++)
        sigaddset(&set, *one);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return sigfd_open(live_signals);
}

/* Lets one that is blocked do what it does by default; returns when it was a stop that is over. */
static void yield_to(int signal_number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    signal(signal_number, SIG_DFL);
    kill(getpid(), signal_number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void enter(struct top *top)
{
    if (terminal_enter(&top->terminal) < 0)
        leave_unread(top);
    top->is_known = false;
    top->is_due = true;
}

static void take_signal(struct top *top, int number)
{
    switch (number) {
    case SIGINT: leave(top, 0, NULL); break;
    case SIGTSTP:
        terminal_leave(&top->terminal);
        yield_to(SIGTSTP);
        enter(top);
        break;
    case SIGCONT: enter(top); break;
    case SIGWINCH: top->is_due = true; break;
    default:
        top->signal = number;
        leave(top, EX_SOFTWARE, NULL);
        break;
    }
}

static void read_signals(struct top *top)
{
    int number;
    while (!top->has_ended && (number = sigfd_read(top->signals)) > 0)
        take_signal(top, number);
}

/* ------------------------------------------------------------------------------------- loop */

static bool is_ready(const struct pollfd *wait)
{
    return wait->fd >= 0 && wait->revents;
}

static void turn(struct top *top)
{
    struct pollfd waits[WAITS] = {
        [WAIT_KEYS] = {.fd = top->is_live ? top->terminal.in : -1, .events = POLLIN},
        [WAIT_SIGNALS] = {.fd = top->signals, .events = POLLIN},
        [WAIT_SEARCH] = {.fd = top->watch.search.pid ? top->watch.search.fd : -1, .events = POLLIN},
        [WAIT_RELOAD] = {.fd = top->reload.pid ? top->reload.fd : -1, .events = POLLIN},
        /* of a pipe: that nobody reads any more */
        [WAIT_OUT] = {.fd = STDOUT_FILENO, .events = top->is_live && top->is_due ? POLLOUT : 0},
    };
    int64_t until = clock_sooner(top->look_at, top->escape_at);
    if (poll(waits, WAITS, clock_until(until, clock_ms())) < 0 && errno != EINTR) {
        leave(top, EX_OSERR, strerror(errno));
        return;
    }
    if (is_ready(&waits[WAIT_SIGNALS]))
        read_signals(top);
    if (is_ready(&waits[WAIT_KEYS]) && !top->has_ended)
        read_keys(top);
    if (is_ready(&waits[WAIT_SEARCH]))
        look_at_another(top);
    if (is_ready(&waits[WAIT_RELOAD]))
        end_reload(top);
    if (waits[WAIT_OUT].revents & (POLLERR | POLLHUP))
        leave(top, 0, NULL);
}

static void run(struct top *top)
{
    look(top);
    top->look_at = clock_ms() + FIRST_MS;
    if (top->is_live)
        enter(top);
    while (!top->has_ended) {
        if (top->is_live)
            show(top);
        turn(top);
        expire_keys(top);
        if (!top->has_ended)
            look_again(top);
    }
}

static int start_live(struct top *top)
{
    top->signals = open_signals();
    return top->signals < 0 ? -1 : terminal_open(&top->terminal);
}

static void clean_up(struct top *top)
{
    terminal_close(&top->terminal);
    errand_stop(&top->reload);
    watch_close(&top->watch);
    screen_free(&top->shown);
    screen_free(&top->next);
    buf_free(&top->bytes);
    if (top->signals >= 0)
        close(top->signals);
}

/* The terminal's own screen is back, and keeps these; one that is held would hold this, too. */
static void say_why(const struct top *top)
{
    const char *program = top->options.request.program;
    if (!terminal_takes(STDERR_FILENO, 0))
        return;
    if (top->why)
        fprintf(stderr, "%s: %s\n", program, top->why);
    if (top->signal)
        fprintf(stderr, "%s: ended by %s\n", program, sigfd_name(top->signal));
    if (*top->watch.absence)
        fprintf(stderr, "%s: %s\n", program, top->watch.absence);
}

int top_run(const struct top_options *options)
{
    static struct top top; /* more than a stack is for */
    top.options = *options;
    top.is_live = terminal_is_there();
    top.escape_at = CLOCK_NEVER;
    top.signals = -1;
    top.terminal.in = top.terminal.out = -1;
    top.view.hint = top.is_live ? "q leaves, ? tells more: arrows sort and scroll, r reloads" : "";
    int status = watch_open(&top.watch, &options->request);
    if (status)
        return status;
    signal(SIGPIPE, SIG_IGN); /* whoever does not read any more ends this without a word */
    if (top.is_live && start_live(&top) < 0)
        leave(&top, EX_OSERR, strerror(errno));
    else
        run(&top);
    clean_up(&top);
    say_why(&top);
    if (top.signal)
        yield_to(top.signal);
    return top.status;
}
