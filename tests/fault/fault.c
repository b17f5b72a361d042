/*
 * fault - a library to preload, which lets calls of a worker fail that hardly ever do.
 *
 *   LD_PRELOAD=build/fault.so DROVER_FAULT=recv:3:ECONNRESET build/drover serve
 *
 * A fault is FUNCTION:WHEN:WHAT.
 *   FUNCTION  one of the table below
 *   WHEN      N: the Nth call; *N: every Nth; %N: N of 100, the same ones in each run
 *   WHAT      an errno's name; SHORT: half of the bytes that were asked for, one at least;
 *             END: no bytes, as at an end of file
 *
 * DROVER_FAULT may also be the path of a file that is as long as a struct control: a test writes
 * there while the server runs, and reads how often the fault struck.
 *
 * Only workers have faults, and only from the first connection on: no other process accepts. A
 * close that fails has closed, as on Linux. With sanitizers, allocations never fail: these are
 * theirs (-DSANITIZED).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Shared by the test and all processes of the server. */
struct control {
    _Atomic uint32_t generation; /* the test counts up when it has written another fault */
    _Atomic uint32_t calls;      /* of the function since then */
    _Atomic uint32_t struck;     /* how many of them failed */
    char fault[52];              /* text, NUL-terminated; empty: none */
};

enum function {
    ACCEPT4,
    CALLOC,
    CLOSE,
    EPOLL_CTL,
    EPOLL_WAIT,
    FDOPENDIR,
    FSTAT,
    GETPEERNAME,
    GETSOCKNAME,
    MALLOC,
    OPEN,
    OPENAT2,
    PREAD,
    READ,
    READDIR,
    REALLOC,
    RECV,
    SEND,
    SENDFILE,
    SETSOCKOPT,
    SHUTDOWN,
    SOCKET,
    WRITE,
    FUNCTIONS,
};

static const char *const names[FUNCTIONS] = {
    [ACCEPT4] = "accept4",
    [CALLOC] = "calloc",
    [CLOSE] = "close",
    [EPOLL_CTL] = "epoll_ctl",
    [EPOLL_WAIT] = "epoll_wait",
    [FDOPENDIR] = "fdopendir",
    [FSTAT] = "fstat",
    [GETPEERNAME] = "getpeername",
    [GETSOCKNAME] = "getsockname",
    [MALLOC] = "malloc",
    [OPEN] = "open",
    [OPENAT2] = "openat2",
    [PREAD] = "pread",
    [READ] = "read",
    [READDIR] = "readdir",
    [REALLOC] = "realloc",
    [RECV] = "recv",
    [SEND] = "send",
    [SENDFILE] = "sendfile",
    [SETSOCKOPT] = "setsockopt",
    [SHUTDOWN] = "shutdown",
    [SOCKET] = "socket",
    [WRITE] = "write",
};

/* What a fault is, when it is no errno. */
#define SHORT (-1)
#define END   (-2)

static const struct {
    const char *name;
    int what;
} whats[] = {
    {"SHORT", SHORT},           {"END", END},
    {"EACCES", EACCES},         {"EAGAIN", EAGAIN},
    {"EBADF", EBADF},           {"ECONNABORTED", ECONNABORTED},
    {"ECONNRESET", ECONNRESET}, {"EINTR", EINTR},
    {"EINVAL", EINVAL},         {"EIO", EIO},
    {"ELOOP", ELOOP},           {"EMFILE", EMFILE},
    {"ENFILE", ENFILE},         {"ENOBUFS", ENOBUFS},
    {"ENOENT", ENOENT},         {"ENOMEM", ENOMEM},
    {"ENOSPC", ENOSPC},         {"ENOTCONN", ENOTCONN},
    {"EPERM", EPERM},           {"EPIPE", EPIPE},
    {"EPROTO", EPROTO},         {"ETIMEDOUT", ETIMEDOUT},
};

static struct control own; /* for a fault in the environment */
static struct control *control = &own;
static bool is_worker;

/* The fault as this process understands it. */
static uint32_t generation;
static enum function function = FUNCTIONS;
static char when;
static uint32_t number;
static int what;
static uint32_t seed;

/* ------------------------------------------------------------------------------- the fault */

static bool is_text(const char *text, const char *end, const char *wanted)
{
    size_t n = strlen(wanted);
    return (size_t)(end - text) == n && memcmp(text, wanted, n) == 0;
}

/* A fault that nobody understands ends the process: a test must not pass with it. */
static void understand(const char *text)
{
    const char *at = strchr(text, ':');
    function = FUNCTIONS;
    if (!*text)
        return;
    if (!at)
        abort();
    for (int i = 0; i < FUNCTIONS; i++)
        if (is_text(text, at, names[i]))
            function = (enum function)i;
    at++;
    when = *at == '*' || *at == '%' ? *at++ : ' ';
    char *end;
    number = (uint32_t)strtoul(at, &end, 10);
    what = 0;
    for (size_t i = 0; i < sizeof whats / sizeof *whats; i++)
        if (*end == ':' && strcmp(end + 1, whats[i].name) == 0)
            what = whats[i].what;
    if (function == FUNCTIONS || number == 0 || what == 0)
        abort();
    seed = 1;
}

static bool is_due(uint32_t call)
{
    if (when == ' ')
        return call == number;
    if (when == '*')
        return call % number == 0;
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % 100 < number;
}

/* Is it this call that fails? Then `what` says how. Allocates nothing, and keeps errno. */
static bool strikes(enum function called)
{
    int saved = errno;
    if (!is_worker)
        return false;
    if (control->generation != generation) {
        generation = control->generation;
        understand(control->fault);
    }
    errno = saved;
    if (called != function || !is_due(++control->calls))
        return false;
    control->struck++;
    if (what > 0)
        errno = what;
    return true;
}

/* For those that transfer bytes: the fault itself, or fewer bytes. Returns true when the call is
 * over, with -1 or 0 to be returned. */
static bool strikes_bytes(enum function called, size_t *size, ssize_t *result)
{
    if (!strikes(called))
        return false;
    *result = what == END ? 0 : -1;
    if (what == SHORT)
        *size = *size > 1 ? *size / 2 : *size;
    return what != SHORT;
}

__attribute__((constructor)) static void open_control(void)
{
    const char *text = getenv("DROVER_FAULT");
    if (!text)
        return;
    if (*text != '/') {
        strncpy(own.fault, text, sizeof own.fault - 1);
        own.generation = 1;
        return;
    }
    int fd = open(text, O_RDWR | O_CLOEXEC);
    void *p = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || p == MAP_FAILED)
        abort();
    close(fd);
    control = p;
}

/* The function that is called instead of this one. dlsym gives an object's pointer. */
#define NEXT(name)                 \
    static __typeof__(name) *next; \
    if (!next)                     \
    *(void **)&next = dlsym(RTLD_NEXT, #name)

/* -------------------------------------------------------------------------------- sockets */

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    NEXT(accept4);
    is_worker = true;
    return strikes(ACCEPT4) ? -1 : next(fd, address, length, flags);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
    ssize_t result;
    NEXT(recv);
    return strikes_bytes(RECV, &size, &result) ? result : next(fd, to, size, flags);
}

ssize_t send(int fd, const void *from, size_t size, int flags)
{
    ssize_t result;
    NEXT(send);
    return strikes_bytes(SEND, &size, &result) ? result : next(fd, from, size, flags);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t size)
{
    ssize_t result;
    NEXT(sendfile);
    return strikes_bytes(SENDFILE, &size, &result) ? result : next(to, from, offset, size);
}

int shutdown(int fd, int how)
{
    NEXT(shutdown);
    return strikes(SHUTDOWN) ? -1 : next(fd, how);
}

int socket(int domain, int type, int protocol)
{
    NEXT(socket);
    return strikes(SOCKET) ? -1 : next(domain, type, protocol);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    NEXT(setsockopt);
    return strikes(SETSOCKOPT) ? -1 : next(fd, level, name, value, length);
}

/* glibc declares the address as a transparent union, which typeof has no use for. */
static int name_of(const char *call, enum function called, int fd, void *address, socklen_t *length)
{
    int (*next)(int, void *, socklen_t *);
    *(void **)&next = dlsym(RTLD_NEXT, call);
    return strikes(called) ? -1 : next(fd, address, length);
}

int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return name_of("getpeername", GETPEERNAME, fd, address.__sockaddr__, length);
}

int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
    return name_of("getsockname", GETSOCKNAME, fd, address.__sockaddr__, length);
}

/* ----------------------------------------------------------------------------------- epoll */

int epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
    NEXT(epoll_ctl);
    return strikes(EPOLL_CTL) ? -1 : next(epoll, op, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
    NEXT(epoll_wait);
    return strikes(EPOLL_WAIT) ? -1 : next(epoll, events, room, timeout);
}

/* ----------------------------------------------------------------------------------- files */

/* Of what open(2) takes after its flags. */
static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    NEXT(open);
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return strikes(OPEN) ? -1 : next(path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    NEXT(openat);
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return strikes(OPEN) ? -1 : next(dir, path, flags, mode);
}

/* What fortified sources call where the flags are no constant. */
int __openat_2(int dir, const char *path, int flags);

int __openat_2(int dir, const char *path, int flags)
{
    return openat(dir, path, flags);
}

long syscall(long call, ...)
{
    NEXT(syscall);
    long a[6];
    va_list args;
    va_start(args, call);
    for (size_t i = 0; i < 6; i++)
        a[i] = va_arg(args, long); /* as glibc does: what was not passed is not looked at */
    va_end(args);
    if (call == SYS_openat2 && strikes(OPENAT2))
        return -1;
    return next(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int close(int fd)
{
    NEXT(close);
    int result = next(fd);
    return strikes(CLOSE) ? -1 : result;
}

int fstat(int fd, struct stat *st)
{
    NEXT(fstat);
    return strikes(FSTAT) ? -1 : next(fd, st);
}

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
    ssize_t result;
    NEXT(pread);
    return strikes_bytes(PREAD, &size, &result) ? result : next(fd, to, size, offset);
}

ssize_t read(int fd, void *to, size_t size)
{
    ssize_t result;
    NEXT(read);
    return strikes_bytes(READ, &size, &result) ? result : next(fd, to, size);
}

ssize_t write(int fd, const void *from, size_t size)
{
    ssize_t result;
    NEXT(write);
    return strikes_bytes(WRITE, &size, &result) ? result : next(fd, from, size);
}

DIR *fdopendir(int fd)
{
    NEXT(fdopendir);
    return strikes(FDOPENDIR) ? NULL : next(fd);
}

struct dirent *readdir(DIR *dir)
{
    NEXT(readdir);
    return strikes(READDIR) ? NULL : next(dir);
}

/* ---------------------------------------------------------------------------------- memory */

#ifndef SANITIZED

/* dlsym may allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return strikes(MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return strikes(CALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return strikes(REALLOC) ? NULL : __libc_realloc(old, size);
}

#endif
