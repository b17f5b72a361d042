/*
 * reuseport-load: as reuseport, but an EBPF program chooses, by what the workers say of themselves:
 * of two members that it draws at random it takes the one that holds fewer connections
 * (SO_ATTACH_REUSEPORT_EBPF; "the power of two choices").
 *
 * The workers write into an array that is mapped into them and into the program: how many
 * connections each holds, and since when it has been working. The program passes over who was
 * marked as stalled by the supervisor, and who has been at it for too long. When both that were
 * drawn are stalled it looks for anybody who is not; when there is none, its answer is out of
 * range, and the kernel's hash decides.
 *
 * The trap: a worker that is stopped while it sleeps holds no connection and works on none: to this
 * program it looks like the best, until the supervisor marks it. And connections that wait in an
 * accept queue are not among those that a worker holds.
 *
 * socket(7), bpf(2), bpf-helpers(7).
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "lab/kernel/bpf.h"
#include "lab/strategies/own_epoll.h"
#include "lab/strategies/strategies.h"

/* Nanoseconds of work without a look at the listener from which on a worker is passed over: twenty
 * requests of 500 us in one turn are no stall yet. */
#define PATIENCE_NS 10000000

/* A row a worker, and no two in one cache line. The program knows it by its offsets. */
struct row {
    _Alignas(64) _Atomic uint64_t working_since; /* CLOCK_MONOTONIC, ns; 0: it sleeps */
    _Atomic uint32_t open;                       /* connections */
    _Atomic uint32_t is_stalled;                 /* the supervisor's */
};
#define ROW_SHIFT 6
_Static_assert(sizeof(struct row) == 1 << ROW_SHIFT, "the program shifts by that");

#define TABLE_SIZE (LAB_WORKERS_MAX * sizeof(struct row))

/* ------------------------------------------------------------------------------- the program */

/* What the registers hold throughout. */
#define TABLE    BPF_REG_8 /* the rows */
#define DEADLINE BPF_REG_9 /* who began to work before that has stalled */
#define FIRST    BPF_REG_6 /* an index */
#define SECOND   BPF_REG_7 /* an index, then what is left to be tried */
/* And between two calls. */
#define LOAD       BPF_REG_3 /* of the first */
#define OTHER_LOAD BPF_REG_4

/* A load above all others. */
#define STALLED (-1)

/* A random number from 0 to below - 1. */
static void draw(struct bpf_code *code, uint8_t to, unsigned below)
{
    bpf_code_call(code, BPF_FUNC_get_prandom_u32);
    bpf_code_compute(code, BPF_MOD, BPF_REG_0, (int32_t)below);
    bpf_code_move(code, to, BPF_REG_0);
}

/* load = what the row at this index says. Returns a jump that is taken if there is no such row. */
static unsigned read_load(struct bpf_code *code, uint8_t load, uint8_t index, unsigned n)
{
    unsigned none = bpf_code_jump_if(code, BPF_JGE, index, (int32_t)n);
    bpf_code_move(code, BPF_REG_1, index);
    bpf_code_compute(code, BPF_LSH, BPF_REG_1, ROW_SHIFT);
    bpf_code_compute_by(code, BPF_ADD, BPF_REG_1, TABLE);
    bpf_code_set(code, load, STALLED);
    bpf_code_load(code, BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct row, is_stalled));
    unsigned is_stalled = bpf_code_jump_if(code, BPF_JNE, BPF_REG_2, 0);
    bpf_code_load(code, BPF_DW, BPF_REG_2, BPF_REG_1, offsetof(struct row, working_since));
    unsigned sleeps = bpf_code_jump_if(code, BPF_JEQ, BPF_REG_2, 0);
    unsigned hangs = bpf_code_jump_if_by(code, BPF_JLT, BPF_REG_2, DEADLINE);
    bpf_code_land(code, sleeps);
    bpf_code_load(code, BPF_W, load, BPF_REG_1, offsetof(struct row, open));
    bpf_code_land(code, is_stalled);
    bpf_code_land(code, hangs);
    return none;
}

static void answer_with(struct bpf_code *code, uint8_t index)
{
    bpf_code_move(code, BPF_REG_0, index);
    bpf_code_exit(code);
}

/* The better of the two; goes on when both have stalled. Returns the jumps for indexes that are out
 * of range, which the verifier believes in. */
static void choose_of_two(struct bpf_code *code, unsigned n, unsigned none[2])
{
    none[0] = read_load(code, LOAD, FIRST, n);
    none[1] = read_load(code, OTHER_LOAD, SECOND, n);
    unsigned first_is_better = bpf_code_jump_if_by(code, BPF_JLE, LOAD, OTHER_LOAD);
    answer_with(code, SECOND);
    bpf_code_land(code, first_is_better);
    unsigned both_stalled = bpf_code_jump_if(code, BPF_JEQ, LOAD, STALLED);
    answer_with(code, FIRST);
    bpf_code_land(code, both_stalled);
}

/* From the first one on, each of the n once. */
static void choose_of_all(struct bpf_code *code, unsigned n, unsigned *none)
{
    bpf_code_set(code, SECOND, (int32_t)n);
    unsigned again = bpf_code_here(code);
    bpf_code_compute(code, BPF_ADD, FIRST, 1);
    bpf_code_compute(code, BPF_MOD, FIRST,
                     (int32_t)n); /* no branch: the verifier walks all of them */
    *none = read_load(code, LOAD, FIRST, n);
    unsigned is_stalled = bpf_code_jump_if(code, BPF_JEQ, LOAD, STALLED);
    answer_with(code, FIRST);
    bpf_code_land(code, is_stalled);
    bpf_code_compute(code, BPF_SUB, SECOND, 1);
    bpf_code_back_if(code, BPF_JNE, SECOND, 0, again);
}

static void build(struct bpf_code *code, int map, unsigned n)
{
    unsigned none[3];
    bpf_code_map_value(code, TABLE, map);
    bpf_code_call(code, BPF_FUNC_ktime_get_ns);
    bpf_code_move(code, DEADLINE, BPF_REG_0);
    bpf_code_compute(code, BPF_SUB, DEADLINE, PATIENCE_NS);
    draw(code, FIRST, n);
    draw(code, SECOND, n - 1); /* another one: the first, and one to n - 1 steps on */
    bpf_code_compute_by(code, BPF_ADD, SECOND, FIRST);
    bpf_code_compute(code, BPF_ADD, SECOND, 1);
    bpf_code_compute(code, BPF_MOD, SECOND, (int32_t)n);
    choose_of_two(code, n, none);
    choose_of_all(code, n, &none[2]);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        bpf_code_land(code, none[i]);
    bpf_code_set(code, BPF_REG_0, -1); /* out of range */
    bpf_code_exit(code);
}

/* ---------------------------------------------------------------------------- the supervisor */

static struct row *row_at(const struct arena *arena, unsigned slot)
{
    struct row *rows = arena->shared;
    return &rows[slot];
}

/* One socket is no group: there is nothing to choose. */
static int attach(struct arena *arena, int map)
{
    struct bpf_code code = {.length = 0};
    if (arena->workers < 2)
        return 0;
    build(&code, map, arena->workers);
    int program = bpf_program_load(&code, arena->words, sizeof arena->words);
    if (program < 0)
        return -1;
    int result = bpf_program_steer(program, arena->doors[0]);
    int error = errno;
    close(program);
    errno = error;
    return result;
}

static int prepare(struct arena *arena)
{
    int map = bpf_map_open(TABLE_SIZE);
    if (map < 0)
        return -1;
    arena->shared = bpf_map_memory(map, TABLE_SIZE);
    int result = arena->shared ? attach(arena, map) : -1;
    int error = errno;
    close(map);
    errno = error;
    return result;
}

static void release(struct arena *arena)
{
    bpf_map_forget(arena->shared, TABLE_SIZE);
}

static void on_stall(struct arena *arena, unsigned slot, bool is_stalled)
{
    atomic_store(&row_at(arena, slot)->is_stalled, is_stalled);
}

static void on_end(struct arena *arena, unsigned slot)
{
    on_stall(arena, slot, true);
}

/* ------------------------------------------------------------------------------- the workers */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* as bpf_ktime_get_ns() is; it cannot fail */
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void publish(struct lab_worker *worker, uint64_t working_since)
{
    struct row *row = row_at(worker->arena, worker->slot);
    uint64_t open = atomic_load_explicit(&worker->tally->open, memory_order_relaxed);
    atomic_store_explicit(&row->open, (uint32_t)open, memory_order_release);
    atomic_store_explicit(&row->working_since, working_since, memory_order_release);
}

static int take(struct lab_worker *worker)
{
    int taken = lab_worker_take(worker, worker->door);
    publish(worker, now_ns());
    return taken;
}

static int open_own(struct lab_worker *worker)
{
    publish(worker, 0);
    on_stall(worker->arena, worker->slot, false);
    if (own_epoll_open(worker, worker->door, take) < 0)
        return -1;
    return own_epoll_add(worker, EPOLLIN);
}

static void run(struct lab_worker *worker)
{
    lab_worker_ready(worker->tally);
    for (;;) {
        int count = own_epoll_wait(worker, -1);
        if (count < 0)
            return;
        publish(worker, now_ns());
        if (own_epoll_serve(worker, count) < 0)
            return;
        publish(worker, 0);
    }
}

const struct strategy strategy_reuseport_load = {
    .name = "reuseport-load",
    .teaches = "an EBPF program takes the better of two by the load that the workers publish, and "
               "passes over who hangs",
    .doors = DOORS_OWN,
    .lacks = bpf_lacks,
    .prepare = prepare,
    .open = open_own,
    .run = run,
    .watch = own_epoll_watch,
    .on_stall = on_stall,
    .on_end = on_end,
    .release = release,
};
