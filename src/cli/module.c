#include "cli/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#ifdef DROVER_STATIC

int module_load(const char *path, const struct drover_app **app, char *why, size_t why_size)
{
    *app = NULL;
    snprintf(why, why_size,
             "--app %.200s: this drover is linked statically and cannot load modules; use one that "
             "is not, or link the application with libdrover.a",
             path);
    return EX_CONFIG;
}

bool module_has_changed(const char *path, const struct drover_app *app)
{
    (void)path, (void)app;
    return false;
}

#else

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------- those there are
 */

/* Which file each was when it was loaded; they stay as long as the process. */
static struct loaded {
    const struct drover_app *app;
    struct stat st;
    struct loaded *next;
} * all_loaded;

static const struct loaded *find_loaded(const struct drover_app *app)
{
    const struct loaded *one = all_loaded;
    while (one && one->app != app)
        one = one->next;
    return one;
}

/* Without memory for it, its change is not noticed, which is all that is lost. */
static void note_loaded(const struct drover_app *app, const struct stat *st)
{
    struct loaded *one = find_loaded(app) ? NULL : malloc(sizeof *one);
    if (!one)
        return;
    *one = (struct loaded){.app = app, .st = *st, .next = all_loaded};
    all_loaded = one;
}

/* Not by its time of change, which another name or owner renews. */
static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool module_has_changed(const char *path, const struct drover_app *app)
{
    const struct loaded *one = find_loaded(app);
    struct stat st;
    return one && stat(path, &st) == 0 && !is_same(&one->st, &st);
}

/* ---------------------------------------------------------------------------------- the loading */

static int check_file(const char *path, struct stat *st, char *why, size_t why_size)
{
    if (stat(path, st) < 0) {
        int cause = errno;
        snprintf(why, why_size, "--app %.200s: %s", path, strerror(cause));
        return cause == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (S_ISREG(st->st_mode))
        return 0;
    snprintf(why, why_size, "--app %.200s: is not a file; a module is a shared object", path);
    return EX_NOINPUT;
}

/* The linker's words, which often start with the path. */
static int refuse_load(const char *path, char *why, size_t why_size)
{
    static const char undefined[] = "undefined symbol: ";
    const char *words = dlerror();
    size_t n = strlen(path);
    if (!words)
        words = "no reason given";
    if (strncmp(words, path, n) == 0 && strncmp(words + n, ": ", 2) == 0)
        words += n + 2;
    if (strstr(words, "position-independent executable"))
        snprintf(
            why, why_size,
            "--app %.200s: is a program, to be started itself; a module is linked with -shared",
            path);
    else if (strncmp(words, undefined, sizeof undefined - 1) == 0)
        snprintf(why, why_size,
                 "--app %.200s: needs %.100s, which neither it nor its libraries nor drover has",
                 path, words + sizeof undefined - 1);
    else
        snprintf(why, why_size, "--app %.200s: cannot be loaded as a module: %.250s", path, words);
    return EX_CONFIG;
}

static int refuse_abi(const char *path, unsigned abi, char *why, size_t why_size)
{
    snprintf(why, why_size,
             "--app %.200s: was built for drover ABI %u, and this is ABI %u: build it anew", path,
             abi, (unsigned)DROVER_ABI);
    return EX_CONFIG;
}

/* The ABI comes first: the struct of another one is not to be looked at. */
static int take_app(const char *path, void *module, const struct drover_app **app, char *why,
                    size_t why_size)
{
    const unsigned *abi = dlsym(module, "drover_module_abi");
    if (abi && *abi != DROVER_ABI)
        return refuse_abi(path, *abi, why, why_size);
    const struct drover_app *const *found = dlsym(module, "drover_module_app");
    if (abi && found && *found) {
        *app = *found;
        return 0;
    }
    snprintf(why, why_size,
             "--app %.200s: is no module of drover: it lacks DROVER_MODULE(app), see drover.h",
             path);
    return EX_CONFIG;
}

int module_load(const char *path, const struct drover_app **app, char *why, size_t why_size)
{
    struct stat st;
    int status = check_file(path, &st, why, why_size);
    if (status)
        return status;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return refuse_load(path, why, why_size);
    status = take_app(path, module, app, why, why_size);
    if (status)
        dlclose(module);
    else
        note_loaded(*app, &st);
    return status;
}

#endif
