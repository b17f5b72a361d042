#include "os/control_path.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEM   "drover"
#define SUFFIX ".control"

struct control_places control_places(void)
{
    return (struct control_places){.service = getenv("RUNTIME_DIRECTORY"),
                                   .user = getenv("XDG_RUNTIME_DIR"),
                                   .system = "/run",
                                   .is_root = geteuid() == 0};
}

static bool is_there(const char *place)
{
    return place && *place;
}

static bool fits(int length)
{
    return length > 0 && (size_t)length < PEER_PATH_SIZE;
}

bool control_path_of_service(const struct control_places *places, char path[PEER_PATH_SIZE])
{
    if (!is_there(places->service))
        return false;
    int n = (int)strcspn(places->service, ":");
    return n > 0 && fits(snprintf(path, PEER_PATH_SIZE, "%.*s/control", n, places->service));
}

static bool with_pid(const char *place, pid_t pid, char path[PEER_PATH_SIZE])
{
    return is_there(place) &&
           fits(snprintf(path, PEER_PATH_SIZE, "%s/" STEM "-%d" SUFFIX, place, (int)pid));
}

bool control_path(const struct control_places *places, pid_t pid, char path[PEER_PATH_SIZE])
{
    return control_path_of_service(places, path) || with_pid(places->user, pid, path) ||
           (places->is_root && with_pid(places->system, pid, path));
}

/* --------------------------------------------------------------------------------- the search */

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static int is_candidate(const struct dirent *entry)
{
    return strncmp(entry->d_name, STEM, strlen(STEM)) == 0;
}

static bool has(char *const *paths, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(paths[i], path) == 0)
            return true;
    return false;
}

/* What cannot be taken is left out: there is no memory, or the path is too long to connect to. */
static size_t add(char **paths, size_t count, const char *place, const char *name)
{
    char path[PEER_PATH_SIZE];
    const char *inside = ends_with(name, SUFFIX) ? "" : "/control";
    if (!fits(snprintf(path, sizeof path, "%s/%s%s", place, name, inside)) ||
        has(paths, count, path) || access(path, F_OK) < 0)
        return count;
    paths[count] = strdup(path);
    return paths[count] ? count + 1 : count;
}

static size_t add_all(const char *place, char ***paths, size_t count)
{
    struct dirent **entries;
    int n = is_there(place) ? scandir(place, &entries, is_candidate, alphasort) : -1;
    if (n < 0)
        return count;
    char **more = reallocarray(*paths, count + (size_t)n + 1, sizeof *more);
    if (more)
        *paths = more;
    for (int i = 0; i < n; i++) {
        if (more)
            count = add(more, count, place, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count;
}

size_t control_paths(const struct control_places *places, char ***paths)
{
    *paths = NULL;
    size_t count = add_all(places->user, paths, 0);
    return add_all(places->system, paths, count);
}

void control_paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}
