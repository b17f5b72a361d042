#include "handlers/kept.h"

#include <drover.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Heads of the chains; a power of two. */
#define CHAINS 2048

/* Names that were asked for lately; a power of two. */
#define NAMES 4096

/* What an answer holds beside its body and its name, about. */
#define HEAD_BYTES 512

struct entry {
    char *path; /* owned: of the file; it starts with the name; NULL: nothing is here */
    size_t name_length;
    uint64_t key;
    struct entry *next; /* of the same chain */
    struct kept_form form;
    size_t bytes;
    uint64_t turn; /* in which it was looked at */
    int64_t until;
    dev_t device; /* of what was read: these tell whether it has changed */
    ino_t inode;
    off_t size;
    struct timespec changed;
    struct timespec modified;
    bool is_used; /* since the hand has passed */
};

/* A name that was asked for. */
struct asked {
    uint64_t key;
    int64_t until; /* it counts */
};

struct kept {
    struct entry *chains[CHAINS];
    struct asked asked[NAMES];
    size_t bytes;
    size_t bytes_max;
    size_t count;
    size_t place; /* the next may be free from here on */
    size_t hand;  /* the next to go, unless it is in use */
    struct entry entries[KEPT_FILES_MAX];
};

struct kept *kept_new(size_t bytes_max)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept)
        kept->bytes_max = bytes_max;
    return kept;
}

/* ------------------------------------------------------------------------------- the table */

static inline uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 32;
}

/* Less than eight bytes, all of them, in a word. */
static inline uint64_t last_word(const char *p, size_t length)
{
    uint32_t first, last;
    if (length >= sizeof first) {
        memcpy(&first, p, sizeof first);
        memcpy(&last, p + length - sizeof last, sizeof last);
        return (uint64_t)first << 32 | last;
    }
    if (length == 0)
        return 0;
    return (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[length / 2] << 8 |
           (unsigned char)p[length - 1];
}

/* Nobody from outside can choose what is in the table: the files are there. */
static uint64_t key_of(const char *name, size_t length, unsigned coding)
{
    uint64_t hash = (length << 8) + coding;
    uint64_t word;
    for (; length >= sizeof word; name += sizeof word, length -= sizeof word) {
        memcpy(&word, name, sizeof word);
        hash = mix(hash, word);
    }
    return mix(hash, last_word(name, length));
}

static struct entry *find(const struct kept *kept, uint64_t key, const char *name, size_t length,
                          unsigned coding)
{
    struct entry *entry = kept->chains[key & (CHAINS - 1)];
    while (entry && (entry->key != key || entry->form.coding != coding ||
                     entry->name_length != length || memcmp(entry->path, name, length) != 0))
        entry = entry->next;
    return entry;
}

static void forget(struct kept *kept, struct entry *entry)
{
    struct entry **at = &kept->chains[entry->key & (CHAINS - 1)];
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    kept->bytes -= entry->bytes;
    kept->count--;
    drover_prepared_free(entry->form.prepared);
    free(entry->path);
    *entry = (struct entry){0};
}

void kept_free(struct kept *kept)
{
    for (size_t i = 0; kept && i < KEPT_FILES_MAX; i++)
        if (kept->entries[i].path)
            forget(kept, &kept->entries[i]);
    free(kept);
}

/* The next that was not used for a round has to go; there must be one. */
static void let_one_go(struct kept *kept)
{
    for (;;) {
        struct entry *entry = &kept->entries[kept->hand];
        kept->hand = (kept->hand + 1) % KEPT_FILES_MAX;
        if (!entry->path)
            continue;
        if (!entry->is_used) {
            forget(kept, entry);
            return;
        }
        entry->is_used = false;
    }
}

/* A free place, with room for so many bytes. */
static struct entry *make_place(struct kept *kept, size_t bytes)
{
    while (kept->count == KEPT_FILES_MAX || kept->bytes + bytes > kept->bytes_max)
        let_one_go(kept);
    while (kept->entries[kept->place].path)
        kept->place = (kept->place + 1) % KEPT_FILES_MAX;
    return &kept->entries[kept->place];
}

/* ------------------------------------------------------------------------------ the finding */

static struct asked *place_of(struct kept *kept, uint64_t key)
{
    return &kept->asked[(key ^ key >> 20) & (NAMES - 1)];
}

static void note_asked(struct kept *kept, uint64_t key, int64_t now)
{
    *place_of(kept, key) = (struct asked){.key = key, .until = now + KEPT_MS};
}

/* Within the time that it would be kept for: else it would be read twice for nothing. Notes that it
 * was. */
static bool was_asked_for(struct kept *kept, uint64_t key, int64_t now)
{
    const struct asked *place = place_of(kept, key);
    bool was = place->key == key && now < place->until;
    note_asked(kept, key, now);
    return was;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct entry *entry, const struct stat *st)
{
    return st->st_ino == entry->inode && st->st_dev == entry->device &&
           st->st_size == entry->size && is_same_time(st->st_ctim, entry->changed) &&
           is_same_time(st->st_mtim, entry->modified);
}

/* Is it still what is on disk, as far as this turn knows? */
static bool is_current(struct entry *entry, const struct root *root,
                       const struct drover_worker *worker)
{
    struct stat st;
    uint64_t turn = drover_turn(worker);
    if (entry->turn == turn)
        return true;
    entry->turn = turn;
    return drover_now(worker) < entry->until && fstatat(root->fd, entry->path, &st, 0) == 0 &&
           is_same(entry, &st);
}

const struct kept_form *kept_find(struct kept *kept, const struct root *root, const char *name,
                                  size_t length, unsigned coding,
                                  const struct drover_worker *worker)
{
    struct entry *entry = find(kept, key_of(name, length, coding), name, length, coding);
    if (!entry)
        return NULL;
    if (!is_current(entry, root, worker)) {
        if (entry->is_used && drover_now(worker) < entry->until + KEPT_MS)
            note_asked(kept, entry->key, drover_now(worker)); /* and it is to be kept again */
        forget(kept, entry);
        return NULL;
    }
    entry->is_used = true;
    return &entry->form;
}

/* ----------------------------------------------------------------------------- the keeping */

static bool is_settled(const struct stat *st)
{
    time_t now = time(NULL);
    return st->st_ctim.tv_sec < now - KEPT_SETTLED_S && st->st_mtim.tv_sec < now - KEPT_SETTLED_S;
}

static void add(struct kept *kept, const struct entry *entry)
{
    struct entry *place = make_place(kept, entry->bytes);
    struct entry **chain = &kept->chains[entry->key & (CHAINS - 1)];
    *place = *entry;
    place->next = *chain;
    *chain = place;
    kept->bytes += entry->bytes;
    kept->count++;
}

void kept_offer(struct kept *kept, const char *path, size_t name_length,
                const struct kept_form *form, const struct stat *st,
                struct drover_response *response, bool prepare)
{
    size_t body = prepare ? (size_t)st->st_size : 0;
    uint64_t key = key_of(path, name_length, form->coding);
    const struct drover_worker *worker = drover_response_worker(response);
    if (body > KEPT_FILE_MAX || !was_asked_for(kept, key, drover_now(worker)) || !is_settled(st))
        return;
    struct entry *known = find(kept, key, path, name_length, form->coding);
    if (known)
        forget(kept, known);
    struct entry entry = {.path = strdup(path),
                          .name_length = name_length,
                          .key = key,
                          .form = *form,
                          .bytes = HEAD_BYTES + body + name_length,
                          .turn = drover_turn(worker),
                          .until = drover_now(worker) + KEPT_MS,
                          .device = st->st_dev,
                          .inode = st->st_ino,
                          .size = st->st_size,
                          .changed = st->st_ctim,
                          .modified = st->st_mtim,
                          .is_used = true};
    entry.form.prepared = prepare && entry.path ? drover_response_prepare(response) : NULL;
    if (entry.path && (entry.form.prepared || !prepare))
        add(kept, &entry);
    else /* it is answered as it is */
        free(entry.path);
}
