/*
 * ask - asks a server that runs for something, by its control socket, and waits for the end of it.
 */
#ifndef DROVER_CLI_ASK_H
#define DROVER_CLI_ASK_H

struct request {
    const char *program; /* "drover reload"; before what goes wrong */
    const char *words;   /* as in src/master/verb.c */
    const char *done;    /* before what has happened */
    const char *control; /* the path of the socket; NULL: the server is to be found */
};

/* Prints what has happened, and why it has not to stderr. Returns the status to exit with. */
int ask(const struct request *request);

#endif
