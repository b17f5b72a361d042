#include "load/checksum.h"

#include <endian.h>
#include <string.h>

/* The polynomial of IEEE 802.3, its bits reversed, as the bits of a byte count from the lowest. */
#define POLYNOMIAL UINT32_C(0xedb88320)

/* Bytes that one step takes: a table each, 16 KiB together, which stay in the first-level cache. */
#define SLICES 16

/* slice[n][b]: what byte b does to the sum when n more bytes of the step come after it. */
static uint32_t slice[SLICES][256];

static void fill_slices(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t sum = b;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
        slice[0][b] = sum;
    }
    for (int n = 1; n < SLICES; n++)
        for (int b = 0; b < 256; b++)
            slice[n][b] = slice[n - 1][b] >> 8 ^ slice[0][slice[n - 1][b] & 0xff];
}

static uint32_t load32(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return le32toh(word);
}

/* Four bytes, of which the last has `after` more behind it in the step. */
static uint32_t word_sum(uint32_t word, int after)
{
    return slice[after + 3][word & 0xff] ^ slice[after + 2][word >> 8 & 0xff] ^
           slice[after + 1][word >> 16 & 0xff] ^ slice[after][word >> 24];
}

uint32_t checksum_add(uint32_t sum, struct span bytes)
{
    const char *p = bytes.p;
    size_t n = bytes.n;
    if (!slice[0][1])
        fill_slices();
    sum = ~sum;
    for (; n >= SLICES; n -= SLICES, p += SLICES)
        sum = word_sum(load32(p) ^ sum, 12) ^ word_sum(load32(p + 4), 8) ^
              word_sum(load32(p + 8), 4) ^ word_sum(load32(p + 12), 0);
    for (; n > 0; n--, p++)
        sum = sum >> 8 ^ slice[0][(sum ^ (unsigned char)*p) & 0xff];
    return ~sum;
}
