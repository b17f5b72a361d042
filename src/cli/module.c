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

#else

#include <dlfcn.h>
#include <sys/stat.h>

static int check_file(const char *path, char *why, size_t why_size)
{
    struct stat st;
    if (stat(path, &st) < 0) {
        int cause = errno;
        snprintf(why, why_size, "--app %.200s: %s", path, strerror(cause));
        return cause == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (S_ISREG(st.st_mode))
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
    int status = check_file(path, why, why_size);
    if (status)
        return status;
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return refuse_load(path, why, why_size);
    status = take_app(path, module, app, why, why_size);
    if (status)
        dlclose(module);
    return status;
}

#endif
