#include "load/fifo.h"

#include <criterion/criterion.h>

struct waiter {
    int name;
    struct fifo_node node;
};

Test(load_fifo, leaves_in_the_order_it_came)
{
    struct fifo fifo;
    struct waiter w[3] = {{.name = 0}, {.name = 1}, {.name = 2}};
    fifo_init(&fifo);
    cr_expect_null(fifo_first(&fifo));
    for (int i = 0; i < 3; i++)
        fifo_append(&fifo, &w[i].node, 10 * i);
    for (int i = 0; i < 3; i++) {
        struct fifo_node *first = fifo_first(&fifo);
        cr_assert_not_null(first);
        cr_expect_eq(FIFO_OWNER(first, struct waiter, node)->name, i);
        fifo_remove(first);
    }
    cr_expect_null(fifo_first(&fifo));
}

Test(load_fifo, removes_from_the_middle_and_only_once)
{
    struct fifo fifo;
    struct fifo_node a = {0}, b = {0}, c = {0};
    fifo_init(&fifo);
    fifo_append(&fifo, &a, 1);
    fifo_append(&fifo, &b, 2);
    fifo_append(&fifo, &c, 3);
    fifo_remove(&b);
    fifo_remove(&b);
    fifo_remove(&a);
    cr_expect_eq(fifo_first(&fifo), &c);
    fifo_append(&fifo, &a, 4);
    fifo_remove(&c);
    cr_expect_eq(fifo_first(&fifo), &a);
}

Test(load_fifo, gives_only_what_has_waited_long_enough)
{
    struct fifo fifo;
    struct fifo_node a = {0};
    fifo_init(&fifo);
    cr_expect_null(fifo_first_since(&fifo, 100));
    fifo_append(&fifo, &a, 50);
    cr_expect_null(fifo_first_since(&fifo, 49));
    cr_expect_eq(fifo_first_since(&fifo, 50), &a);
}
