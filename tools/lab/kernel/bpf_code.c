#include "lab/kernel/bpf_code.h"

static void add(struct bpf_code *code, struct bpf_insn instruction)
{
    if (code->length < BPF_CODE_MAX)
        code->at[code->length] = instruction;
    code->length++;
}

/* The kernel's header has registers as 4 bits each. */
static struct bpf_insn make(unsigned what, uint8_t to, uint8_t from, int16_t offset, int32_t value)
{
    return (struct bpf_insn){.code = (uint8_t)what,
                             .dst_reg = to & 15U,
                             .src_reg = from & 15U,
                             .off = offset,
                             .imm = value};
}

void bpf_code_set(struct bpf_code *code, uint8_t to, int32_t value)
{
    bpf_code_compute(code, BPF_MOV, to, value);
}

void bpf_code_move(struct bpf_code *code, uint8_t to, uint8_t from)
{
    bpf_code_compute_by(code, BPF_MOV, to, from);
}

void bpf_code_compute(struct bpf_code *code, uint8_t operation, uint8_t to, int32_t value)
{
    add(code, make(BPF_ALU64 | BPF_K | operation, to, 0, 0, value));
}

void bpf_code_compute_by(struct bpf_code *code, uint8_t operation, uint8_t to, uint8_t by)
{
    add(code, make(BPF_ALU64 | BPF_X | operation, to, by, 0, 0));
}

void bpf_code_load(struct bpf_code *code, uint8_t width, uint8_t to, uint8_t base, int16_t offset)
{
    add(code, make(BPF_LDX | BPF_MEM | width, to, base, offset, 0));
}

/* The only instruction of two places: the second one holds the offset into the value. */
void bpf_code_map_value(struct bpf_code *code, uint8_t to, int map)
{
    add(code, make(BPF_LD | BPF_IMM | BPF_DW, to, BPF_PSEUDO_MAP_VALUE, 0, map));
    add(code, make(0, 0, 0, 0, 0));
}

void bpf_code_call(struct bpf_code *code, int32_t helper)
{
    add(code, make(BPF_JMP | BPF_CALL, 0, 0, 0, helper));
}

void bpf_code_exit(struct bpf_code *code)
{
    add(code, make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

unsigned bpf_code_jump_if(struct bpf_code *code, uint8_t condition, uint8_t reg, int32_t value)
{
    add(code, make(BPF_JMP | BPF_K | condition, reg, 0, 0, value));
    return code->length - 1;
}

unsigned bpf_code_jump_if_by(struct bpf_code *code, uint8_t condition, uint8_t reg, uint8_t by)
{
    add(code, make(BPF_JMP | BPF_X | condition, reg, by, 0, 0));
    return code->length - 1;
}

unsigned bpf_code_jump(struct bpf_code *code)
{
    return bpf_code_jump_if(code, BPF_JA, 0, 0);
}

/* An offset counts from the instruction after the jump. */
static int16_t offset_of(unsigned jump, unsigned to)
{
    return (int16_t)((int)to - (int)jump - 1);
}

void bpf_code_land(struct bpf_code *code, unsigned jump)
{
    if (jump < BPF_CODE_MAX)
        code->at[jump].off = offset_of(jump, code->length);
}

unsigned bpf_code_here(const struct bpf_code *code)
{
    return code->length;
}

void bpf_code_back_if(struct bpf_code *code, uint8_t condition, uint8_t reg, int32_t value,
                      unsigned to)
{
    add(code, make(BPF_JMP | BPF_K | condition, reg, 0, offset_of(code->length, to), value));
}
