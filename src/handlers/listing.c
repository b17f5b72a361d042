#include "handlers/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "handlers/beneath.h"

/* A page with more is of no use to a person, and costs the worker's time. */
#define ENTRIES_MAX 20000

struct entry {
    char *name; /* owned */
    bool is_folder;
    off_t size;
    time_t modified;
};

struct entries {
    struct entry *list; /* owned */
    size_t count;
    size_t room;
    bool cut; /* there are more than ENTRIES_MAX */
};

/* ---------------------------------------------------------------------------- the entries */

static void entries_free(struct entries *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->list[i].name);
    free(all->list);
}

/* A link is what it leads to, if that would be served; else it is not there. */
static bool follow(const char *name, const struct listing_rules *rules, struct stat *st)
{
    char path[PATH_MAX + NAME_MAX];
    snprintf(path, sizeof path, "%s%s", rules->path, name);
    int fd = beneath_open(rules->root_fd, path, O_PATH, rules->has_openat2);
    if (fd < 0)
        return false;
    bool found = fstat(fd, st) == 0 && !S_ISLNK(st->st_mode);
    close(fd);
    return found;
}

static bool is_served(int dir, const char *name, const struct listing_rules *rules, struct stat *st)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (name[0] == '.' && !rules->dot_files)
        return false;
    if (fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) < 0)
        return false; /* it is gone since */
    if (S_ISLNK(st->st_mode) && !follow(name, rules, st))
        return false;
    return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static int add(struct entries *all, const char *name, const struct stat *st)
{
    if (all->count == all->room) {
        size_t room = all->room ? all->room * 2 : 64;
        struct entry *list = reallocarray(all->list, room, sizeof *list);
        if (!list)
            return -1;
        all->list = list;
        all->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return -1;
    all->list[all->count++] = (struct entry){.name = copy,
                                             .is_folder = S_ISDIR(st->st_mode),
                                             .size = st->st_size,
                                             .modified = st->st_mtime};
    return 0;
}

static int read_entries(DIR *dir, const struct listing_rules *rules, struct entries *all)
{
    struct dirent *entry;
    struct stat st;
    while ((errno = 0, entry = readdir(dir))) {
        if (!is_served(dirfd(dir), entry->d_name, rules, &st))
            continue;
        all->cut = all->count == ENTRIES_MAX;
        if (all->cut)
            return 0;
        if (add(all, entry->d_name, &st) < 0)
            return -1;
    }
    return errno ? -1 : 0;
}

static int by_kind_and_name(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->is_folder != b->is_folder)
        return a->is_folder ? -1 : 1;
    int order = strcasecmp(a->name, b->name);
    return order ? order : strcmp(a->name, b->name);
}

/* -------------------------------------------------------------------------------- the page */

static void put(struct drover_response *response, const char *text)
{
    drover_response_body(response, text, strlen(text));
}

/* Text as HTML shows it. Bytes that are no UTF-8 pass; the browser marks them. */
static void put_escaped(struct drover_response *response, const char *text)
{
    for (;;) {
        size_t plain = strcspn(text, "&<>\"'");
        drover_response_body(response, text, plain);
        text += plain;
        if (!*text)
            return;
        char entity[8];
        snprintf(entity, sizeof entity, "&#%d;", *text++);
        put(response, entity);
    }
}

static void put_size(struct drover_response *response, off_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char text[32];
    double value = (double)size;
    size_t unit = 0;
    while (value >= 1023.5 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(text, sizeof text, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
    put(response, text);
}

static void put_time(struct drover_response *response, time_t when)
{
    char text[32];
    struct tm tm;
    if (gmtime_r(&when, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm) > 0)
        put(response, text);
}

/* "./" keeps a name with a colon from being read as a scheme (RFC 3986, 4.2). */
static void put_link(struct drover_response *response, const char *name, bool is_folder)
{
    char encoded[3 * NAME_MAX + 1];
    struct drover_span span = {.p = name, .n = strlen(name)};
    if (drover_path_encode(span, encoded, sizeof encoded) < 0)
        return;
    put(response, "<a href=\"./");
    put_escaped(response, encoded);
    put(response, is_folder ? "/\">" : "\">");
    put_escaped(response, name);
    put(response, is_folder ? "/</a>" : "</a>");
}

static void put_entry(struct drover_response *response, const struct entry *entry)
{
    put(response, entry->is_folder ? "<tr class=\"folder\"><td>" : "<tr><td>");
    put_link(response, entry->name, entry->is_folder);
    put(response, "<td>");
    if (!entry->is_folder)
        put_size(response, entry->size);
    put(response, "<td>");
    put_time(response, entry->modified);
    put(response, "\n");
}

static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}\n"
    "h1{font-size:1.3rem;overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{text-align:left;vertical-align:top;padding:.25rem 0;border-bottom:1px solid #8884}\n"
    "th{font-weight:normal}\n"
    "th:first-child{width:100%}td:first-child{overflow-wrap:anywhere}\n"
    "th+th,td+td{text-align:right;white-space:nowrap;padding-left:1.5rem;opacity:.75;"
    "font-variant-numeric:tabular-nums}\n"
    ".folder td:first-child{font-weight:600}\n"
    "a{text-decoration:none}a:hover{text-decoration:underline}\n"
    "@media(max-width:32rem){th:nth-child(3),td:nth-child(3){display:none}}\n";

/* The empty icon: the browser need not ask for one that is not there. */
static void put_top(struct drover_response *response, const char *path, bool has_parent)
{
    put(response, "<!DOCTYPE html>\n"
                  "<html lang=\"en\">\n"
                  "<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width\">\n"
                  "<link rel=\"icon\" href=\"data:,\">\n"
                  "<title>");
    put_escaped(response, path);
    put(response, "</title>\n<style>\n");
    put(response, style);
    put(response, "</style>\n<h1>");
    put_escaped(response, path);
    put(response, "</h1>\n"
                  "<table>\n"
                  "<thead><tr><th>Name<th>Size<th>Changed (UTC)\n"
                  "<tbody>\n");
    if (has_parent)
        put(response, "<tr><td><a href=\"../\">../</a><td><td>\n");
}

/* The path is shown as the client knows it. */
static void put_page(struct drover_response *response, const struct drover_request *request,
                     const struct entries *all)
{
    bool has_parent = drover_request_path(request).n > 1;
    drover_response_type(response, "text/html; charset=utf-8");
    put_top(response, drover_request_prefix(request).p, has_parent);
    for (size_t i = 0; i < all->count; i++)
        put_entry(response, &all->list[i]);
    put(response, "</table>\n");
    if (all->count == 0)
        put(response, "<p>There is nothing here.\n");
    if (all->cut)
        put(response, "<p>There is more here than this page shows.\n");
    put(response, "</html>\n");
}

int listing_send(int fd, const struct listing_rules *rules, const struct drover_request *request,
                 struct drover_response *response)
{
    struct entries all = {0};
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    int result = read_entries(dir, rules, &all);
    int saved = errno;
    if (result == 0 && all.count > 0)
        qsort(all.list, all.count, sizeof *all.list, by_kind_and_name);
    if (result == 0)
        put_page(response, request, &all);
    entries_free(&all);
    closedir(dir);
    errno = saved;
    return result;
}
