#include <criterion/criterion.h>
#include <stdio.h>

#include "base/buf.h"
#include "http/encoding.h"

enum {
    NONE = HTTP_CODING_NONE,
    BR = HTTP_CODING_BR,
    ZSTD = HTTP_CODING_ZSTD,
    GZIP = HTTP_CODING_GZIP,
    IDENTITY = HTTP_CODING_IDENTITY,
    ALL = BR | ZSTD | GZIP | IDENTITY,
    PACKED = BR | ZSTD | GZIP, /* there is nothing to send as it is */
};

static const struct {
    const char *name;
    const char *value; /* NULL: no field */
    unsigned offered;
    unsigned chosen;
} rows[] = {
    {"no field", NULL, ALL, IDENTITY},
    {"no field, packed alone", NULL, PACKED, BR},
    {"no field, gzip alone", NULL, GZIP, GZIP},
    {"no field, nothing offered", NULL, 0, NONE},
    {"empty", "", ALL, IDENTITY},
    {"empty, packed alone", "", PACKED, NONE},
    {"commas alone", ", ,", ALL, IDENTITY},

    /* RFC 9110, 12.5.3 */
    {"compress, gzip", "compress, gzip", ALL, GZIP},
    {"any", "*", ALL, BR},
    {"weights", "compress;q=0.5, gzip;q=1.0", ALL, GZIP},
    {"weights with identity", "gzip;q=1.0, identity; q=0.5, *;q=0", ALL, GZIP},
    {"the same, gzip is not offered", "gzip;q=1.0, identity; q=0.5, *;q=0", BR | IDENTITY,
     IDENTITY},

    {"Chrome", "gzip, deflate, br, zstd", ALL, BR},
    {"Chrome, gzip is offered", "gzip, deflate, br, zstd", GZIP | IDENTITY, GZIP},
    {"Chrome, identity is offered", "gzip, deflate, br, zstd", IDENTITY, IDENTITY},
    {"Chrome, two are offered", "gzip, deflate, br, zstd", ZSTD | GZIP, ZSTD},
    {"curl", "deflate, gzip", ALL, GZIP},
    {"case", "GZip", ALL, GZIP},
    {"alias", "x-gzip", ALL, GZIP},
    {"alias in capitals, with a weight", "X-GZIP;q=0.1", ALL, GZIP},
    {"unknown", "sdch", ALL, IDENTITY},
    {"unknown, packed alone", "sdch", PACKED, NONE},
    {"one letter more", "gzipp, brr", ALL, IDENTITY},
    {"one letter less", "gzi, b", ALL, IDENTITY},

    {"order by weight", "br;q=0.1, zstd;q=0.2, gzip;q=0.3", ALL, GZIP},
    {"thousandths", "br;q=0.998, gzip;q=0.999", ALL, GZIP},
    {"hundredths are more than thousandths", "br;q=0.009, gzip;q=0.01", ALL, GZIP},
    {"equal by zeros", "br;q=0.5, gzip;q=0.500", ALL, BR},
    {"1 in all ways", "gzip;q=1., br;q=1.000", ALL, BR},
    {"0 in all ways", "gzip;q=0, br;q=0., zstd;q=0.000", ALL, IDENTITY},
    {"the smallest weight", "gzip;q=0.001", ALL, GZIP},
    {"q in capitals", "gzip;Q=0.1, br;q=0", ALL, GZIP},
    {"blanks around the semicolon", "br \t; \tq=0.1, gzip;q=0.2", ALL, GZIP},

    {"identity is preferred", "identity, gzip;q=0.5", ALL, IDENTITY},
    {"identity is preferred, but not offered", "identity, gzip;q=0.5", PACKED, GZIP},
    {"identity is equal", "identity, gzip", ALL, GZIP},
    {"identity is equal by weight", "identity;q=0.3, gzip;q=0.3", ALL, GZIP},
    {"identity is not named", "gzip;q=0.001", ALL, GZIP},
    {"identity is not named, any is", "gzip;q=0.001, *", GZIP | IDENTITY, GZIP},
    {"identity alone", "identity", ALL, IDENTITY},
    {"identity forbidden", "identity;q=0", ALL, NONE},
    {"identity forbidden, gzip named", "identity;q=0, gzip", ALL, GZIP},
    {"identity forbidden, gzip not offered", "identity;q=0, gzip", BR | IDENTITY, NONE},
    {"identity forbidden, any named", "identity;q=0, *;q=0.1", ALL, BR},
    {"all forbidden", "*;q=0", ALL, NONE},
    {"all but identity forbidden", "*;q=0, identity", ALL, IDENTITY},
    {"all but identity forbidden, a little", "identity;q=0.001, *;q=0", ALL, IDENTITY},
    {"all but gzip forbidden", "gzip, *;q=0", ALL, GZIP},
    {"all but gzip forbidden, not offered", "gzip, *;q=0", BR | IDENTITY, NONE},
    {"all but gzip forbidden, gzip too", "gzip;q=0, *;q=0", ALL, NONE},

    {"any but br", "br;q=0, *", ALL, ZSTD},
    {"any but br, in the other order", "*, br;q=0", ALL, ZSTD},
    {"any after gzip", "gzip, *;q=0.5", ALL, GZIP},
    {"any before gzip", "*, gzip;q=0.5", ALL, BR},
    {"any but gzip, which is offered alone", "*, gzip;q=0", GZIP, NONE},

    {"twice, the first counts", "gzip;q=0, gzip", ALL, IDENTITY},
    {"twice by its alias", "x-gzip;q=0, gzip", ALL, IDENTITY},
    {"any twice", "*;q=0, *", ALL, NONE},

    {"q without a value", "gzip;q=", ALL, IDENTITY},
    {"weight without q", "gzip;1", ALL, IDENTITY},
    {"semicolon alone", "gzip;", ALL, IDENTITY},
    {"q over 1", "gzip;q=1.001", ALL, IDENTITY},
    {"q is 2", "gzip;q=2", ALL, IDENTITY},
    {"q of four digits", "gzip;q=0.1234", ALL, IDENTITY},
    {"q is 1 with four zeros", "gzip;q=1.0000", ALL, IDENTITY},
    {"q without a 0", "gzip;q=.5", ALL, IDENTITY},
    {"q is negative", "gzip;q=-1", ALL, IDENTITY},
    {"q is 01", "gzip;q=01", ALL, IDENTITY},
    {"q with a comma", "gzip;q=0,5", ALL, IDENTITY},
    {"q with a letter", "gzip;q=0.x", ALL, IDENTITY},
    {"q is a letter", "gzip;q=a", ALL, IDENTITY},
    {"q in quotes", "gzip;q=\"1\"", ALL, IDENTITY},
    {"blank behind q", "gzip;q =1", ALL, IDENTITY},
    {"blank behind =", "gzip;q= 1", ALL, IDENTITY},
    {"two weights", "gzip;q=1;q=1", ALL, IDENTITY},
    {"another parameter", "gzip;level=9", ALL, IDENTITY},
    {"a parameter behind the weight", "gzip;q=1;a=b", ALL, IDENTITY},
    {"malformed is not any", "br;q=x, *", ALL, ZSTD},
    {"malformed beside good", "br;q=x, gzip", ALL, GZIP},
    {"malformed identity is void", "identity;q=x", ALL, IDENTITY},
    {"malformed identity is void, any is not", "identity;q=x, *;q=0", ALL, NONE},
    {"malformed any is void", "*;q=x", ALL, IDENTITY},
    {"malformed any, then a good one", "*;q=x, *;q=0", ALL, NONE},
    {"two words", "gzip br", ALL, IDENTITY},
    {"no coding", ";q=1", ALL, IDENTITY},
};

Test(encoding, table)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned chosen = http_coding_choose(span_of(rows[i].value), rows[i].offered);
        cr_expect_eq(chosen, rows[i].chosen, "%s: %u", rows[i].name, chosen);
    }
}

/* Every text of up to five bytes of those that weights have: the grammar again, said otherwise. */
static bool is_qvalue(const char *text, size_t n)
{
    if (n == 0 || n > 5 || (text[0] != '0' && text[0] != '1') || (n > 1 && text[1] != '.'))
        return false;
    for (size_t i = 2; i < n; i++)
        if (text[i] == '.' || text[i] == 'x' || (text[0] == '1' && text[i] != '0'))
            return false;
    return true;
}

Test(encoding, every_short_qvalue)
{
    static const char bytes[] = "0159.x";
    for (unsigned n = 0, count = 1; n <= 6; n++, count *= 6) {
        for (unsigned which = 0; which < count; which++) {
            char value[32] = "identity;q=0, gzip;q=";
            char *text = value + sizeof "identity;q=0, gzip;q=" - 1;
            bool is_zero = true;
            for (unsigned i = 0, rest = which; i < n; i++, rest /= 6) {
                text[i] = bytes[rest % 6];
                is_zero = is_zero && (text[i] == '0' || text[i] == '.');
            }
            unsigned want = is_qvalue(text, n) && !is_zero ? GZIP : NONE;
            cr_assert_eq(http_coding_choose(span_of(value), ALL), want, "%s", value);
        }
    }
}

static unsigned choose_by(const char *fields, unsigned offered)
{
    struct http_request request;
    struct buf b = {0};
    buf_printf(&b, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    cr_assert_eq(http_parse_head(&request, b.p, b.len), (int)b.len);
    unsigned chosen = http_request_coding(&request, offered);
    buf_free(&b);
    return chosen;
}

static const struct {
    const char *fields;
    unsigned offered;
    unsigned chosen;
} requests[] = {
    {"", ALL, IDENTITY},
    {"", PACKED, BR},
    {"Accept-Encoding:\r\n", ALL, IDENTITY},
    {"Accept-Encoding:\r\n", PACKED, NONE},
    {"Accept-Encodings: br\r\n", ALL, IDENTITY},
    {"ACCEPT-encoding: gzip\r\n", ALL, GZIP},
    {"Accept-Encoding: gzip\r\nAccept-Encoding: br\r\n", ALL, BR},
    {"Accept-Encoding: gzip\r\nX: y\r\nAccept-Encoding: br;q=0.5\r\n", ALL, GZIP},
    {"Accept-Encoding: gzip\r\nAccept-Encoding: *;q=0\r\n", ALL, GZIP},
    {"Accept-Encoding: *;q=0\r\nAccept-Encoding: gzip\r\n", ALL, GZIP},
    {"Accept-Encoding: *;q=0\r\nAccept-Encoding: gzip\r\n", BR | IDENTITY, NONE},
    {"Accept-Encoding: gzip;q=0\r\nAccept-Encoding: gzip\r\n", ALL, IDENTITY},
    {"Accept-Encoding:\r\nAccept-Encoding: gzip\r\n", ALL, GZIP},
};

Test(encoding, all_lines_of_a_request)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        unsigned chosen = choose_by(requests[i].fields, requests[i].offered);
        cr_expect_eq(chosen, requests[i].chosen, "%s: %u", requests[i].fields, chosen);
    }
}

Test(encoding, names)
{
    cr_expect_str_eq(http_coding_name(HTTP_CODING_BR), "br");
    cr_expect_str_eq(http_coding_name(HTTP_CODING_ZSTD), "zstd");
    cr_expect_str_eq(http_coding_name(HTTP_CODING_GZIP), "gzip");
    cr_expect_null(http_coding_name(HTTP_CODING_IDENTITY));
    cr_expect_null(http_coding_name(HTTP_CODING_NONE));
}
