#include "load/checksum.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(load_checksum, of_known_bytes)
{
    cr_expect_eq(checksum_add(0, SPAN("")), 0);
    cr_expect_eq(checksum_add(0, SPAN("a")), 0xe8b7be43);
    cr_expect_eq(checksum_add(0, SPAN("123456789")),
                 0xcbf43926); /* the value every CRC-32 states */
    cr_expect_eq(checksum_add(0, SPAN("The quick brown fox jumps over the lazy dog")), 0x414fa339);
}

/* A bit at a time, as the definition has it. */
static uint32_t slow_sum(const unsigned char *p, size_t n)
{
    uint32_t sum = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        sum ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
    }
    return ~sum;
}

Test(load_checksum, of_every_length_and_split_is_that_of_the_definition)
{
    unsigned char bytes[80];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 167 + 13);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        uint32_t right = slow_sum(bytes, n);
        char *copy = malloc(n + 1); /* of its own size: a sanitizer sees any look beyond it */
        memcpy(copy, bytes, n);
        for (size_t at = 0; at <= n; at++) {
            uint32_t sum = checksum_add(0, (struct span){.p = copy, .n = at});
            sum = checksum_add(sum, (struct span){.p = copy + at, .n = n - at});
            cr_assert_eq(sum, right, "%zu bytes split at %zu: %08x, not %08x", n, at, sum, right);
        }
        free(copy);
    }
}
