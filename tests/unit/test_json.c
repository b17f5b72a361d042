#include "base/json.h"

#include "support.h"

/* What a string becomes, until the next call. */
static const char *json_of(const char *text)
{
    static struct buf b;
    buf_clear(&b);
    json_put_string(&b, text);
    buf_add(&b, "", 1);
    cr_assert(!b.failed);
    return b.p;
}

Test(json, strings)
{
    static const struct {
        const char *name, *text, *wanted;
    } rows[] = {
        {"empty", "", "\"\""},
        {"plain", "net.core.somaxconn=4096", "\"net.core.somaxconn=4096\""},
        {"quotes", "a \"b\" c", "\"a \\\"b\\\" c\""},
        {"a backslash", "\\x1b", "\"\\\\x1b\""},
        {"a slash stays", "/run", "\"/run\""},
        {"lines", "a\nb\r\tc\b\f", "\"a\\nb\\r\\tc\\b\\f\""},
        {"controls", "\x01\x1b[2J\x7f", "\"\\u0001\\u001b[2J\\u007f\""},
        {"two to four bytes", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb4",
         "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb4\""},
        {"no UTF-8",
         "a\xff"
         "b\xc3",
         "\"a\\ufffdb\\ufffd\""},
        {"a surrogate", "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"too long", "\xc0\xaf", "\"\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < LENGTH(rows); i++)
        cr_expect_str_eq(json_of(rows[i].text), rows[i].wanted, "%s: %s", rows[i].name,
                         json_of(rows[i].text));
}

Test(json, every_byte_is_told_without_a_raw_control)
{
    for (int c = 1; c < 256; c++) {
        const char text[] = {(char)c, '\0'};
        const char *json = json_of(text);
        size_t n = strlen(json);
        cr_assert(json[0] == '"' && json[n - 1] == '"' && n >= 3, "%d: %s", c, json);
        for (size_t i = 1; i + 1 < n; i++) {
            cr_expect((unsigned char)json[i] >= ' ' && (unsigned char)json[i] < 0x7f, "%d", c);
            cr_expect(json[i] != '"' || json[i - 1] == '\\', "%d", c);
        }
    }
}

Test(json, members)
{
    struct buf b = {0};
    json_put_member(&b, "what", "a \"b\"");
    buf_add(&b, "", 1);
    cr_expect_str_eq(b.p, "\"what\":\"a \\\"b\\\"\"");
    buf_free(&b);
}

Test(json, commas_stand_where_they_belong)
{
    struct buf b = {0};
    json_put_open(&b, NULL, '{');
    json_put_open(&b, "empty", '[');
    json_put_close(&b, '[');
    json_put_open(&b, "list", '[');
    json_put_text(&b, NULL, "{[:");
    json_put_int(&b, NULL, -3);
    json_put_open(&b, NULL, '{');
    json_put_bool(&b, "is", true);
    json_put_bool(&b, "is not", false);
    json_put_close(&b, '{');
    json_put_close(&b, '[');
    json_put_count(&b, "most", UINT64_MAX);
    json_put_null(&b, "none");
    json_put_number(&b, "half", .5);
    json_put_number(&b, "infinite", 1 / (double)0);
    json_put_close(&b, '{');
    buf_lit(&b, "\n");
    json_put_open(&b, NULL, '{');
    json_put_close(&b, '{');
    buf_add(&b, "", 1);
    cr_expect_str_eq(b.p,
                     "{\"empty\":[],\"list\":[\"{[:\",-3,{\"is\":true,\"is not\":false}],"
                     "\"most\":18446744073709551615,\"none\":null,\"half\":0.500,"
                     "\"infinite\":null}\n{}",
                     "%s", b.p);
    buf_free(&b);
}
