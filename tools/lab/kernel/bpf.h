/*
 * bpf - memory that a program in the kernel shares with processes, and such programs, by raw bpf(2)
 * system calls.
 */
#ifndef DROVER_LAB_KERNEL_BPF_H
#define DROVER_LAB_KERNEL_BPF_H

#include <stddef.h>

#include "lab/kernel/bpf_code.h"

/* Why it cannot be had here, in static words; NULL: it can. */
const char *bpf_lacks(void);

/*
 * An array map of one value of `size` bytes, zeroed, which may be mapped (BPF_F_MMAPABLE, Linux
 * 5.5). Returns a close-on-exec descriptor, or -1 with errno set. Programs and mappings keep the
 * map, so it may be closed once these are there.
 */
int bpf_map_open(size_t size);

/* The value of such a map, shared with children. NULL with errno set. */
void *bpf_map_memory(int map, size_t size);
void bpf_map_forget(void *memory, size_t size);

/*
 * Loads a program of the type that a socket runs for a packet (BPF_PROG_TYPE_SOCKET_FILTER); in a
 * SO_REUSEPORT group its result is the index of the member that gets the connection. Returns a
 * close-on-exec descriptor, or -1 with errno set: E2BIG when the code did not fit. Of a program
 * that the verifier refuses (EACCES, EINVAL, E2BIG) its last words are in `words`.
 */
int bpf_program_load(const struct bpf_code *code, char *words, size_t size);

/* From here on the program chooses the members of this listener's group (socket(7)). The group
 * keeps it. Returns 0, or -1 with errno set: EINVAL when the group has this one socket alone. */
int bpf_program_steer(int program, int listener);

#endif
