#include "fuzz.h"

#include <dirent.h>
#include <netdb.h>
#include <sanitizer/common_interface_defs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What libFuzzer calls. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What the linker makes of getaddrinfo (ld(1), --wrap). */
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found);

static const char *file; /* of a corpus, that is being run */

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **found)
{
    struct addrinfo numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    return __real_getaddrinfo(host, port, &numeric, found);
}

static void name_file(void)
{
    if (file)
        fprintf(stderr, "%s: see above\n", file);
}

void fuzz_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fuzz: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    name_file();
    abort();
}

void *fuzz_room(size_t n)
{
    void *p = malloc(n ? n : 1);
    FUZZ_CHECK(p, "no memory for %zu bytes", n);
    return p;
}

char *fuzz_copy(struct span bytes)
{
    char *copy = fuzz_room(bytes.n);
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    return copy;
}

/* FNV-1a; 0 is the one seed that xorshift cannot use. */
uint32_t fuzz_seed(struct span input)
{
    uint32_t hash = 2166136261;
    for (size_t i = 0; i < input.n; i++)
        hash = (uint32_t)((hash ^ (unsigned char)input.p[i]) * UINT64_C(16777619));
    return hash ? hash : 1;
}

uint32_t fuzz_below(uint32_t *seed, size_t limit)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return (uint32_t)(*seed % limit);
}

struct span fuzz_line(struct span *input)
{
    const char *lf = input->n ? memchr(input->p, '\n', input->n) : NULL;
    struct span line = {.p = input->p, .n = lf ? (size_t)(lf - input->p) : input->n};
    size_t taken = line.n + (lf != NULL);
    input->p += taken;
    input->n -= taken;
    return line;
}

const char *fuzz_show(struct span bytes)
{
    static char texts[2][200 * 4 + 1]; /* two for one message */
    static unsigned turn;
    char *text = texts[turn++ % 2];
    char *to = text;
    for (size_t i = 0; i < bytes.n && i < 200; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        to += sprintf(to, c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
    }
    *to = '\0';
    return text;
}

struct span fuzz_bytes(const struct buf *b)
{
    FUZZ_CHECK(!b->failed, "no memory");
    return (struct span){.p = b->p ? b->p : "", .n = b->len};
}

char fuzz_swap_case(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter ? (char)(c ^ 0x20) : c;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    fuzz_one((struct span){.p = (const char *)bytes, .n = length});
    return 0;
}

/* ------------------------------------------------------------------------------ the corpus */

static struct span read_file(const char *path)
{
    struct buf bytes = {0};
    size_t n;
    FILE *from = fopen(path, "re");
    FUZZ_CHECK(from, "%s: %m", path);
    do {
        char block[4096];
        n = fread(block, 1, sizeof block, from);
        buf_add(&bytes, block, n);
    } while (n > 0);
    FUZZ_CHECK(!ferror(from), "%s: %m", path);
    fclose(from);
    struct span exact = {.p = fuzz_copy(fuzz_bytes(&bytes)), .n = bytes.len};
    buf_free(&bytes);
    return exact;
}

static bool run_file(const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    file = path;
    struct span input = read_file(path);
    const char *verdict = fuzz_one(input);
    size_t n = strlen(verdict);
    bool good = strncmp(name, verdict, n) == 0 && name[n] == '-';
    if (!good)
        fprintf(stderr, "%s: the verdict is \"%s\"\n", path, verdict);
    free((void *)(uintptr_t)input.p);
    file = NULL;
    return good;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Returns the status to exit with: 1 if a file got another verdict than its name says. */
static int run_corpus(const char *directory)
{
    struct dirent **entries;
    int status = 0;
    int count = scandir(directory, &entries, visible, alphasort);
    FUZZ_CHECK(count > 0, "%s: no corpus", directory);
    for (int i = 0; i < count; i++) {
        if (!run_file(directory, entries[i]->d_name))
            status = 1;
        free(entries[i]);
    }
    free(entries);
    printf("%d files\n", count);
    return status;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc != 3 || strcmp((*argv)[1], "--corpus") != 0)
        return 0;
    __sanitizer_set_death_callback(name_file);
    exit(run_corpus((*argv)[2]));
}
