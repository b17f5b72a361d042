#include "worker/desk.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/board.h"

/* ------------------------------------------------------------------------------ the memory */

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, size, MADV_DONTDUMP); /* a core would have all of it, and touch each page for that */
    return p;
}

int desks_open(struct desks *desks, bool proxied)
{
    if (!desks->of)
        desks->of = map(BOARD_ROWS * sizeof *desks->of);
    if (desks->of && proxied && !desks->clients)
        desks->clients = map(BOARD_ROWS * sizeof *desks->clients);
    return desks->of && (!proxied || desks->clients) ? 0 : -1;
}

void desks_close(struct desks *desks)
{
    if (desks->of)
        munmap(desks->of, BOARD_ROWS * sizeof *desks->of);
    if (desks->clients)
        munmap(desks->clients, BOARD_ROWS * sizeof *desks->clients);
    *desks = (struct desks){0};
}

/* What a worker wrote there is not trusted. */
static uint32_t top_of(const struct desk *desk)
{
    uint32_t top = __atomic_load_n(&desk->top, __ATOMIC_ACQUIRE);
    return top < DESK_FDS_MAX ? top : DESK_FDS_MAX;
}

void desk_clear(struct desk *desk)
{
    memset(desk->custody, CUSTODY_NONE, top_of(desk));
    desk->top = desk->held_count = 0;
    desk->request = 0;
    desk->line[0] = '\0';
    __atomic_store_n(&desk->tenure, desk_word(desk_round(desk) + 1, TENURE_OWN), __ATOMIC_RELEASE);
}

/* ------------------------------------------------------------------------------ the worker */

void desk_begin(struct desk *desk, int fd)
{
    if (fd >= DESK_FDS_MAX)
        return;
    if ((uint32_t)fd >= desk->top)
        __atomic_store_n(&desk->top, (uint32_t)fd + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&desk->custody[fd], CUSTODY_BUSY, __ATOMIC_RELEASE);
}

/* Who is killed in between was at none. */
void desk_note_line(struct desk *desk, const char *head, size_t length)
{
    desk_note_none(desk);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    length = length < DESK_LINE_MAX ? length : DESK_LINE_MAX;
    memcpy(desk->line, head, length);
    __atomic_store_n(&desk->request, (uint64_t)DESK_READ_SIZE << 32 | length, __ATOMIC_RELEASE);
}

/* The standby takes no more once tenure is RETURNED. */
static void reclaim(struct desk *desk)
{
    for (uint32_t fd = 0; fd < top_of(desk); fd++)
        if (desk->custody[fd] & CUSTODY_TAKEN)
            __atomic_store_n(&desk->custody[fd], (uint8_t)(desk->custody[fd] & ~CUSTODY_TAKEN),
                             __ATOMIC_RELEASE);
}

/* So that who had it before knows that it was gone meanwhile. */
static void begin_round(struct desk *desk)
{
    uint32_t round = desk_round(desk);
    uint32_t was = desk_word(round, TENURE_RETURNED);
    __atomic_compare_exchange_n(&desk->tenure, &was, desk_word(round + 1, TENURE_OWN), false,
                                __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* The standby says how it ends, or the master where the standby does not: in a second at most. */
bool desk_settle(struct desk *desk)
{
    for (;;) {
        switch (desk_tenure(desk)) {
        case TENURE_OWN: return true;
        case TENURE_PASSING: poll(NULL, 0, 1); break;
        case TENURE_RETURNED:
            reclaim(desk);
            begin_round(desk);
            return true;
        case TENURE_PASSED: return false;
        }
    }
}

bool desk_claim_late(struct desk *desk, int fd)
{
    while (desk_settle(desk))
        if (desk_claim_now(desk, fd))
            return true;
    return false;
}

/* ----------------------------------------------------------- the standby and the successor */

uint32_t desk_round(const struct desk *desk)
{
    return __atomic_load_n(&desk->tenure, __ATOMIC_ACQUIRE) >> 2;
}

bool desk_step_in(struct desk *desk, uint32_t round, enum tenure from, enum tenure to)
{
    uint32_t was = desk_word(round, from);
    return __atomic_compare_exchange_n(&desk->tenure, &was, desk_word(round, to), false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

bool desk_step(struct desk *desk, enum tenure from, enum tenure to)
{
    return desk_step_in(desk, desk_round(desk), from, to);
}

static bool is_resting(uint8_t state)
{
    return state == CUSTODY_FRESH || state == CUSTODY_KEPT || state == CUSTODY_GREETING ||
           state == CUSTODY_HELD;
}

static bool take_one(uint8_t *byte)
{
    uint8_t state = __atomic_load_n(byte, __ATOMIC_ACQUIRE);
    while (is_resting(state))
        if (__atomic_compare_exchange_n(byte, &state, (uint8_t)(state | CUSTODY_TAKEN), false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

int desk_take(struct desk *desk)
{
    int count = 0;
    for (uint32_t fd = 0; fd < top_of(desk); fd++)
        count += take_one(&desk->custody[fd]);
    return count;
}

bool desk_held_request(const struct desk *desk, int fd, const char **bytes, size_t *length)
{
    uint32_t count = __atomic_load_n(&desk->held_count, __ATOMIC_ACQUIRE);
    count = count < UNSENT_MAX ? count : UNSENT_MAX;
    while (count > 0) { /* the last first: the number may have been another's before */
        struct desk_held held = desk->held[--count];
        uint64_t offset = held.request >> 32;
        *length = (uint32_t)held.request;
        *bytes = desk->read + offset;
        if (held.fd == (uint32_t)fd && *length > 0 && offset + *length <= DESK_HELD_MAX)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------------------ the master */

void desk_count(const struct desk *desk, int *resting, int *lasting)
{
    *resting = *lasting = 0;
    for (uint32_t fd = 0; fd < top_of(desk); fd++) {
        uint8_t state = __atomic_load_n(&desk->custody[fd], __ATOMIC_RELAXED);
        *resting += is_resting(state);
        *lasting += state == CUSTODY_LASTING;
    }
}

/* A byte that somebody may write to is read once. */
static char byte_of(const char *from)
{
    return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static bool is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

void desk_request(const struct desk *desk, char *text, size_t size)
{
    uint64_t request = __atomic_load_n(&desk->request, __ATOMIC_ACQUIRE);
    size_t offset = (size_t)(request >> 32);
    size_t length = (size_t)(request & UINT32_MAX);
    const char *from = desk->line;
    if (offset >= DESK_READ_SIZE) {
        length = length < DESK_LINE_MAX ? length : DESK_LINE_MAX;
    } else {
        from = desk->read + offset;
        length = length < DESK_READ_SIZE - offset ? length : DESK_READ_SIZE - offset;
    }
    while (length > 0 && is_line_end(byte_of(from))) { /* RFC 9112, 2.2 allows an empty line */
        from++;
        length--;
    }
    size_t n = 0;
    for (char c; n < length && n + 1 < size && !is_line_end(c = byte_of(from + n)); n++)
        text[n] = c >= ' ' && c <= '~' ? c : '?';
    if (size > 0)
        text[n] = '\0';
}
