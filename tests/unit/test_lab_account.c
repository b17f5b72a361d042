#include "lab/kernel/account.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "lab/trial/session.h"

/* No process has it: PID_MAX_LIMIT is 2^22. */
#define NOBODY ((1 << 22) + 1)

static struct account read_own(void)
{
    struct account account;
    cr_assert_eq(account_read(getpid(), &account), 0);
    return account;
}

static struct account since(const struct account *before)
{
    struct account now = read_own();
    account_subtract(&now, before);
    return now;
}

Test(lab_account, sums_and_differences_by_hand)
{
    struct account sum = {1, 2, 3, 4, 5, 6, 7};
    static const struct account one = {10, 20, 30, 40, 50, 60, 70};
    account_add(&sum, &one);
    cr_expect(sum.voluntary == 11 && sum.involuntary == 22 && sum.cpu_ns == 33);
    cr_expect(sum.user_ticks == 44 && sum.system_ticks == 55 && sum.delay_ns == 66);
    cr_expect_eq(sum.resident, 77);
    account_subtract(&sum, &one);
    cr_expect(sum.voluntary == 1 && sum.involuntary == 2 && sum.cpu_ns == 3);
    cr_expect(sum.user_ticks == 4 && sum.system_ticks == 5 && sum.delay_ns == 6);
    cr_expect_eq(sum.resident, 77, "it is no count that grows");
}

/* Sleeping costs one voluntary switch each time, unless another took the CPU until the time was
 * over; reading /proc costs none. */
Test(lab_account, sleeps_are_counted)
{
    struct account before = read_own();
    cr_assert_eq(since(&before).voluntary, 0);
    for (int i = 0; i < 50; i++)
        usleep(200);
    struct account spent = since(&before);
    uint64_t slept = spent.voluntary;
    cr_expect(slept + spent.involuntary >= 50 && slept <= 52, "%llu", (unsigned long long)slept);
}

Test(lab_account, cpu_time_is_what_was_burnt)
{
    struct account before = read_own();
    session_burn(50000);
    struct account burnt = since(&before);
    cr_expect(burnt.cpu_ns >= 50000000, "%llu", (unsigned long long)burnt.cpu_ns);
    cr_expect(burnt.cpu_ns < 60000000, "%llu", (unsigned long long)burnt.cpu_ns);
    cr_expect(burnt.user_ticks + burnt.system_ticks >= 4 &&
              burnt.user_ticks + burnt.system_ticks <= 7);
    cr_expect(burnt.user_ticks > burnt.system_ticks);
}

struct napper {
    pthread_t thread;
    sem_t begun, over;
};

/* A sleep that is over before the thread has left its CPU is no switch: on a busy machine some. */
#define SLEEPS 30

static void *nap(void *context)
{
    struct napper *napper = context;
    session_burn(20000);
    for (int i = 0; i < 2 * SLEEPS; i++)
        usleep(200);
    sem_post(&napper->begun);
    sem_wait(&napper->over);
    return NULL;
}

static void begin(struct napper *napper)
{
    cr_assert_eq(sem_init(&napper->begun, 0, 0), 0);
    cr_assert_eq(sem_init(&napper->over, 0, 0), 0);
    cr_assert_eq(pthread_create(&napper->thread, NULL, nap, napper), 0);
    while (sem_wait(&napper->begun) < 0)
        cr_assert_eq(errno, EINTR);
}

static void end(struct napper *napper)
{
    sem_post(&napper->over);
    cr_assert_eq(pthread_join(napper->thread, NULL), 0);
}

/* The CPU time of a thread stays when it has ended, its switches do not. */
Test(lab_account, all_threads_are_summed)
{
    struct napper napper;
    struct account before = read_own();
    begin(&napper);
    struct account during = since(&before);
    cr_expect(during.voluntary >= SLEEPS, "%llu", (unsigned long long)during.voluntary);
    cr_expect(during.cpu_ns >= 20000000);
    end(&napper);
    struct account after = since(&before);
    cr_expect(after.voluntary < SLEEPS, "%llu", (unsigned long long)after.voluntary);
    cr_expect(after.cpu_ns >= 20000000);
}

static bool is_listed(pid_t tid, const pid_t *tids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tids[i] == tid)
            return true;
    return false;
}

/* The runner of the tests has threads of its own. */
Test(lab_account, threads_are_listed)
{
    struct napper napper;
    pid_t before[16], during[16] = {0};
    size_t count = account_threads(getpid(), before, 16);
    cr_assert(count >= 1 && count < 16);
    cr_expect(is_listed(getpid(), before, count));
    begin(&napper);
    cr_expect_eq(account_threads(getpid(), during, 1), count + 1, "not how many fit");
    cr_expect_eq(during[1], 0, "and no more than fit are written");
    cr_assert_eq(account_threads(getpid(), during, 16), count + 1);
    size_t known = 0;
    for (size_t i = 0; i < count + 1; i++)
        known += is_listed(during[i], before, count);
    cr_expect_eq(known, count);
    end(&napper);
}

Test(lab_account, resident_memory_grows_with_what_is_written_to)
{
    static char memory[8 << 20];
    struct account before = read_own();
    for (size_t i = 0; i < sizeof memory; i += 1024)
        ((volatile char *)memory)[i] = 1;
    struct account after = read_own();
    cr_expect(after.resident - before.resident >= (7 << 20));
    cr_expect(after.resident - before.resident <= (10 << 20));
}

Test(lab_account, nobody)
{
    struct account account;
    errno = 0;
    cr_expect_eq(account_read(NOBODY, &account), -1);
    cr_expect_eq(errno, ESRCH);
    cr_expect_eq(account_threads(NOBODY, NULL, 0), 0);
    cr_expect(account_is_asleep(NOBODY), "who has ended will not be woken");
}

Test(lab_account, who_runs_does_not_settle)
{
    pid_t self = getpid();
    cr_expect_not(account_is_asleep(self));
    cr_expect_not(account_settle(&self, 1, 5));
}

Test(lab_account, gaps_are_passed_over)
{
    static const pid_t gaps[] = {0, -1, NOBODY, 0};
    cr_expect(account_settle(gaps, 4, 1000));
    cr_expect(account_settle(gaps, 0, 1000));
}
