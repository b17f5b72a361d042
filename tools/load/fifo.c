#include "load/fifo.h"

void fifo_init(struct fifo *fifo)
{
    fifo->ends = (struct fifo_node){.prev = &fifo->ends, .next = &fifo->ends};
}

void fifo_append(struct fifo *fifo, struct fifo_node *node, int64_t since_us)
{
    *node = (struct fifo_node){
        .prev = fifo->ends.prev,
        .next = &fifo->ends,
        .since_us = since_us,
    };
    node->prev->next = node;
    fifo->ends.prev = node;
}

void fifo_remove(struct fifo_node *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    *node = (struct fifo_node){0};
}

struct fifo_node *fifo_first(const struct fifo *fifo)
{
    return fifo->ends.next == &fifo->ends ? NULL : fifo->ends.next;
}

struct fifo_node *fifo_first_since(const struct fifo *fifo, int64_t before_us)
{
    struct fifo_node *first = fifo_first(fifo);
    return first && first->since_us <= before_us ? first : NULL;
}
