/*
 * bpf_code - a program for the kernel's virtual machine (bpf(2)), put together an instruction at a
 * time. Pure: what it means is the verifier's to say (bpf.h).
 *
 * Registers are BPF_REG_0 to BPF_REG_9 of <linux/bpf.h>, 64 bits each. A call puts its result into
 * BPF_REG_0 and spoils BPF_REG_1 to BPF_REG_5; the program's result is BPF_REG_0.
 */
#ifndef DROVER_LAB_KERNEL_BPF_CODE_H
#define DROVER_LAB_KERNEL_BPF_CODE_H

#include <linux/bpf.h>
#include <stdint.h>

/* Instructions at most; what comes after them makes the program one that cannot be loaded. */
#define BPF_CODE_MAX 128

/* Zeroed: no instruction. */
struct bpf_code {
    struct bpf_insn at[BPF_CODE_MAX];
    unsigned length; /* above BPF_CODE_MAX: it did not fit */
};

/* to = value, sign-extended; to = from. */
void bpf_code_set(struct bpf_code *code, uint8_t to, int32_t value);
void bpf_code_move(struct bpf_code *code, uint8_t to, uint8_t from);

/* to = to OPERATION value, or a register's; operation: BPF_ADD, BPF_SUB, BPF_LSH, BPF_MOD ... */
void bpf_code_compute(struct bpf_code *code, uint8_t operation, uint8_t to, int32_t value);
void bpf_code_compute_by(struct bpf_code *code, uint8_t operation, uint8_t to, uint8_t by);

/* to = what is at base + offset; width: BPF_B, BPF_H, BPF_W or BPF_DW. */
void bpf_code_load(struct bpf_code *code, uint8_t width, uint8_t to, uint8_t base, int16_t offset);

/* to = the address of an array map's first value (BPF_PSEUDO_MAP_VALUE, Linux 5.2). */
void bpf_code_map_value(struct bpf_code *code, uint8_t to, int map);

/* One of enum bpf_func_id. */
void bpf_code_call(struct bpf_code *code, int32_t helper);
void bpf_code_exit(struct bpf_code *code);

/*
 * Jumps forward, when register CONDITION value holds (BPF_JEQ, BPF_JNE, BPF_JLT, BPF_JGE ...;
 * unsigned), or another register's value, or always. Returns the jump, that bpf_code_land() is to
 * be told at the place where it goes to.
 */
unsigned bpf_code_jump_if(struct bpf_code *code, uint8_t condition, uint8_t reg, int32_t value);
unsigned bpf_code_jump_if_by(struct bpf_code *code, uint8_t condition, uint8_t reg, uint8_t by);
unsigned bpf_code_jump(struct bpf_code *code);
void bpf_code_land(struct bpf_code *code, unsigned jump);

/* A place to jump back to, and the jump: loops must be such that the verifier sees their end
 * (Linux 5.3). */
unsigned bpf_code_here(const struct bpf_code *code);
void bpf_code_back_if(struct bpf_code *code, uint8_t condition, uint8_t reg, int32_t value,
                      unsigned to);

#endif
