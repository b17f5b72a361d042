#include "worker/access_line.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* A request, and how it is written. */
struct made {
    struct access_format format;
    struct http_request request;
    struct http_address client;
    struct access_time time;
    struct access_record record;
    char text[ACCESS_LINE_ROOM + 1];
};

static struct made *make(const char *format, const char *head)
{
    static struct made made;
    char what[512];
    memset(&made, 0, sizeof made);
    cr_assert(access_format_read(&made.format, format, what, sizeof what), "%s", what);
    if (head)
        cr_assert_gt(http_parse_head(&made.request, head, strlen(head)), 0, "%s", head);
    cr_assert(ip_parse(SPAN("192.0.2.7"), &made.client));
    setenv("TZ", "UTC-1:30", 1);
    tzset();
    access_time(&made.time, 1706745600); /* 2024-02-01 00:00:00 UTC */
    made.record = (struct access_record){.request = &made.request,
                                         .client = &made.client,
                                         .time = &made.time,
                                         .milliseconds = 42,
                                         .port = 8080,
                                         .status = 200,
                                         .slot = 3,
                                         .pid = 1234,
                                         .served = 5,
                                         .body = 17,
                                         .sent = 217,
                                         .us = 1234567};
    return &made;
}

static const char *line_of(struct made *made)
{
    size_t n = access_line(&made->format, &made->record, made->text);
    cr_assert_leq(n, ACCESS_LINE_MAX);
    made->text[n] = '\0';
    cr_assert_eq(made->text[n - 1], '\n');
    cr_assert_eq(strlen(made->text), n, "no NUL within");
    cr_assert_eq(strcspn(made->text, "\n"), n - 1, "one line");
    return made->text;
}

#define HEAD                                                       \
    "GET /a%20b?x=1 HTTP/1.1\r\nHost: example.com:80\r\nReferer: " \
    "http://r/\r\nUser-Agent: it\r\n\r\n"

static const struct {
    const char *format;
    const char *head;
    const char *line;
} lines[] = {
    {"combined", HEAD,
     "192.0.2.7 - - [01/Feb/2024:01:30:00 +0130] \"GET /a%20b?x=1 HTTP/1.1\" 200 17 \"http://r/\" "
     "\"it\"\n"},
    {"common", HEAD,
     "192.0.2.7 - - [01/Feb/2024:01:30:00 +0130] \"GET /a%20b?x=1 HTTP/1.1\" 200 17\n"},
    {"json", HEAD,
     "{\"time\":\"2024-02-01T01:30:00.042+01:30\",\"client\":\"192.0.2.7\",\"host\":"
     "\"example.com:80\",\"request\":\"GET /a%20b?x=1 HTTP/1.1\",\"method\":\"GET\",\"path\":"
     "\"/a%20b\",\"status\":200,\"bytes\":17,\"duration_us\":1234567,\"referer\":\"http://r/\","
     "\"user_agent\":\"it\",\"slot\":3,\"pid\":1234}\n"},
    {"%m %U%q %H %s", HEAD, "GET /a%20b?x=1 HTTP/1.1 200\n"},
    {"%m %U%q %H", "HEAD / HTTP/1.0\r\n\r\n", "HEAD / HTTP/1.0\n"},
    {"%U", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*\n"},
    {"%v %r", "GET http://b/c HTTP/1.1\r\nHost: b\r\n\r\n", "b GET http://b/c HTTP/1.1\n"},
    {"%b %B %O", HEAD, "17 17 217\n"},
    {"%D %T %{ms}T %{us}T", HEAD, "1234567 1 1234 1234567\n"},
    {"%p %P %{slot}P %k 100%%", HEAD, "8080 1234 3 5 100%\n"},
    {"%{referer}i %{nope}i", HEAD, "http://r/ -\n"},
    {"%{User-Agent}i", "GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: \"q\" \\ \t\xc3\xa4\xff\r\n\r\n",
     "\\x22q\\x22 \\x5C \\x09\\xC3\\xA4\\xFF\n"},
    {"json", "GET / HTTP/1.0\r\nUser-Agent: \"q\" \\ \t\xc3\xa4\xff\r\n\r\n",
     "{\"time\":\"2024-02-01T01:30:00.042+01:30\",\"client\":\"192.0.2.7\",\"host\":null,"
     "\"request\":\"GET / HTTP/1.0\",\"method\":\"GET\",\"path\":\"/\",\"status\":200,\"bytes\":17,"
     "\"duration_us\":1234567,\"referer\":null,\"user_agent\":\"\\\"q\\\" \\\\ "
     "\\u0009\xc3\xa4\\uFFFD\",\"slot\":3,\"pid\":1234}\n"},
};

Test(access_line, says_what_the_format_asks_for)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_str_eq(line_of(make(lines[i].format, lines[i].head)), lines[i].line);
}

Test(access_line, tells_a_refused_request_as_far_as_it_came)
{
    struct made *made = make("%r|%m|%U|%q|%H|%v", NULL);
    made->record.refused = SPAN("GET /\x01\" HTTP/9\r\nHost: a\r\n");
    cr_expect_str_eq(line_of(made), "GET /\\x01\\x22 HTTP/9|-|-||-|-\n");
    made->record.refused = (struct span){0};
    cr_expect_str_eq(line_of(made), "-|-|-||-|-\n");
    made->record.refused = SPAN("\n");
    cr_expect_str_eq(line_of(made), "-|-|-||-|-\n");
}

static const struct {
    const char *address;
    const char *text;
} clients[] = {
    {"255.0.10.200", "255.0.10.200\n"},
    {"2001:db8::1", "2001:db8::1\n"},
    {"", "unix:\n"},
};

Test(access_line, tells_every_kind_of_client)
{
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        struct made *made = make("%h", HEAD);
        made->client = (struct http_address){0};
        cr_expect(!*clients[i].address || ip_parse(span_of(clients[i].address), &made->client));
        cr_expect_str_eq(line_of(made), clients[i].text);
    }
    struct made *made = make("%h %p", HEAD);
    made->record.client = NULL;
    made->record.port = -1;
    cr_expect_str_eq(line_of(made), "- -\n");
}

Test(access_line, an_answer_without_a_body)
{
    struct made *made = make("%b %B", HEAD);
    made->record.body = 0;
    cr_expect_str_eq(line_of(made), "- 0\n");
}

/* The longest head, of bytes that take the most room. */
Test(access_line, is_bounded_and_whole_whatever_comes)
{
    static char head[HTTP_HEAD_MAX + 1];
    static const char *const formats[] = {"combined", "json", "%U %q %r %{a}i %{b}i %h end"};
    size_t n = (size_t)sprintf(head, "GET /?");
    memset(head + n, '"', 8000);
    n += 8000;
    n += (size_t)sprintf(head + n, " HTTP/1.1\r\nHost: a\r\nReferer: ");
    memset(head + n, 0xff, 8000);
    n += 8000;
    n += (size_t)sprintf(head + n, "\r\nUser-Agent: ");
    memset(head + n, '\t', 1);
    memset(head + n + 1, 0xff, 8000);
    n += 8001;
    memcpy(head + n, "\r\n\r\n", 5);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *line = line_of(make(formats[i], head));
        size_t length = strlen(line);
        const char *end = i == 0 ? "\"\n" : i == 1 ? ",\"slot\":3,\"pid\":1234}\n" : " end\n";
        cr_expect_gt(length, ACCESS_LINE_MAX / 2, "%s", formats[i]);
        cr_expect_str_eq(line + length - strlen(end), end, "%s", formats[i]);
    }
}

Test(access_line, one_that_was_open_says_what_was_sent_in_the_end)
{
    static char closed[ACCESS_LINE_ROOM + 1];
    struct made *made = make("%h \"%r\" %s %b %B %O %D %T %{ms}T %%", HEAD);
    made->record.is_open = true;
    size_t n = access_line(&made->format, &made->record, made->text);
    struct access_record end = {.body = 0, .sent = 12345678901234, .us = 2000000};
    n = access_line_close(&end, made->text, n, false, closed);
    closed[n] = '\0';
    cr_expect_str_eq(closed, "192.0.2.7 \"GET /a%20b?x=1 HTTP/1.1\" 200 - 0 12345678901234 "
                             "2000000 2 2000 %\n");
    made = make("json", HEAD);
    made->record.is_open = true;
    n = access_line(&made->format, &made->record, made->text);
    n = access_line_close(&end, made->text, n, true, closed);
    closed[n] = '\0';
    cr_expect_not_null(strstr(closed, ",\"bytes\":0,\"duration_us\":2000000,"), "%s", closed);
}

/* Many bytes are looked at together: none may hide among them. */
Test(access_line, every_byte_is_escaped_wherever_it_stands)
{
    char bytes[20], expected[64];
    for (int c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof bytes; at++) {
            bool is_plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\';
            struct made *made = make("%r", NULL);
            memset(bytes, 'a', sizeof bytes);
            bytes[at] = (char)c;
            made->record.refused = (struct span){.p = bytes, .n = sizeof bytes};
            int n = snprintf(expected, sizeof expected, is_plain ? "%.*s%c" : "%.*s\\x%02X",
                             (int)at, bytes, c);
            snprintf(expected + n, sizeof expected - (size_t)n, "%.*s\n",
                     (int)(sizeof bytes - at - 1), bytes + at + 1);
            if (c == '\n' || (c == '\r' && at == sizeof bytes - 1))
                continue; /* they end a line */
            cr_expect_str_eq(line_of(made), expected, "%d at %zu", c, at);
        }
}
