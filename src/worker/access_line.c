#include "worker/access_line.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* In an open line, before what was left open: no line has another NUL in it. */
#define HOLE '\0'

/* ------------------------------------------------------------------------------ the values */

/* Bytes that stand for themselves in a quoted value, JSON's too. */
static inline bool is_plain(char c)
{
    return (unsigned char)(c - ' ') < 0x5f && c != '"' && c != '\\';
}

static char *put(char *to, struct span s)
{
    memcpy(to, s.p, s.n);
    return to + s.n;
}

static char *put_number(char *to, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

static char *put_byte(char *to, unsigned value)
{
    if (value >= 100)
        *to++ = (char)('0' + value / 100);
    if (value >= 10)
        *to++ = (char)('0' + value / 10 % 10);
    *to++ = (char)('0' + value % 10);
    return to;
}

static char *put_padded(char *to, unsigned value, int width)
{
    for (int i = width - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + width;
}

static char *put_hex(char *to, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = digits[c >> 4];
    *to++ = digits[c & 15];
    return to;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* One of its bytes may be a zero: never wrong where there is one. */
static inline uint64_t has_zero(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word;
}

/* Do eight bytes stand for themselves? No may be wrong, so that it is cheap. */
static inline bool are_plain(uint64_t word)
{
    uint64_t not = word | (word - EACH_BYTE(' ')) | has_zero(word ^ EACH_BYTE('"')) |
                   has_zero(word ^ EACH_BYTE('\\')) | has_zero(word ^ EACH_BYTE(0x7f));
    return (not &EACH_BYTE(0x80)) == 0;
}

/* As many bytes as can be copied eight at a time. */
static size_t put_plain(char *to, const char *end, struct span s)
{
    size_t i = 0;
    uint64_t word;
    for (; i + sizeof word <= s.n && end - to >= (ptrdiff_t)(i + sizeof word); i += sizeof word) {
        memcpy(&word, s.p + i, sizeof word);
        if (!are_plain(word))
            break;
        memcpy(to + i, &word, sizeof word);
    }
    return i;
}

static char *put_escaped(char *to, const char *end, struct span s)
{
    size_t plain = put_plain(to, end, s);
    to += plain;
    for (size_t i = plain; i < s.n && to < end; i++) {
        if (is_plain(s.p[i])) {
            *to++ = s.p[i];
        } else if (end - to >= 4) {
            to = put_hex(put(to, SPAN("\\x")), (unsigned char)s.p[i]);
        } else {
            break;
        }
    }
    return to;
}

/* One character, and how many bytes of the value it took. */
static char *put_json_other(char *to, struct span s, size_t *taken)
{
    unsigned char c = (unsigned char)*s.p;
    *taken = 1;
    if (c == '"' || c == '\\') {
        *to++ = '\\';
        *to++ = (char)c;
        return to;
    }
    if (c < ' ' || c == 0x7f)
        return put_hex(put(to, SPAN("\\u00")), c);
    size_t n = utf8_length(s.p, s.n);
    if (n == 0)
        return put(to, SPAN("\\uFFFD"));
    *taken = n;
    return put(to, (struct span){.p = s.p, .n = n});
}

static char *put_json(char *to, const char *end, struct span s)
{
    *to++ = '"';
    size_t plain = put_plain(to, end - 1, s);
    to += plain;
    for (size_t i = plain; i < s.n && end - to > 7;) { /* the longest, and the quote */
        size_t taken = 1;
        if (is_plain(s.p[i]))
            *to++ = s.p[i];
        else
            to = put_json_other(to, (struct span){.p = s.p + i, .n = s.n - i}, &taken);
        i += taken;
    }
    *to++ = '"';
    return to;
}

/* `end`: how far it may go. What is not known has no bytes; p may be NULL. */
static char *put_value(char *to, const char *end, struct span s, bool is_json)
{
    if (s.n == 0)
        return is_json ? put(to, SPAN("null")) : put(to, SPAN("-"));
    return is_json ? put_json(to, end, s) : put_escaped(to, end, s);
}

static struct span field_of(const struct http_request *request, struct span name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (span_eq_nocase(request->fields[i].name, name))
            return request->fields[i].value;
    return (struct span){0};
}

static struct span first_line(struct span s)
{
    const char *end = s.n > 0 ? memchr(s.p, '\n', s.n) : NULL;
    size_t n = end ? (size_t)(end - s.p) : s.n;
    return (struct span){.p = s.p, .n = n - (n > 0 && s.p[n - 1] == '\r')};
}

static bool is_known(const struct http_request *request)
{
    return request->method_name.n > 0;
}

/* It stands in one piece: a request line is method, target and version with a space between. */
static struct span line_of(const struct access_record *record)
{
    const struct http_request *request = record->request;
    if (!is_known(request))
        return first_line(record->refused);
    const char *end = request->target.p + request->target.n + sizeof " HTTP/1.1" - 1;
    return (struct span){.p = request->method_name.p, .n = (size_t)(end - request->method_name.p)};
}

static char *put_client(char *to, const struct http_address *client, bool is_json)
{
    char text[IP_TEXT_SIZE];
    if (!client)
        return put_value(to, to, (struct span){0}, is_json);
    char *start = to;
    if (is_json)
        *to++ = '"';
    if (client->family == 0)
        to = put(to, SPAN("unix:"));
    else if (client->family == 4)
        for (int i = 0; i < 4; i++) {
            to = put_byte(to, client->bytes[i]);
            *to++ = '.';
        }
    else
        to = put(to, (struct span){.p = text, .n = ip_print(client, text)});
    to -= client->family == 4;
    if (is_json)
        *to++ = '"';
    return to > start ? to : start;
}

static char *put_path(char *to, const char *end, const struct http_request *request, bool is_json)
{
    struct span path = request->path.n > 0 ? request->path : request->target;
    return put_value(to, end, is_known(request) ? path : (struct span){0}, is_json);
}

static char *put_query(char *to, const char *end, struct span query, bool is_json)
{
    if (is_json || query.n == 0)
        return is_json ? put_value(to, end, query, true) : to;
    *to++ = '?';
    return put_escaped(to, end, query);
}

static char *put_protocol(char *to, const struct http_request *request, bool is_json)
{
    char text[] = "HTTP/1.1";
    text[sizeof text - 2] = (char)('0' + request->minor);
    struct span s = is_known(request) ? span_of(text) : (struct span){0};
    return put_value(to, to + 2 * sizeof text, s, is_json);
}

/* -------------------------------------------------------------------------------- the time */

void access_time(struct access_time *t, time_t second)
{
    struct tm tm;
    char zone[8];
    t->second = second;
    localtime_r(&second, &tm);
    t->plain_n = strftime(t->plain, sizeof t->plain, "[%d/%b/%Y:%H:%M:%S %z]", &tm);
    t->json_n = strftime(t->json, sizeof t->json, "%Y-%m-%dT%H:%M:%S", &tm);
    strftime(zone, sizeof zone, "%z", &tm);
    snprintf(t->zone, sizeof t->zone, "%.3s:%.2s", zone, zone + 3);
}

static char *put_time(char *to, const struct access_record *record, bool is_json)
{
    const struct access_time *t = record->time;
    if (!is_json)
        return put(to, (struct span){.p = t->plain, .n = t->plain_n});
    *to++ = '"';
    to = put(to, (struct span){.p = t->json, .n = t->json_n});
    *to++ = '.';
    to = put_padded(to, (unsigned)record->milliseconds, 3);
    to = put(to, span_of(t->zone));
    *to++ = '"';
    return to;
}

/* ------------------------------------------------------------------------------ the numbers */

/* What an open line has a hole for. */
static char *put_measure(char *to, const struct access_record *record, enum access_what what,
                         bool is_json)
{
    switch (what) {
    case ACCESS_BODY:
        if (record->body == 0 && !is_json)
            return put(to, SPAN("-"));
        return put_number(to, record->body);
    case ACCESS_BODY_0: return put_number(to, record->body);
    case ACCESS_SENT: return put_number(to, record->sent);
    case ACCESS_MS: return put_number(to, (uint64_t)record->us / 1000);
    case ACCESS_S: return put_number(to, (uint64_t)record->us / 1000000);
    default: return put_number(to, (uint64_t)record->us);
    }
}

static char *put_hole(char *to, enum access_what what)
{
    *to++ = HOLE;
    *to++ = (char)what;
    return to;
}

size_t access_line_close(const struct access_record *record, const char *line, size_t n,
                         bool is_json, char to[ACCESS_LINE_ROOM])
{
    char *at = to;
    const char *end = line + n;
    while (line < end) {
        const char *hole = memchr(line, HOLE, (size_t)(end - line));
        at = put(at, (struct span){.p = line, .n = (size_t)((hole ? hole : end) - line)});
        if (!hole)
            break;
        at = put_measure(at, record, (enum access_what)hole[1], is_json);
        line = hole + 2;
    }
    return (size_t)(at - to);
}

/* -------------------------------------------------------------------------------- the whole */

static char *put_optional(char *to, int64_t value, bool is_json)
{
    return value < 0 ? put_value(to, to, (struct span){0}, is_json)
                     : put_number(to, (uint64_t)value);
}

static char *put_part(char *to, const char *end, const struct access_part *part,
                      const struct access_record *record, bool is_json)
{
    const struct http_request *request = record->request;
    switch (part->what) {
    case ACCESS_TEXT: return put(to, part->text);
    case ACCESS_PERCENT: return put(to, SPAN("%"));
    case ACCESS_DASH: return put_value(to, end, (struct span){0}, is_json);
    case ACCESS_CLIENT: return put_client(to, record->client, is_json);
    case ACCESS_PORT: return put_optional(to, record->port, is_json);
    case ACCESS_TIME: return put_time(to, record, is_json);
    case ACCESS_LINE: return put_value(to, end, line_of(record), is_json);
    case ACCESS_METHOD: return put_value(to, end, request->method_name, is_json);
    case ACCESS_PATH: return put_path(to, end, request, is_json);
    case ACCESS_QUERY: return put_query(to, end, request->query, is_json);
    case ACCESS_PROTOCOL: return put_protocol(to, request, is_json);
    case ACCESS_HOST: return put_value(to, end, request->authority, is_json);
    case ACCESS_FIELD: return put_value(to, end, field_of(request, part->text), is_json);
    case ACCESS_STATUS: return put_number(to, (uint64_t)record->status);
    case ACCESS_PID: return put_number(to, (uint64_t)record->pid);
    case ACCESS_SLOT: return put_number(to, (uint64_t)record->slot);
    case ACCESS_SERVED: return put_number(to, record->served);
    default: break;
    }
    return record->is_open ? put_hole(to, part->what)
                           : put_measure(to, record, part->what, is_json);
}

size_t access_line(const struct access_format *format, const struct access_record *record,
                   char to[ACCESS_LINE_ROOM])
{
    char *at = to;
    const char *limit = to + ACCESS_LINE_MAX;
    for (size_t i = 0; i < format->count; i++) {
        const struct access_part *part = &format->parts[i];
        at = put_part(at, limit - part->reserve, part, record, format->is_json);
    }
    *at++ = '\n';
    return (size_t)(at - to);
}
