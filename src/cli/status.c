/*
 * drover status: what a server is and does, at one moment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/look.h"
#include "cli/verb_options.h"
#include "status/json.h"
#include "status/snapshot.h"
#include "status/text.h"

/* Columns of a terminal that does not tell how many it has. */
#define COLUMNS_DEFAULT 80

static int print_help(void)
{
    printf("usage: drover status [--control PATH] [--json]\n\n"
           "Prints what a server is and does: its workers, connections, requests, rates of the\n"
           "last 1, 10 and 60 seconds, latencies, queues, and the last lines of its log. What is\n"
           "wrong stands above the figures, in lines that begin with \"!\". The answer does not\n"
           "wait for workers, nor for a master that is stopped. In a terminal the table has the\n"
           "columns that fit, else all of them.\n\n%s\n"
           "A worker's figures are those of its row of the board, which its predecessors there\n"
           "have counted in, too; cpu, switches (voluntary ones), forced (involuntary ones) and\n"
           "resident are the process's own. \"by\" is who accepts for the slot.\n\n"
           "Exits with 0 when there is a server, with 64 when several were found, 69 when none\n"
           "was, 76 when it is of another version, 77 when it is another user's.\n",
           verb_options_help());
    return 0;
}

static struct text_style style_of_terminal(void)
{
    struct winsize size;
    const char *terminal = getenv("TERM"), *no_color = getenv("NO_COLOR");
    if (!isatty(STDOUT_FILENO))
        return (struct text_style){.width = 0};
    bool is_plain = !terminal || strcmp(terminal, "dumb") == 0 || (no_color && *no_color);
    bool is_told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return (struct text_style){.width = is_told ? size.ws_col : COLUMNS_DEFAULT,
                               .is_vivid = !is_plain};
}

static int print(const struct buf *text)
{
    if (!text->failed && fwrite(text->p, 1, text->len, stdout) == text->len && fflush(stdout) == 0)
        return 0;
    perror("drover status");
    return EX_IOERR;
}

static int show(const struct board *board, bool is_json)
{
    static struct snapshot snapshot; /* more than a stack is for */
    struct buf text = {0};
    snapshot_take(&snapshot, board);
    if (is_json) {
        status_json(&text, &snapshot);
        buf_lit(&text, "\n");
    } else {
        struct text_style style = style_of_terminal();
        status_text(&text, &snapshot, &style);
    }
    int status = print(&text);
    buf_free(&text);
    return status;
}

int cli_status(int argc, char *const argv[])
{
    const struct board *board;
    struct verb_options options = {.program = "drover status", .may_have = VERB_JSON};
    int status = verb_options_parse(&options, argc, argv);
    if (options.wants_help)
        return print_help();
    if (status)
        return status;
    struct request request = {
        .program = options.program, .control = options.control, .is_json = options.is_json};
    status = look_open(&request, &board);
    if (status)
        return status;
    status = show(board, options.is_json);
    board_unmap(board);
    return status;
}
