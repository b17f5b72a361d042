#include "handlers/siblings.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names that are remembered: 24 KiB a worker. A power of two. */
#define NAMES 1024

static const struct coding {
    unsigned bit;
    const char *name;
    const char *ending;
} codings[] = {
    {DROVER_BR, "br", ".br"}, {DROVER_ZSTD, "zstd", ".zst"}, {DROVER_GZIP, "gzip", ".gz"}};

#define CODINGS (sizeof codings / sizeof *codings)

struct seen {
    uint64_t key;
    int64_t until; /* 0: nothing is remembered here */
    unsigned found;
};

struct siblings {
    struct seen seen[NAMES];
};

struct siblings *siblings_new(void)
{
    return calloc(1, sizeof(struct siblings));
}

void siblings_free(struct siblings *siblings)
{
    free(siblings);
}

/* Prefixes of what is dense already. SVG is an image, and text. */
static bool is_dense(const char *media_type)
{
    static const char *const dense[] = {"video/",
                                        "audio/",
                                        "image/",
                                        "application/gzip",
                                        "application/zip",
                                        "application/zstd",
                                        "application/x-7z",
                                        "application/x-b", /* brotli, bzip2 */
                                        "application/x-xz",
                                        "application/vnd.rar",
                                        "application/java-archive",
                                        "font/woff"};
    if (strcmp(media_type, "image/svg+xml") == 0)
        return false;
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++)
        if (strncmp(media_type, dense[i], strlen(dense[i])) == 0)
            return true;
    return false;
}

/* As FNV-1a, but by words, whose upper halves a product alone would not bring down. Nobody from
 * outside can choose what is hashed: the file is there. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

static uint64_t key_of(const char *name, const struct stat *st)
{
    uint64_t hash = 0xcbf29ce484222325ULL;
    for (; *name; name++)
        hash = mix(hash, (unsigned char)*name);
    hash = mix(hash, st->st_dev);
    hash = mix(hash, st->st_ino);
    hash = mix(hash, (uint64_t)st->st_mtim.tv_sec);
    return mix(hash, (uint64_t)st->st_mtim.tv_nsec);
}

static struct seen *place_of(struct siblings *siblings, uint64_t key)
{
    return &siblings->seen[(key ^ (key >> 32)) & (NAMES - 1)];
}

static int open_one(const struct root *root, const char *name, const struct file *file,
                    const struct coding *coding, struct file *sibling)
{
    char path[PATH_MAX + 16];
    int n = snprintf(path, sizeof path, "%s%s", name, coding->ending);
    if (n < 0 || (size_t)n >= sizeof path || file_open(sibling, root, path) < 0)
        return -1;
    if (file_is_regular(sibling) && sibling->st.st_mtim.tv_sec >= file->st.st_mtim.tv_sec)
        return 0;
    file_close(sibling);
    return -1;
}

static unsigned look(const struct root *root, const char *name, const char *media_type,
                     const struct file *file)
{
    unsigned found = 0;
    for (size_t i = 0; i < CODINGS && !is_dense(media_type); i++) {
        struct file sibling;
        if (open_one(root, name, file, &codings[i], &sibling) < 0)
            continue;
        file_close(&sibling);
        found |= codings[i].bit;
    }
    return found;
}

unsigned siblings_find(struct siblings *siblings, const struct root *root, const char *name,
                       const char *media_type, const struct file *file, int64_t now)
{
    uint64_t key = key_of(name, &file->st);
    struct seen *seen = place_of(siblings, key);
    if (seen->key != key || now >= seen->until)
        *seen = (struct seen){
            .key = key, .until = now + SIBLINGS_MS, .found = look(root, name, media_type, file)};
    return seen->found;
}

int siblings_open(struct siblings *siblings, const struct root *root, const char *name,
                  const struct file *file, unsigned coding, struct file *sibling)
{
    for (size_t i = 0; i < CODINGS; i++)
        if (codings[i].bit == coding && open_one(root, name, file, &codings[i], sibling) == 0)
            return 0;
    place_of(siblings, key_of(name, &file->st))->until = 0;
    return -1;
}

const char *siblings_coding_name(unsigned coding)
{
    for (size_t i = 0; i < CODINGS; i++)
        if (codings[i].bit == coding)
            return codings[i].name;
    return "identity";
}

const char *siblings_ending(unsigned coding)
{
    for (size_t i = 0; i < CODINGS; i++)
        if (codings[i].bit == coding)
            return codings[i].ending;
    return "";
}
