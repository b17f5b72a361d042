/*
 * fifo - things that wait, the one that has waited longest first.
 *
 * All wait equally long, so they leave in the order they came: adding, removing and looking at
 * the next deadline are O(1). Nodes live inside what waits; the fifo owns nothing.
 */
#ifndef DROVER_LOAD_FIFO_H
#define DROVER_LOAD_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: not waiting. */
struct fifo_node {
    struct fifo_node *prev, *next;
    int64_t since_us;
};

struct fifo {
    struct fifo_node ends; /* next is the oldest, prev the youngest */
};

/* What a node lives in. */
#define FIFO_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void fifo_init(struct fifo *fifo);

/* The node must not wait already. Times must not go back from one call to the next. */
void fifo_append(struct fifo *fifo, struct fifo_node *node, int64_t since_us);

/* Nothing happens if it does not wait. */
void fifo_remove(struct fifo_node *node);

/* The oldest, or NULL. */
struct fifo_node *fifo_first(const struct fifo *fifo);

/* The oldest if it has waited since `before_us` or longer, or NULL. */
struct fifo_node *fifo_first_since(const struct fifo *fifo, int64_t before_us);

#endif
