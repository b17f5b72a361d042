/*
 * ask - asks a server that runs for something, by its control socket, and waits for the end of it.
 */
#ifndef DROVER_CLI_ASK_H
#define DROVER_CLI_ASK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct request {
    const char *program; /* "drover reload"; before what goes wrong */
    const char *words;   /* as in src/master/verb.c */
    const char *done;    /* before what has happened */
    const char *control; /* the path of the socket; NULL: the server is to be found */
    bool is_json;        /* what becomes of it is printed as an object, to stdout */
};

/*
 * Prints what has happened, and why it has not to stderr. Returns the status to exit with. It waits
 * however long it takes; of a master that is stopped stderr is told meanwhile.
 *
 * As JSON, of a success and of a failure: {"verb": the program's last word, "status": to exit with,
 * "server": its pid, or null, "milliseconds": that it took, "message": what has happened, or null,
 * "errors": a list of lines}.
 */
int ask(const struct request *request);

/* What has become of a request. */
struct outcome_told {
    int status;       /* to exit with */
    pid_t server;     /* 0: there is none */
    int64_t begun_ms; /* as clock_ms() */
    const char *text; /* one or more lines: what has happened, or why it has not */
};

/* Prints it in that way; returns the status. A line that begins with a blank goes without the
 * program's name. */
int ask_tell(const struct request *request, const struct outcome_told *told);

#endif
