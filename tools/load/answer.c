#include "load/answer.h"

#include <string.h>

#include "load/checksum.h"

enum part {
    PART_STATUS,
    PART_FIELD,
    PART_CHUNK_SIZE,
    PART_CHUNK_END,
    PART_TRAILER,
    PART_LINES, /* the parts before it are read by the line, those after it by the byte */
    PART_BODY = PART_LINES,
    PART_CHUNK,
    PART_REST, /* a body that the end of the connection delimits */
};

void answer_start(struct answer *a, bool summed)
{
    /* The line's bytes need no clearing, and they are most of the struct. */
    memset(a, 0, offsetof(struct answer, line));
    a->summed = summed;
}

static void malformed(struct answer *a)
{
    a->state = ANSWER_MALFORMED;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK"; the blank before an empty reason may be missing, as many servers have it. */
static void read_status(struct answer *a, struct span line)
{
    const char *p = line.p;
    if (line.n < 12 || memcmp(p, "HTTP/1.", 7) != 0 || !is_digit(p[7]) || p[8] != ' ' ||
        p[9] < '1' || p[9] > '9' || !is_digit(p[10]) || !is_digit(p[11]) ||
        (line.n > 12 && p[12] != ' ')) {
        malformed(a);
        return;
    }
    a->old = p[7] == '0';
    a->status = (p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0');
    a->part = PART_FIELD;
}

static void read_length(struct answer *a, struct span value)
{
    uint64_t length;
    if (!span_to_u64(value, &length) || (a->sized && length != a->left)) {
        malformed(a);
        return;
    }
    a->sized = true;
    a->left = length;
}

static void read_coding(struct answer *a, struct span value)
{
    struct span element;
    a->coded = true;
    while (span_next_element(&value, &element))
        a->chunked = span_eq_nocase(element, SPAN("chunked"));
}

static void read_connection(struct answer *a, struct span value)
{
    struct span element;
    while (span_next_element(&value, &element)) {
        if (span_eq_nocase(element, SPAN("close")))
            a->close = true;
        else if (span_eq_nocase(element, SPAN("keep-alive")))
            a->keep_alive = true;
    }
}

static const struct {
    struct span name;
    void (*read)(struct answer *a, struct span value);
} framing_fields[] = {
    {{"content-length", 14}, read_length},
    {{"transfer-encoding", 17}, read_coding},
    {{"connection", 10}, read_connection},
};

/* Splits a field line; false when it is none. */
static bool split_field(struct span line, struct span *name, struct span *value)
{
    const char *colon = memchr(line.p, ':', line.n);
    if (!colon || colon == line.p)
        return false;
    *name = (struct span){.p = line.p, .n = (size_t)(colon - line.p)};
    *value = span_trim((struct span){.p = colon + 1, .n = line.n - name->n - 1});
    /* Also refuses a folded line, and a blank before the colon (RFC 9112, 5.1 and 5.2). */
    return !memchr(name->p, ' ', name->n) && !memchr(name->p, '\t', name->n);
}

static bool has_no_body(const struct answer *a)
{
    return a->status < 200 || a->status == 204 || a->status == 304 || (a->sized && a->left == 0);
}

/* An interim answer: the final one starts on the next line. */
static void pass_over(struct answer *a)
{
    answer_start(a, a->summed);
    a->started = true;
}

static void end_head(struct answer *a)
{
    a->close = a->close || (a->old && !a->keep_alive) || a->status == 101;
    if (a->coded && (a->sized || a->old))
        malformed(a);
    else if (a->status < 200 && a->status != 101)
        pass_over(a);
    else if (has_no_body(a))
        a->state = ANSWER_WHOLE;
    else if (a->chunked)
        a->part = PART_CHUNK_SIZE;
    else if (a->coded || !a->sized)
        a->part = PART_REST;
    else
        a->part = PART_BODY;
    if (a->part == PART_REST)
        a->close = true;
}

static void read_field(struct answer *a, struct span line)
{
    struct span name, value;
    if (line.n == 0) {
        end_head(a);
        return;
    }
    if (!split_field(line, &name, &value)) {
        malformed(a);
        return;
    }
    for (size_t i = 0; i < sizeof framing_fields / sizeof *framing_fields; i++) {
        if (!span_eq_nocase(name, framing_fields[i].name))
            continue;
        if (a->line_n > ANSWER_LINE_MAX) /* its end is not known any more */
            malformed(a);
        else
            framing_fields[i].read(a, value);
    }
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void read_chunk_size(struct answer *a, struct span line)
{
    uint64_t size = 0;
    size_t i = 0;
    for (; i < line.n && hex_value(line.p[i]) >= 0; i++) {
        if (size >> 60) /* the next digit would overflow */
            break;
        size = size << 4 | (unsigned)hex_value(line.p[i]);
    }
    if (i == 0 || (i < line.n && line.p[i] != ';') || a->line_n > ANSWER_LINE_MAX) {
        malformed(a);
        return;
    }
    a->left = size;
    a->part = size > 0 ? PART_CHUNK : PART_TRAILER;
}

static void read_chunk_end(struct answer *a, struct span line)
{
    if (line.n > 0)
        malformed(a);
    a->part = PART_CHUNK_SIZE;
}

static void read_trailer(struct answer *a, struct span line)
{
    struct span name, value;
    if (line.n == 0)
        a->state = ANSWER_WHOLE;
    else if (!split_field(line, &name, &value))
        malformed(a);
}

static void (*const line_readers[])(struct answer *a, struct span line) = {
    [PART_STATUS] = read_status,         [PART_FIELD] = read_field,
    [PART_CHUNK_SIZE] = read_chunk_size, [PART_CHUNK_END] = read_chunk_end,
    [PART_TRAILER] = read_trailer,
};
_Static_assert(sizeof line_readers / sizeof *line_readers == PART_LINES, "a reader a line");

/* Keeps a piece of a line for when the rest has come. */
static void keep(struct answer *a, struct span piece)
{
    if (a->line_n < ANSWER_LINE_MAX) {
        size_t room = ANSWER_LINE_MAX - a->line_n;
        memcpy(a->line + a->line_n, piece.p, piece.n < room ? piece.n : room);
    }
    a->line_n += piece.n;
}

/* A whole line, without its line feed. */
static void read_line(struct answer *a, struct span line)
{
    if (a->line_n > 0) {
        keep(a, line);
        line = (struct span){.p = a->line, .n = a->line_n};
    }
    a->line_n = line.n;
    if (line.n > ANSWER_LINE_MAX) {
        line.n = ANSWER_LINE_MAX; /* so that a line in pieces and one in a whole read the same */
        line_readers[a->part](a, line);
    } else if (line.n == 0 || line.p[line.n - 1] != '\r') {
        malformed(a);
    } else {
        line.n--;
        line_readers[a->part](a, line);
    }
    a->line_n = 0;
}

static size_t feed_line(struct answer *a, struct span bytes)
{
    const char *end = memchr(bytes.p, '\n', bytes.n);
    if (!end) {
        keep(a, bytes);
        return bytes.n;
    }
    size_t n = (size_t)(end - bytes.p);
    read_line(a, (struct span){.p = bytes.p, .n = n});
    return n + 1;
}

static size_t feed_body(struct answer *a, struct span bytes)
{
    size_t n = bytes.n;
    if (a->part != PART_REST) {
        n = bytes.n < a->left ? bytes.n : (size_t)a->left;
        a->left -= n;
    }
    a->body += n;
    if (a->summed)
        a->checksum = checksum_add(a->checksum, (struct span){.p = bytes.p, .n = n});
    if (a->part == PART_BODY && a->left == 0)
        a->state = ANSWER_WHOLE;
    else if (a->part == PART_CHUNK && a->left == 0)
        a->part = PART_CHUNK_END;
    return n;
}

size_t answer_feed(struct answer *a, struct span bytes)
{
    size_t used = 0;
    a->started = a->started || bytes.n > 0;
    while (a->state == ANSWER_MORE && used < bytes.n) {
        struct span rest = {.p = bytes.p + used, .n = bytes.n - used};
        used += a->part < PART_LINES ? feed_line(a, rest) : feed_body(a, rest);
    }
    return used;
}

void answer_end(struct answer *a)
{
    if (a->state == ANSWER_MORE)
        a->state = a->part == PART_REST ? ANSWER_WHOLE : ANSWER_CUT;
}
