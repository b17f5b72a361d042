/* holds - an application for HTTP whose workers hold what may outlive them: a descriptor from
 * before the fork, a record lock on its file, a robust mutex that all share.
 * tests/system/heritage.bats drives it.
 *
 *   /who      the worker's pid
 *   /move     closes the descriptor, opens its file at a high number, and says the number before
 *   /note     writes a line to the descriptor, and says how that went
 *   /lock     locks the file, and ends
 *   /enter    locks the mutex, and ends
 *   /try      whether the mutex can be locked
 */
#define _GNU_SOURCE
#include "app.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static int file;               /* that HOLDS_FILE names */
static pthread_mutex_t *mutex; /* all processes' */

static void who(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%d\n", (int)getpid());
}

static int open_file(void)
{
    const char *path = getenv("HOLDS_FILE");
    return path ? open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
}

/* As a library that opens its log anew. */
static void move(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    int before = file;
    int next = open_file();
    file = fcntl(next, F_DUPFD_CLOEXEC, 100);
    close(next);
    close(before);
    say(r, "%d\n", before);
}

static void note(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s\n", write(file, "noted\n", 6) == 6 ? "written" : strerror(errno));
}

static void lock(const struct drover_request *q, struct drover_response *r)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)q, (void)r;
    if (fcntl(file, F_SETLK, &all) == 0)
        kill(getpid(), SIGKILL);
    say(r, "%s\n", strerror(errno));
}

/* Whoever was in it has ended, and left nothing half done. */
static const char *enter_for(int milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += milliseconds % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    int cause = pthread_mutex_timedlock(mutex, &until);
    if (cause == EOWNERDEAD)
        pthread_mutex_consistent(mutex);
    return cause == 0 ? "free" : cause == EOWNERDEAD ? "left behind" : strerror(cause);
}

static void enter(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s\n", enter_for(1000));
    kill(getpid(), SIGKILL);
}

static void try_to_enter(const struct drover_request *q, struct drover_response *r)
{
    (void)q;
    say(r, "%s\n", enter_for(1000));
    pthread_mutex_unlock(mutex);
}

static const struct path paths[] = {{"who", who},
                                    {"move", move},
                                    {"note", note},
                                    {"lock", lock},
                                    {"enter", enter},
                                    {"try", try_to_enter},
                                    {0}};

static void handle(void *context, const struct drover_request *q, struct drover_response *r)
{
    (void)context;
    answer_path(paths, q, r);
}

static int before_fork(void *context, char why[DROVER_WHY_SIZE])
{
    pthread_mutexattr_t robust;
    (void)context;
    file = open_file();
    mutex = mmap(NULL, sizeof *mutex, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (file < 0 || mutex == MAP_FAILED) {
        snprintf(why, DROVER_WHY_SIZE, "%s", strerror(errno));
        return EX_OSERR;
    }
    pthread_mutexattr_init(&robust);
    pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(mutex, &robust);
    return 0;
}

static const struct drover_app app = {
    .name = "holds", .before_fork = before_fork, .handle = handle};
DROVER_MAIN(app)
