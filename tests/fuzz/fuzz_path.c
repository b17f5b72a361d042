/* Encoded paths. The input is the path of a request target. Verdicts: good, bad. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/path.h"

/* Decodes into `size` bytes that stand alone. The caller frees *out. */
static int decode(struct span encoded, char **out, size_t size)
{
    char *copy = fuzz_copy(encoded);
    *out = fuzz_room(size);
    int result = http_path_decode((struct span){.p = copy, .n = encoded.n}, *out, size);
    free(copy);
    return result;
}

/* Nothing in it leads anywhere but down. */
static void check_segments(struct span path)
{
    FUZZ_CHECK(path.p[0] == '/', "does not start with a slash");
    FUZZ_CHECK(path.p[path.n] == '\0' && strlen(path.p) == path.n, "a NUL, or none at the end");
    for (size_t at = 1, n; at < path.n; at += n + 1) {
        struct span segment = {.p = path.p + at, .n = path.n - at};
        const char *slash = memchr(segment.p, '/', segment.n);
        segment.n = n = slash ? (size_t)(slash - segment.p) : segment.n;
        FUZZ_CHECK(n > 0 && !span_eq(segment, SPAN(".")) && !span_eq(segment, SPAN("..")),
                   "segment \"%s\" in %s", fuzz_show(segment), fuzz_show(path));
    }
}

/* The path, encoded, is made of what a target may hold, and is decoded to itself. */
static void check_encoded(struct span path)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~!$&'()*+,;=:@/%";
    size_t size = 3 * path.n + 1;
    char *text = fuzz_room(size);
    char *again;
    long n = http_path_encode(path, text, size);
    FUZZ_CHECK(n >= (long)path.n && text[n] == '\0', "%ld bytes", n);
    struct span encoded = {.p = text, .n = (size_t)n};
    for (size_t i = 0; i < encoded.n; i++)
        FUZZ_CHECK(memchr(allowed, encoded.p[i], sizeof allowed - 1), "byte %#x in an encoded path",
                   (unsigned char)encoded.p[i]);
    int result = decode(encoded, &again, path.n + 1);
    FUZZ_CHECK(result == (int)path.n && memcmp(again, path.p, path.n) == 0,
               "%d, \"%s\" encoded and decoded", result, fuzz_show(path));
    free(again);
    free(text);
}

/* With less room the outcome is the same, or 414; and 414 for sure where the path does not fit. */
static void check_room(struct span encoded, size_t size, int whole)
{
    char *out;
    int result = decode(encoded, &out, size);
    FUZZ_CHECK(result == whole || result == -414, "%d in %zu bytes, %d in enough", result, size,
               whole);
    FUZZ_CHECK(result < (int)size || result < 0, "%d in %zu bytes", result, size);
    free(out);
}

const char *fuzz_one(struct span input)
{
    char *out;
    uint32_t seed = fuzz_seed(input);
    size_t enough = input.n + 1; /* what is decoded is never longer */
    int result = decode(input, &out, enough);
    FUZZ_CHECK(result > 0 || result == -400 || result == -404 || (result == -414 && input.n == 0),
               "%d", result);
    if (result > 0) {
        struct span path = {.p = out, .n = (size_t)result};
        FUZZ_CHECK(path.n <= input.n, "it became longer");
        check_segments(path);
        check_encoded(path);
        check_room(input, path.n, result);
        check_room(input, path.n + 1, result);
    }
    for (int i = 0; i < 8; i++)
        check_room(input, fuzz_below(&seed, enough + 1), result);
    free(out);
    return result > 0 ? "good" : "bad";
}
