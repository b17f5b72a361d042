#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"

static bool holds(const struct buf *b, const char *bytes)
{
    return span_eq((struct span){.p = b->p, .n = b->len}, span_of(bytes));
}

Test(buf, appends_of_every_kind)
{
    struct buf b = {0};
    buf_add(&b, "ab", 2);
    buf_span(&b, SPAN("cd"));
    buf_str(&b, "ef");
    buf_lit(&b, "gh");
    buf_u64(&b, 42);
    buf_printf(&b, "-%d-%s", 7, "x");
    cr_expect(holds(&b, "abcdefgh42-7-x"), "%.*s", (int)b.len, b.p);
    cr_expect_not(b.failed);
    buf_free(&b);
    cr_expect_null(b.p);
    cr_expect_eq(b.len + b.cap, 0);
}

Test(buf, nothing_from_nowhere)
{
    struct buf b = {0};
    buf_add(&b, NULL, 0);
    buf_span(&b, (struct span){0});
    buf_str(&b, "");
    buf_drop(&b, 0);
    cr_expect_eq(b.len, 0);
    cr_expect_not(b.failed);
    buf_free(&b);
}

static const struct {
    uint64_t value;
    const char *digits;
} numbers[] = {
    {0, "0"},
    {9, "9"},
    {10, "10"},
    {1234567890, "1234567890"},
    {UINT64_MAX, "18446744073709551615"},
};

Test(buf, u64)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf b = {0};
        buf_u64(&b, numbers[i].value);
        cr_expect(holds(&b, numbers[i].digits), "%s", numbers[i].digits);
        buf_free(&b);
    }
}

Test(buf, grows_and_keeps_what_it_has)
{
    struct buf b = {0};
    for (unsigned i = 0; i < 100000; i++)
        buf_add(&b, &(char){(char)('a' + i % 26)}, 1);
    cr_assert_eq(b.len, 100000);
    for (unsigned i = 0; i < 100000; i++)
        cr_assert_eq(b.p[i], (char)('a' + i % 26), "byte %u", i);
    buf_free(&b);
}

Test(buf, printf_longer_than_the_room)
{
    struct buf b = {0};
    buf_printf(&b, "%5000d", 1);
    cr_assert_eq(b.len, 5000);
    cr_expect_eq(b.p[0], ' ');
    cr_expect_eq(b.p[4999], '1');
    buf_free(&b);
}

Test(buf, room_is_for_the_writer)
{
    struct buf b = {0};
    char *to = buf_room(&b, 3000);
    cr_assert_not_null(to);
    memset(to, 'x', 3000);
    cr_expect_eq(b.len, 0, "bytes count once they were told of");
    buf_grow(&b, 2);
    cr_expect(holds(&b, "xx"));
    cr_expect_eq(buf_room(&b, 1), b.p + 2);
    buf_free(&b);
}

Test(buf, drop)
{
    struct buf b = {0};
    buf_str(&b, "abcdef");
    buf_drop(&b, 0);
    cr_expect(holds(&b, "abcdef"));
    buf_drop(&b, 2);
    cr_expect(holds(&b, "cdef"));
    buf_drop(&b, 4);
    cr_expect_eq(b.len, 0);
    buf_free(&b);
}

Test(buf, a_failure_is_kept_until_it_is_cleared)
{
    struct buf b = {0};
    buf_str(&b, "ab");
    cr_expect_null(buf_room(&b, SIZE_MAX), "overflow of the length");
    cr_expect(b.failed);
    buf_str(&b, "cd");
    cr_expect_null(buf_room(&b, 1));
    cr_expect(holds(&b, "ab"), "what comes after a failure is dropped");
    buf_clear(&b);
    cr_expect_not(b.failed);
    buf_str(&b, "ef");
    cr_expect(holds(&b, "ef"));
    buf_free(&b);
}

Test(buf, more_than_any_address_space)
{
    struct buf b = {0};
    cr_expect_null(buf_room(&b, SIZE_MAX - 1), "overflow of the doubling");
    cr_expect(b.failed);
    buf_free(&b);
}
