#include "cli/apps.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/module.h"
#include "config/nearest.h"
#include "config/options.h"
#include "handlers/echo.h"
#include "handlers/hello.h"
#include "handlers/status.h"
#include "handlers/tcp_echo.h"

static const struct builtin {
    const char *name;
    const struct drover_app *app; /* NULL: the caller has it */
} builtins[] = {
    {"static", NULL},        {"echo", &echo_app},
    {"hello", &hello_app},   {"tcp-echo", &tcp_echo_app},
    {"status", &status_app},
};

#define BUILTIN_COUNT (sizeof builtins / sizeof *builtins)

static int unknown(const char *name, char *why, size_t why_size)
{
    const char *names[BUILTIN_COUNT];
    char all[128];
    size_t used = 0;
    for (size_t i = 0; i < BUILTIN_COUNT; i++) {
        names[i] = builtins[i].name;
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "",
                                 names[i]);
    }
    const char *nearest = nearest_name(name, names, BUILTIN_COUNT);
    if (access(name, F_OK) == 0)
        snprintf(why, why_size,
                 "--app %.100s: the path of a module has a slash in it: --app ./%.100s", name,
                 name);
    else if (nearest)
        snprintf(why, why_size,
                 "--app %.100s: there is no such application; did you mean %s? There are %s, and "
                 "modules by their path, as in ./it.so",
                 name, nearest, all);
    else
        snprintf(why, why_size,
                 "--app %.100s: there is no such application; there are %s, and modules by their "
                 "path, as in ./it.so",
                 name, all);
    return EX_USAGE;
}

int apps_find(const char *name, const struct drover_app *files, const struct drover_app **app,
              char *why, size_t why_size)
{
    if (strchr(name, '/'))
        return module_load(name, app, why, why_size);
    for (size_t i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i].name, name) == 0) {
            *app = builtins[i].app ? builtins[i].app : files;
            return 0;
        }
    return unknown(name, why, why_size);
}

const char *apps_name(size_t i)
{
    return i < BUILTIN_COUNT ? builtins[i].name : NULL;
}
