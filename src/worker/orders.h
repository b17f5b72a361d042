/*
 * orders - what a worker is told by its master, and does: see order.h.
 */
#ifndef DROVER_WORKER_ORDERS_H
#define DROVER_WORKER_ORDERS_H

struct worker;

/* Obeys all that have come, and never waits for one. */
void orders_read(struct worker *w);

/*
 * To be called behind whatever has brought something of a client, before that is looked at. Whoever
 * is told of the end of a reload may ask at once, and is not to be answered by a worker of before
 * it, which has its order in the channel and is late to read it. Obeys that order, which the board
 * tells of; what has come is given to the heirs then.
 */
void orders_hear(struct worker *w);

/* From now on it serves this slot, too; what it does with one that is held, when it begins. */
void orders_adopt(struct worker *w, int slot);

/* Watches the sockets that it shares with others anew. */
void orders_rearm(struct worker *w);

#endif
