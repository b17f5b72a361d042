#include "os/steer.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"

/* Members that follow one another. Every second index makes the most of them. */
#define RUNS_MAX (SLOTS_MAX / 2)

/* A search among n runs has n leaves of two instructions and n - 1 jumps; a random number and its
 * remainder stand before it. */
#define SEARCH_LENGTH(runs) (3 * (runs)-1)
#define PROGRAM_MAX         (2 + SEARCH_LENGTH(RUNS_MAX))

/* A jump passes over one half of the runs, and its offset has 8 bits. */
_Static_assert(SEARCH_LENGTH(RUNS_MAX / 2) <= UINT8_MAX,
               "a jump cannot pass over half of the runs");
_Static_assert(PROGRAM_MAX <= BPF_MAXINSNS, "the program is too long for the kernel");

/* The numbers from `start` to the next run's start are the members from `first` on. */
struct run {
    uint32_t start;
    uint32_t first;
};

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short length;
};

static void add(struct program *p, struct sock_filter instruction)
{
    p->code[p->length++] = instruction;
}

static int mark_members(const int *members, size_t count, bool marks[SLOTS_MAX])
{
    for (size_t i = 0; i < count; i++) {
        if (members[i] < 0 || members[i] >= SLOTS_MAX || marks[members[i]])
            return -1;
        marks[members[i]] = true;
    }
    return count > 0 ? 0 : -1;
}

static size_t find_runs(const bool marks[SLOTS_MAX], struct run runs[RUNS_MAX])
{
    size_t count = 0;
    uint32_t number = 0;
    for (uint32_t member = 0; member < SLOTS_MAX; member++) {
        if (!marks[member])
            continue;
        if (member == 0 || !marks[member - 1])
            runs[count++] = (struct run){.start = number, .first = member};
        number++;
    }
    return count;
}

static void add_leaf(struct program *p, const struct run *run)
{
    if (run->first != run->start)
        add(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, run->first - run->start));
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0));
}

/* A binary search: the jump goes to the upper half, and the lower one follows it. */
static void add_search(struct program *p, const struct run *runs, size_t count)
{
    if (count == 1) {
        add_leaf(p, runs);
        return;
    }
    size_t half = count / 2;
    unsigned short jump = p->length;
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, runs[half].start, 0, 0));
    add_search(p, runs, half);
    p->code[jump].jt = (uint8_t)(p->length - jump - 1);
    add_search(p, runs + half, count - half);
}

/* A random number and never the packet's hash: a device without one says 0 for every packet. */
static void build(struct program *p, const bool marks[SLOTS_MAX], uint32_t count)
{
    struct run runs[RUNS_MAX];
    size_t run_count = find_runs(marks, runs);
    uint32_t random = (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM);
    p->length = 0;
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, random));
    add(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, count));
    add_search(p, runs, run_count);
}

int steer_attach(int fd, const int *members, size_t count)
{
    bool marks[SLOTS_MAX] = {false};
    struct program program;
    if (mark_members(members, count, marks) < 0) {
        errno = EINVAL;
        return -1;
    }
    build(&program, marks, (uint32_t)count);
    struct sock_fprog whole;
    memset(&whole, 0, sizeof whole); /* the kernel is given its padding, too */
    whole.len = program.length;
    whole.filter = program.code;
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &whole, sizeof whole);
}

int steer_detach(int fd)
{
    int unused = 0; /* the kernel wants a value */
    if (setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &unused, sizeof unused) == 0)
        return 0;
    return errno == ENOENT ? 0 : -1;
}
