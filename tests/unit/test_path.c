#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "http/path.h"

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct {
    const char *name;
    const char *in;
    const char *out;
} good[] = {
    {"root", "/", "/"},
    {"plain", "/a/b", "/a/b"},
    {"slash at the end", "/a/", "/a/"},
    {"slashes", "///a//b///", "/a/b/"},
    {"slashes alone", "////", "/"},
    {"dot", "/./a/./b", "/a/b"},
    {"dot at the end", "/a/.", "/a/"},
    {"dot alone", "/.", "/"},
    {"up", "/a/../b", "/b"},
    {"up at the end", "/a/b/..", "/a/"},
    {"up to the root", "/a/..", "/"},
    {"up twice", "/a/b/../../c", "/c"},
    {"up over slashes", "/a/b//../c", "/a/c"},
    {"up over a dot", "/a/b/./../c", "/a/c"},
    {"three dots are a name", "/.../a", "/.../a"},
    {"names with dots", "/.a/..b/c./d..", "/.a/..b/c./d.."},
    {"escape", "/%61%20%C3%a4", "/a \xc3\xa4"},
    {"escaped percent is not decoded twice", "/%252e%252e/a", "/%2e%2e/a"},
    {"escaped dot", "/a/%2e/b", "/a/b"},
    {"escaped dots", "/a/%2E%2e/b", "/b"},
    {"half escaped dots", "/a/.%2e/b", "/b"},
    {"escaped question mark", "/a%3fb", "/a?b"},
    {"escaped control byte", "/a%0a", "/a\n"},
    {"escaped 0xff", "/%ff", "/\xff"},
    {"backslash is a byte", "/a\\..\\b", "/a\\..\\b"},
    {"plus is a byte", "/a+b", "/a+b"},
};

/* Both sides have just their bytes on the heap, so that a sanitizer sees one more. */
static int decode(struct span in, char *out, size_t size)
{
    char *room = malloc(size ? size : 1);
    char *copy = malloc(in.n ? in.n : 1);
    cr_assert(room && copy);
    memcpy(copy, in.p, in.n);
    int result = http_path_decode((struct span){copy, in.n}, room, size);
    if (result >= 0)
        memcpy(out, room, (size_t)result + 1);
    free(copy);
    free(room);
    return result;
}

Test(path, decode_good)
{
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char out[64] = "";
        int n = decode(span_of(good[i].in), out, 40);
        cr_expect_eq(n, (int)strlen(good[i].out), "%s: %d", good[i].name, n);
        cr_expect_str_eq(out, good[i].out, "%s: %s", good[i].name, out);
    }
}

static const struct {
    const char *name;
    struct span in;
    int status;
} bad[] = {
    {"empty", BYTES(""), 400},
    {"no slash", BYTES("a/b"), 400},
    {"*", BYTES("*"), 400},
    {"escaped first slash", BYTES("%2fa"), 400},
    {"percent at the end", BYTES("/a%"), 400},
    {"one digit at the end", BYTES("/a%4"), 400},
    {"no hex", BYTES("/%zz"), 400},
    {"no hex second", BYTES("/%4z"), 400},
    {"below 0", BYTES("/%4/"), 400},
    {"a sign", BYTES("/%+1"), 400},
    {"NUL", BYTES("/a%00b"), 400},
    {"NUL, not encoded", BYTES("/a\0b"), 400},
    {"above the root", BYTES("/.."), 400},
    {"above the root and down", BYTES("/../a"), 400},
    {"above the root later", BYTES("/a/../../b"), 400},
    {"above the root by escapes", BYTES("/%2e%2e/a"), 400},
    {"above the root over slashes", BYTES("/a//../.."), 400},
    {"above the root over dots", BYTES("/./.."), 400},
    {"slash", BYTES("/a%2fb"), 404},
    {"slash in capitals", BYTES("/a%2Fb"), 404},
    {"slash and dots", BYTES("/..%2fetc"), 404},
    {"the first fault counts: slash", BYTES("/%2f%zz"), 404},
    {"the first fault counts: hex", BYTES("/%zz%2f"), 400},
};

Test(path, decode_bad)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char out[64];
        int n = decode(bad[i].in, out, 40);
        cr_expect_eq(n, -bad[i].status, "%s: %d", bad[i].name, n);
    }
}

static const struct {
    const char *name;
    const char *in;
    size_t size;
    int result;
} rooms[] = {
    {"none for the root", "/", 0, -414},
    {"none for the NUL", "/", 1, -414},
    {"just the root", "/", 2, 1},
    {"just enough", "/ab/c", 6, 5},
    {"one too few", "/ab/c", 5, -414},
    {"one too few for the slash", "/abc/", 5, -414},
    {"what is left out needs none", "/a/////././b", 5, 4},
    {"an escape needs one", "/%61%62", 4, 3},
    {"one too few for an escape", "/%61%62", 3, -414},
    {"what is taken back needs some", "/abc/../d", 5, -414},
};

Test(path, decode_room)
{
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        char out[64];
        int n = decode(span_of(rooms[i].in), out, rooms[i].size);
        cr_expect_eq(n, rooms[i].result, "%s: %d", rooms[i].name, n);
    }
}

static const struct {
    const char *name;
    const char *in;
    const char *out;
} encodings[] = {
    {"empty", "", ""},
    {"plain", "/a/b", "/a/b"},
    {"all that may stay", "/aZ09-._~!$&'()*+,;=:@", "/aZ09-._~!$&'()*+,;=:@"},
    {"blank", "/a b", "/a%20b"},
    {"percent", "/%41", "/%2541"},
    {"query and fragment", "/a?b#c", "/a%3Fb%23c"},
    {"what HTML would mind", "/<\">", "/%3C%22%3E"},
    {"other signs", "[\\]^`{|}", "%5B%5C%5D%5E%60%7B%7C%7D"},
    {"control bytes", "\x01\x1f\x7f", "%01%1F%7F"},
    {"UTF-8", "/\xc3\xa4", "/%C3%A4"},
};

Test(path, encode)
{
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        struct span wanted = span_of(encodings[i].out);
        char *out = malloc(wanted.n + 1); /* so that a byte beyond is a finding */
        cr_expect_eq(http_path_encode(span_of(encodings[i].in), out, wanted.n + 1), (long)wanted.n,
                     "%s", encodings[i].name);
        cr_expect_str_eq(out, wanted.p, "%s", encodings[i].name);
        cr_expect_eq(http_path_encode(span_of(encodings[i].in), out, wanted.n), -1, "%s: no room",
                     encodings[i].name);
        free(out);
    }
}

Test(path, every_byte_comes_back)
{
    for (int byte = 1; byte < 256; byte++) {
        char name[] = {'/', 'x', (char)byte, 'y'};
        char out[16], encoded[16];
        long length = http_path_encode((struct span){name, sizeof name}, encoded, sizeof encoded);
        cr_assert_gt(length, 0);
        int n = http_path_decode((struct span){encoded, (size_t)length}, out, sizeof out);
        cr_expect_eq(n, (int)sizeof name, "byte %d: %d", byte, n);
        cr_expect_eq(memcmp(out, name, sizeof name), 0, "byte %d", byte);
    }
}
