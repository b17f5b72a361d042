#include "lab/kernel/bpf_code.h"

#include <criterion/criterion.h>
#include <string.h>

/* Bytes as RFC 9669 has them, on a little-endian machine: opcode, source and destination, offset,
 * constant. */
#define EXPECT_BYTES(code, index, ...)                                                 \
    do {                                                                               \
        static const uint8_t want[8] = {__VA_ARGS__};                                  \
        cr_expect((index) < (code).length);                                            \
        cr_expect(memcmp(&(code).at[index], want, sizeof want) == 0, "instruction %u", \
                  (unsigned)(index));                                                  \
    } while (0)

Test(bpf_code, arithmetic)
{
    struct bpf_code code = {.length = 0};
    bpf_code_set(&code, BPF_REG_0, 42);
    bpf_code_set(&code, BPF_REG_9, -1);
    bpf_code_move(&code, BPF_REG_6, BPF_REG_1);
    bpf_code_compute(&code, BPF_ADD, BPF_REG_2, -8);
    bpf_code_compute(&code, BPF_LSH, BPF_REG_1, 6);
    bpf_code_compute(&code, BPF_MOD, BPF_REG_7, 128);
    bpf_code_compute_by(&code, BPF_ADD, BPF_REG_1, BPF_REG_8);
    cr_expect(code.length == 7);
    EXPECT_BYTES(code, 0, 0xb7, 0x00, 0, 0, 42, 0, 0, 0);
    EXPECT_BYTES(code, 1, 0xb7, 0x09, 0, 0, 0xff, 0xff, 0xff, 0xff);
    EXPECT_BYTES(code, 2, 0xbf, 0x16, 0, 0, 0, 0, 0, 0);
    EXPECT_BYTES(code, 3, 0x07, 0x02, 0, 0, 0xf8, 0xff, 0xff, 0xff);
    EXPECT_BYTES(code, 4, 0x67, 0x01, 0, 0, 6, 0, 0, 0);
    EXPECT_BYTES(code, 5, 0x97, 0x07, 0, 0, 128, 0, 0, 0);
    EXPECT_BYTES(code, 6, 0x0f, 0x81, 0, 0, 0, 0, 0, 0);
}

Test(bpf_code, loads)
{
    struct bpf_code code = {.length = 0};
    bpf_code_load(&code, BPF_W, BPF_REG_2, BPF_REG_1, 8);
    bpf_code_load(&code, BPF_DW, BPF_REG_2, BPF_REG_10, -16);
    bpf_code_load(&code, BPF_B, BPF_REG_0, BPF_REG_6, 0);
    EXPECT_BYTES(code, 0, 0x61, 0x12, 8, 0, 0, 0, 0, 0);
    EXPECT_BYTES(code, 1, 0x79, 0xa2, 0xf0, 0xff, 0, 0, 0, 0);
    EXPECT_BYTES(code, 2, 0x71, 0x60, 0, 0, 0, 0, 0, 0);
}

Test(bpf_code, a_map_value_has_two_places)
{
    struct bpf_code code = {.length = 0};
    bpf_code_map_value(&code, BPF_REG_8, 5);
    cr_expect(code.length == 2);
    EXPECT_BYTES(code, 0, 0x18, 0x28, 0, 0, 5, 0, 0, 0);
    EXPECT_BYTES(code, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}

Test(bpf_code, calls_and_the_end)
{
    struct bpf_code code = {.length = 0};
    bpf_code_call(&code, 7);
    bpf_code_exit(&code);
    EXPECT_BYTES(code, 0, 0x85, 0, 0, 0, 7, 0, 0, 0);
    EXPECT_BYTES(code, 1, 0x95, 0, 0, 0, 0, 0, 0, 0);
}

/* An offset counts from the instruction after the jump. */
Test(bpf_code, jumps_land)
{
    struct bpf_code code = {.length = 0};
    unsigned if_equal = bpf_code_jump_if(&code, BPF_JEQ, BPF_REG_3, -1);
    unsigned if_below = bpf_code_jump_if_by(&code, BPF_JLT, BPF_REG_2, BPF_REG_9);
    unsigned always = bpf_code_jump(&code);
    bpf_code_exit(&code);
    bpf_code_land(&code, if_equal);
    bpf_code_land(&code, always);
    bpf_code_exit(&code);
    bpf_code_land(&code, if_below);
    EXPECT_BYTES(code, 0, 0x15, 0x03, 3, 0, 0xff, 0xff, 0xff, 0xff);
    EXPECT_BYTES(code, 1, 0xad, 0x92, 3, 0, 0, 0, 0, 0);
    EXPECT_BYTES(code, 2, 0x05, 0x00, 1, 0, 0, 0, 0, 0);
}

Test(bpf_code, jumps_back)
{
    struct bpf_code code = {.length = 0};
    bpf_code_set(&code, BPF_REG_7, 4);
    unsigned again = bpf_code_here(&code);
    bpf_code_compute(&code, BPF_SUB, BPF_REG_7, 1);
    bpf_code_back_if(&code, BPF_JNE, BPF_REG_7, 0, again);
    bpf_code_back_if(&code, BPF_JNE, BPF_REG_7, 0, again);
    EXPECT_BYTES(code, 1, 0x17, 0x07, 0, 0, 1, 0, 0, 0);
    EXPECT_BYTES(code, 2, 0x55, 0x07, 0xfe, 0xff, 0, 0, 0, 0);
    EXPECT_BYTES(code, 3, 0x55, 0x07, 0xfd, 0xff, 0, 0, 0, 0);
}

/* What is too long is known by its length, and nothing is written beyond the end. */
Test(bpf_code, what_does_not_fit_is_counted)
{
    struct {
        struct bpf_code code;
        struct bpf_insn beyond;
    } room = {.code.length = BPF_CODE_MAX - 1};
    bpf_code_set(&room.code, BPF_REG_0, 1);
    cr_expect(room.code.length == BPF_CODE_MAX);
    bpf_code_map_value(&room.code, BPF_REG_1, 3);
    unsigned jump = bpf_code_jump(&room.code);
    bpf_code_land(&room.code, jump);
    cr_expect(room.code.length == BPF_CODE_MAX + 3);
    cr_expect(room.code.at[BPF_CODE_MAX - 1].imm == 1);
    cr_expect(room.beyond.code == 0 && room.beyond.off == 0 && room.beyond.imm == 0);
}
