#include "lab/kernel/bpf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bytes of the verifier's account of a program: some 60 for each instruction that it walked. */
#define LOG_SIZE (64 * 1024)

/* Both kinds of descriptor are close-on-exec by themselves. */
static int call(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

int bpf_map_open(size_t size)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr); /* the kernel wants what it does not know to be zero */
    attr.map_type = BPF_MAP_TYPE_ARRAY;
    attr.key_size = sizeof(uint32_t);
    attr.value_size = (uint32_t)size;
    attr.max_entries = 1;
    attr.map_flags = BPF_F_MMAPABLE;
    return call(BPF_MAP_CREATE, &attr);
}

void *bpf_map_memory(int map, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
    return at == MAP_FAILED ? NULL : at;
}

void bpf_map_forget(void *memory, size_t size)
{
    if (memory)
        munmap(memory, size);
}

static uint64_t address(const void *at)
{
    return (uint64_t)(uintptr_t)at;
}

static int load(const struct bpf_code *code, char *log, size_t size)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attr.insns = address(code->at);
    attr.insn_cnt = code->length;
    attr.license = address("MIT"); /* no helper that is for the GPL alone */
    attr.log_level = log ? 1 : 0;
    attr.log_buf = address(log);
    attr.log_size = (uint32_t)size;
    return call(BPF_PROG_LOAD, &attr);
}

/* The verifier's last line but for its statistics is what it has to say. */
static void keep_verdict(const char *log, char *words, size_t size)
{
    const char *line = log;
    const char *verdict = log;
    while (line && *line && strncmp(line, "processed ", sizeof "processed " - 1) != 0) {
        verdict = line;
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    snprintf(words, size, "%.*s", (int)strcspn(verdict, "\n"), verdict);
}

int bpf_program_load(const struct bpf_code *code, char *words, size_t size)
{
    static char log[LOG_SIZE];
    snprintf(words, size, "%s", "");
    if (code->length > BPF_CODE_MAX) {
        errno = E2BIG;
        return -1;
    }
    int program = load(code, NULL, 0);
    if (program >= 0 || (errno != EACCES && errno != EINVAL && errno != E2BIG))
        return program;
    /* Again, for its reasons: a log that does not fit would be an error of its own. */
    int error = errno;
    log[0] = '\0';
    program = load(code, log, sizeof log);
    if (program >= 0)
        return program;
    keep_verdict(log, words, size);
    errno = error;
    return -1;
}

int bpf_program_steer(int program, int listener)
{
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof program);
}

static const char *words_of(int error)
{
    switch (error) {
    case EPERM: return "bpf(2) is not permitted (CAP_BPF, kernel.unprivileged_bpf_disabled)";
    case ENOSYS: return "this kernel has no bpf(2)";
    default: return "bpf(2) maps that can be mapped need Linux 5.5";
    }
}

static int try_program(int map)
{
    char words[128];
    struct bpf_code code = {.length = 0};
    bpf_code_map_value(&code, BPF_REG_1, map);
    bpf_code_set(&code, BPF_REG_0, 0);
    bpf_code_exit(&code);
    int program = bpf_program_load(&code, words, sizeof words);
    if (program < 0)
        return -1;
    close(program);
    return 0;
}

const char *bpf_lacks(void)
{
    int map = bpf_map_open(sizeof(uint64_t));
    if (map < 0)
        return words_of(errno);
    int result = try_program(map);
    int error = errno;
    close(map);
    return result < 0 ? words_of(error) : NULL;
}
