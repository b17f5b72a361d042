#include "http/respond.h"

#include <ctype.h>

#include "support.h"

#define DATE   "Sun, 06 Nov 1994 08:49:37 GMT"
#define ALWAYS "Server: drover\r\nDate: " DATE "\r\n"

static const struct {
    const char *name;
    struct http_head head;
    const char *bytes;
} heads[] = {
    {"200",
     {.status = 200, .date = DATE, .type = SPAN("text/html"), .has_length = true, .length = 12},
     "HTTP/1.1 200 OK\r\n" ALWAYS "Content-Type: text/html\r\nContent-Length: 12\r\n\r\n"},
    {"no body, no length",
     {.status = 204, .date = DATE},
     "HTTP/1.1 204 No Content\r\n" ALWAYS "\r\n"},
    {"length 0",
     {.status = 200, .date = DATE, .has_length = true},
     "HTTP/1.1 200 OK\r\n" ALWAYS "Content-Length: 0\r\n\r\n"},
    {"the longest length",
     {.status = 200, .date = DATE, .has_length = true, .length = UINT64_MAX},
     "HTTP/1.1 200 OK\r\n" ALWAYS "Content-Length: 18446744073709551615\r\n\r\n"},
    {"close",
     {.status = 200, .persistence = HTTP_CLOSE, .date = DATE},
     "HTTP/1.1 200 OK\r\n" ALWAYS "Connection: close\r\n\r\n"},
    {"close, and another protocol",
     {.status = 426,
      .persistence = HTTP_CLOSE,
      .has_upgrade = true,
      .date = DATE,
      .fields = SPAN("Upgrade: a\r\n")},
     "HTTP/1.1 426 Upgrade Required\r\n" ALWAYS "Connection: close, Upgrade\r\nUpgrade: a\r\n\r\n"},
    {"another protocol",
     {.status = 101, .has_upgrade = true, .date = DATE},
     "HTTP/1.1 101 Switching Protocols\r\n" ALWAYS "Connection: Upgrade\r\n\r\n"},
    {"keep, said",
     {.status = 200, .persistence = HTTP_KEEP_SAID, .date = DATE},
     "HTTP/1.1 200 OK\r\n" ALWAYS "Connection: keep-alive\r\n\r\n"},
    {"keep, not said",
     {.status = 200, .persistence = HTTP_KEEP_SILENT, .date = DATE},
     "HTTP/1.1 200 OK\r\n" ALWAYS "\r\n"},
    {"fields come last",
     {.status = 301,
      .persistence = HTTP_CLOSE,
      .date = DATE,
      .type = SPAN("a/b"),
      .fields = SPAN("Location: /a\r\nX: y\r\n"),
      .has_length = true,
      .length = 1},
     "HTTP/1.1 301 Moved Permanently\r\n" ALWAYS
     "Connection: close\r\nContent-Type: a/b\r\nContent-Length: 1\r\nLocation: /a\r\nX: y\r\n\r\n"},
    {"a status without a phrase",
     {.status = 299, .date = DATE},
     "HTTP/1.1 299 Unknown\r\n" ALWAYS "\r\n"},
};

Test(respond, heads)
{
    for (size_t i = 0; i < LENGTH(heads); i++) {
        struct buf out = {0};
        http_respond_head(&out, &heads[i].head);
        cr_assert_not(out.failed);
        buf_add(&out, "", 1);
        cr_expect_str_eq(out.p, heads[i].bytes, "%s: %s", heads[i].name, out.p);
        buf_free(&out);
    }
}

Test(respond, heads_are_appended)
{
    struct buf out = {0};
    struct http_head head = {.status = 204, .date = DATE};
    buf_lit(&out, "before");
    http_respond_head(&out, &head);
    cr_expect_eq(memcmp(out.p, "beforeHTTP/1.1 204 ", 19), 0);
    buf_free(&out);
}

/* RFC 9110, 15, and 6585 for 426, 429 and 431. */
static const struct {
    int status;
    const char *reason;
    bool has_body;
} statuses[] = {
    {100, "Continue", false},
    {200, "OK", true},
    {204, "No Content", false},
    {206, "Partial Content", true},
    {301, "Moved Permanently", true},
    {302, "Found", true},
    {303, "See Other", true},
    {304, "Not Modified", false},
    {307, "Temporary Redirect", true},
    {308, "Permanent Redirect", true},
    {400, "Bad Request", true},
    {403, "Forbidden", true},
    {404, "Not Found", true},
    {405, "Method Not Allowed", true},
    {408, "Request Timeout", true},
    {409, "Conflict", true},
    {411, "Length Required", true},
    {412, "Precondition Failed", true},
    {413, "Content Too Large", true},
    {414, "URI Too Long", true},
    {415, "Unsupported Media Type", true},
    {416, "Range Not Satisfiable", true},
    {417, "Expectation Failed", true},
    {426, "Upgrade Required", true},
    {429, "Too Many Requests", true},
    {431, "Request Header Fields Too Large", true},
    {500, "Internal Server Error", true},
    {501, "Not Implemented", true},
    {502, "Bad Gateway", true},
    {503, "Service Unavailable", true},
    {504, "Gateway Timeout", true},
    {505, "HTTP Version Not Supported", true},
    {199, "Unknown", false},
    {299, "Unknown", true},
    {599, "Unknown", true},
    {0, "Unknown", false},
    {-1, "Unknown", false},
};

Test(respond, statuses)
{
    for (size_t i = 0; i < LENGTH(statuses); i++) {
        cr_expect_str_eq(http_reason(statuses[i].status), statuses[i].reason, "%d: %s",
                         statuses[i].status, http_reason(statuses[i].status));
        cr_expect_eq(http_status_has_body(statuses[i].status), statuses[i].has_body, "%d",
                     statuses[i].status);
    }
}

static void expect_part(const char *page, const char *format, int status, const char *reason)
{
    char part[128];
    snprintf(part, sizeof part, format, status, reason);
    cr_expect_not_null(strstr(page, part), "%d: %s", status, part);
}

/* Every status that a request may end with has a sentence of its own. */
Test(respond, pages)
{
    for (size_t i = 0; i < LENGTH(statuses); i++) {
        int status = statuses[i].status;
        struct buf out = {0};
        http_page(&out, status);
        buf_add(&out, "", 1);
        cr_expect_eq(strncmp(out.p, "<!DOCTYPE html>\n", 16), 0, "%d", status);
        expect_part(out.p, "<title>%d %s</title>", status, statuses[i].reason);
        expect_part(out.p, "<h1>%d %s</h1>", status, statuses[i].reason);
        cr_expect_not_null(strstr(out.p, "</html>\n"), "%d", status);
        cr_expect_null(strstr(out.p, "//"), "%d: nothing from outside", status);
        bool is_known = strcmp(statuses[i].reason, "Unknown") != 0;
        bool is_error = is_known && status >= 300 && status != 304;
        if (is_error)
            cr_expect_null(strstr(out.p, "<p></p>"), "%d has a sentence", status);
        for (const char *p = out.p; *p; p++)
            cr_assert(isprint((unsigned char)*p) || *p == '\n', "%d: ASCII", status);
        buf_free(&out);
    }
}
