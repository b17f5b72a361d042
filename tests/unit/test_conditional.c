#include <criterion/criterion.h>

#include "base/buf.h"
#include "http/conditional.h"

#define NOW 1767225600 /* Thu, 01 Jan 2026 00:00:00 GMT */

/* The representation was modified at 784111777. */
#define SAME    "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE  "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER   "Sun, 06 Nov 1994 08:49:38 GMT"
#define RFC850  "Sunday, 06-Nov-94 08:49:37 GMT"
#define ASCTIME "Sun Nov  6 08:49:37 1994"

#define STRONG_TAG                                                        \
    {                                                                     \
        .etag = {"\"a\"", 3}, .modified = 784111777, .has_modified = true \
    }
#define WEAK_TAG                                                            \
    {                                                                       \
        .etag = {"W/\"a\"", 5}, .modified = 784111777, .has_modified = true \
    }
#define NO_TAG                                      \
    {                                               \
        .modified = 784111777, .has_modified = true \
    }
#define NOTHING               \
    {                         \
        .has_modified = false \
    }

/* Fills *request with the fields, which stay borrowed from the returned bytes. */
static struct buf parse(struct http_request *request, const char *method, const char *fields)
{
    struct buf b = {0};
    buf_printf(&b, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", method, fields);
    cr_assert_eq(http_parse_head(request, b.p, b.len), (int)b.len, "%s", fields);
    return b;
}

static const struct {
    const char *name;
    const char *method;
    const char *fields;
    struct http_validators has;
    int result;
} rows[] = {
    {"no condition", "GET", "", STRONG_TAG, 0},

    {"If-Match, same", "GET", "If-Match: \"a\"\r\n", STRONG_TAG, 0},
    {"If-Match, other", "GET", "If-Match: \"b\"\r\n", STRONG_TAG, 412},
    {"If-Match, other, PUT", "PUT", "If-Match: \"b\"\r\n", STRONG_TAG, 412},
    {"If-Match, *", "PUT", "If-Match: *\r\n", STRONG_TAG, 0},
    {"If-Match, * without a tag", "PUT", "If-Match: *\r\n", NOTHING, 0},
    {"If-Match, no tag", "PUT", "If-Match: \"a\"\r\n", NO_TAG, 412},
    {"If-Match, weak in the field", "GET", "If-Match: W/\"a\"\r\n", STRONG_TAG, 412},
    {"If-Match, weak in the answer", "GET", "If-Match: \"a\"\r\n", WEAK_TAG, 412},
    {"If-Match, both weak", "GET", "If-Match: W/\"a\"\r\n", WEAK_TAG, 412},
    {"If-Match, in a list", "GET", "If-Match: \"b\", W/\"a\" ,, \"a\"\r\n", STRONG_TAG, 0},
    {"If-Match, not in a list", "GET", "If-Match: \"b\", \"c\"\r\n", STRONG_TAG, 412},
    {"If-Match, second line", "GET", "If-Match: \"b\"\r\nif-match: \"a\"\r\n", STRONG_TAG, 0},
    {"If-Match, no line", "GET", "If-Match: \"b\"\r\nIf-Match: \"c\"\r\n", STRONG_TAG, 412},
    {"If-Match, empty", "GET", "If-Match:\r\n", STRONG_TAG, 412},
    {"If-Match, no quotes", "GET", "If-Match: a\r\n", STRONG_TAG, 412},
    {"If-Match, open quote", "GET", "If-Match: \"a\r\n", STRONG_TAG, 412},
    {"If-Match, behind nonsense", "GET", "If-Match: b, \"a\"\r\n", STRONG_TAG, 412},
    {"If-Match, no comma", "GET", "If-Match: \"a\" \"b\"\r\n", STRONG_TAG, 412},
    {"If-Match, other case", "GET", "If-Match: \"A\"\r\n", STRONG_TAG, 412},
    {"If-Match, w/ in lower case", "GET", "If-None-Match: w/\"a\"\r\n", STRONG_TAG, 0},

    {"If-Unmodified-Since, same", "PUT", "If-Unmodified-Since: " SAME "\r\n", STRONG_TAG, 0},
    {"If-Unmodified-Since, after", "PUT", "If-Unmodified-Since: " AFTER "\r\n", STRONG_TAG, 0},
    {"If-Unmodified-Since, before", "PUT", "If-Unmodified-Since: " BEFORE "\r\n", STRONG_TAG, 412},
    {"If-Unmodified-Since, before, GET", "GET", "If-Unmodified-Since: " BEFORE "\r\n", STRONG_TAG,
     412},
    {"If-Unmodified-Since, RFC 850", "PUT", "If-Unmodified-Since: " RFC850 "\r\n", STRONG_TAG, 0},
    {"If-Unmodified-Since, asctime", "PUT", "If-Unmodified-Since: " ASCTIME "\r\n", STRONG_TAG, 0},
    {"If-Unmodified-Since, unreadable", "PUT", "If-Unmodified-Since: 1994\r\n", STRONG_TAG, 0},
    {"If-Unmodified-Since, no date here", "PUT", "If-Unmodified-Since: " BEFORE "\r\n", NOTHING, 0},
    {"If-Unmodified-Since, twice", "PUT",
     "If-Unmodified-Since: " BEFORE "\r\nIf-Unmodified-Since: " BEFORE "\r\n", STRONG_TAG, 0},
    {"If-Match is before If-Unmodified-Since", "PUT",
     "If-Unmodified-Since: " BEFORE "\r\nIf-Match: \"a\"\r\n", STRONG_TAG, 0},
    {"If-Match fails before If-Unmodified-Since", "PUT",
     "If-Unmodified-Since: " AFTER "\r\nIf-Match: \"b\"\r\n", STRONG_TAG, 412},

    {"If-None-Match, same", "GET", "If-None-Match: \"a\"\r\n", STRONG_TAG, 304},
    {"If-None-Match, same, HEAD", "HEAD", "If-None-Match: \"a\"\r\n", STRONG_TAG, 304},
    {"If-None-Match, same, PUT", "PUT", "If-None-Match: \"a\"\r\n", STRONG_TAG, 412},
    {"If-None-Match, same, POST", "POST", "If-None-Match: \"a\"\r\n", STRONG_TAG, 412},
    {"If-None-Match, same, DELETE", "DELETE", "If-None-Match: \"a\"\r\n", STRONG_TAG, 412},
    {"If-None-Match, other", "GET", "If-None-Match: \"b\"\r\n", STRONG_TAG, 0},
    {"If-None-Match, other, PUT", "PUT", "If-None-Match: \"b\"\r\n", STRONG_TAG, 0},
    {"If-None-Match, *", "GET", "If-None-Match: *\r\n", STRONG_TAG, 304},
    {"If-None-Match, *, PUT", "PUT", "If-None-Match: *\r\n", STRONG_TAG, 412},
    {"If-None-Match, * without a tag", "GET", "If-None-Match: *\r\n", NOTHING, 304},
    {"If-None-Match, no tag", "GET", "If-None-Match: \"a\"\r\n", NO_TAG, 0},
    {"If-None-Match, weak in the field", "GET", "If-None-Match: W/\"a\"\r\n", STRONG_TAG, 304},
    {"If-None-Match, weak in the answer", "GET", "If-None-Match: \"a\"\r\n", WEAK_TAG, 304},
    {"If-None-Match, both weak", "GET", "If-None-Match: W/\"a\"\r\n", WEAK_TAG, 304},
    {"If-None-Match, in a list", "GET", "If-None-Match: \"b\",W/\"a\"\r\n", STRONG_TAG, 304},
    {"If-None-Match, second line", "GET", "If-None-Match: \"b\"\r\nIf-None-Match: \"a\"\r\n",
     STRONG_TAG, 304},
    {"If-None-Match, comma inside a tag", "GET", "If-None-Match: \"b,\", \"a\"\r\n", STRONG_TAG,
     304},
    {"If-None-Match, tag inside a tag", "GET", "If-None-Match: \"b,a\"\r\n", STRONG_TAG, 0},
    {"If-None-Match, backslash escapes nothing", "GET", "If-None-Match: \"b\\\", \"a\"\r\n",
     STRONG_TAG, 304},
    {"If-None-Match, blank inside a tag", "GET", "If-None-Match: \"b c\", \"a\"\r\n", STRONG_TAG,
     0},
    {"If-None-Match, malformed", "GET", "If-None-Match: a\r\n", STRONG_TAG, 0},
    {"If-None-Match, W/ alone", "GET", "If-None-Match: W/\r\n", STRONG_TAG, 0},

    {"If-Modified-Since, same", "GET", "If-Modified-Since: " SAME "\r\n", STRONG_TAG, 304},
    {"If-Modified-Since, after", "GET", "If-Modified-Since: " AFTER "\r\n", STRONG_TAG, 304},
    {"If-Modified-Since, before", "GET", "If-Modified-Since: " BEFORE "\r\n", STRONG_TAG, 0},
    {"If-Modified-Since, HEAD", "HEAD", "If-Modified-Since: " SAME "\r\n", STRONG_TAG, 304},
    {"If-Modified-Since, RFC 850", "GET", "If-Modified-Since: " RFC850 "\r\n", STRONG_TAG, 304},
    {"If-Modified-Since, asctime", "GET", "If-Modified-Since: " ASCTIME "\r\n", STRONG_TAG, 304},
    {"If-Modified-Since, unreadable", "GET", "If-Modified-Since: 2994\r\n", STRONG_TAG, 0},
    {"If-Modified-Since, a length behind", "GET", "If-Modified-Since: " SAME "; length=1\r\n",
     STRONG_TAG, 0},
    {"If-Modified-Since, empty", "GET", "If-Modified-Since:\r\n", STRONG_TAG, 0},
    {"If-Modified-Since, POST", "POST", "If-Modified-Since: " SAME "\r\n", STRONG_TAG, 0},
    {"If-Modified-Since, PUT", "PUT", "If-Modified-Since: " SAME "\r\n", STRONG_TAG, 0},
    {"If-Modified-Since, no date here", "GET", "If-Modified-Since: " SAME "\r\n", NOTHING, 0},
    {"If-Modified-Since, twice", "GET",
     "If-Modified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n", STRONG_TAG, 0},
    {"If-Modified-Since without a tag", "GET", "If-Modified-Since: " SAME "\r\n", NO_TAG, 304},

    {"other tag, old date", "GET", "If-Modified-Since: " SAME "\r\nIf-None-Match: \"b\"\r\n",
     STRONG_TAG, 0},
    {"malformed tag, old date", "GET", "If-Modified-Since: " SAME "\r\nIf-None-Match: b\r\n",
     STRONG_TAG, 0},
    {"same tag, new date", "GET", "If-Modified-Since: " BEFORE "\r\nIf-None-Match: \"a\"\r\n",
     STRONG_TAG, 304},
    {"412 is before 304", "GET", "If-None-Match: \"a\"\r\nIf-Match: \"b\"\r\n", STRONG_TAG, 412},
    {"412 by date is before 304", "GET",
     "If-None-Match: \"a\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", STRONG_TAG, 412},
    {"If-Match holds, If-None-Match too", "GET", "If-Match: \"a\"\r\nIf-None-Match: \"a\"\r\n",
     STRONG_TAG, 304},
    {"If-Match holds, not modified", "GET", "If-Match: \"a\"\r\nIf-Modified-Since: " SAME "\r\n",
     STRONG_TAG, 304},
    {"both dates, same", "GET", "If-Unmodified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n",
     STRONG_TAG, 304},

    {"OPTIONS has no conditions", "OPTIONS", "If-Match: \"b\"\r\n", STRONG_TAG, 0},
    {"TRACE has no conditions", "TRACE", "If-None-Match: *\r\n", STRONG_TAG, 0},
};

Test(conditional, precondition)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_request request;
        struct buf b = parse(&request, rows[i].method, rows[i].fields);
        int result = http_precondition(&request, &rows[i].has, NOW);
        cr_expect_eq(result, rows[i].result, "%s: %d", rows[i].name, result);
        buf_free(&b);
    }
}

static const struct {
    const char *name;
    const char *fields;
    struct http_validators has;
    bool result;
} if_ranges[] = {
    {"none", "", STRONG_TAG, true},
    {"same", "If-Range: \"a\"\r\n", STRONG_TAG, true},
    {"other", "If-Range: \"b\"\r\n", STRONG_TAG, false},
    {"weak in the field", "If-Range: W/\"a\"\r\n", STRONG_TAG, false},
    {"weak in the answer", "If-Range: \"a\"\r\n", WEAK_TAG, false},
    {"both weak", "If-Range: W/\"a\"\r\n", WEAK_TAG, false},
    {"no tag", "If-Range: \"a\"\r\n", NO_TAG, false},
    {"a list", "If-Range: \"a\", \"b\"\r\n", STRONG_TAG, false},
    {"*", "If-Range: *\r\n", STRONG_TAG, false},
    {"empty", "If-Range:\r\n", STRONG_TAG, false},
    {"twice", "If-Range: \"a\"\r\nIf-Range: \"a\"\r\n", STRONG_TAG, false},
    {"same date", "If-Range: " SAME "\r\n", STRONG_TAG, true},
    {"same date, RFC 850", "If-Range: " RFC850 "\r\n", STRONG_TAG, true},
    {"same date, asctime", "If-Range: " ASCTIME "\r\n", STRONG_TAG, true},
    {"date after", "If-Range: " AFTER "\r\n", STRONG_TAG, false},
    {"date before", "If-Range: " BEFORE "\r\n", STRONG_TAG, false},
    {"no date here", "If-Range: Thu, 01 Jan 1970 00:00:00 GMT\r\n", NOTHING, false},
    {"unreadable", "If-Range: 1994\r\n", STRONG_TAG, false},
};

Test(conditional, if_range)
{
    for (size_t i = 0; i < sizeof if_ranges / sizeof *if_ranges; i++) {
        struct http_request request;
        struct buf b = parse(&request, "GET", if_ranges[i].fields);
        cr_expect_eq(http_if_range(&request, &if_ranges[i].has, NOW), if_ranges[i].result, "%s",
                     if_ranges[i].name);
        buf_free(&b);
    }
}
