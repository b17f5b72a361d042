#include "http/proxy.h"

#include <string.h>

enum { MALFORMED = -1, MORE = 0, DONE = 1 };

/* ---------------------------------------------------------------------------- version 1: a line */

struct line {
    const char *p;
    const char *end;
};

static int take_text(struct line *line, const char *want)
{
    for (; *want; want++, line->p++) {
        if (line->p == line->end)
            return MORE;
        if (*line->p != *want)
            return MALFORMED;
    }
    return DONE;
}

/* At least one of the allowed bytes, then the delimiter. */
static int take_word(struct line *line, const char *allowed, char delimiter, struct span *word)
{
    const char *stop = line->p;
    while (stop < line->end && *stop != '\0' && strchr(allowed, *stop))
        stop++;
    if (stop == line->end)
        return MORE;
    if (stop == line->p || *stop != delimiter)
        return MALFORMED;
    *word = (struct span){.p = line->p, .n = (size_t)(stop - line->p)};
    line->p = stop + 1;
    return DONE;
}

static int take_address(struct line *line, uint8_t family, struct http_address *address)
{
    struct span word;
    int result = take_word(line, family == 4 ? "0123456789." : "0123456789ABCDEFabcdef:.", ' ',
                           &word);
    if (result != DONE)
        return result;
    return ip_parse(word, address) && address->family == family ? DONE : MALFORMED;
}

static int take_port(struct line *line, char delimiter, struct http_address *address)
{
    struct span word;
    uint64_t port;
    int result = take_word(line, "0123456789", delimiter, &word);
    if (result != DONE)
        return result;
    if (!span_to_u64(word, &port) || port > UINT16_MAX || (word.n > 1 && *word.p == '0'))
        return MALFORMED;
    address->port = (uint16_t)port;
    return DONE;
}

static int take_family(struct line *line, uint8_t *family)
{
    if (line->p == line->end)
        return MORE;
    if (*line->p != '4' && *line->p != '6')
        return MALFORMED;
    *family = *line->p++ == '4' ? 4 : 6;
    return DONE;
}

static int take_tcp(struct line *line, struct proxy_header *out)
{
    uint8_t family = 0;
    int result = take_text(line, "TCP");
    if (result == DONE)
        result = take_family(line, &family);
    if (result == DONE)
        result = take_text(line, " ");
    if (result == DONE)
        result = take_address(line, family, &out->source);
    if (result == DONE)
        result = take_address(line, family, &out->destination);
    if (result == DONE)
        result = take_port(line, ' ', &out->source);
    if (result == DONE)
        result = take_port(line, '\r', &out->destination);
    return result == DONE ? take_text(line, "\n") : result;
}

static int take_unknown(struct line *line, struct proxy_header *out)
{
    int result = take_text(line, "UNKNOWN");
    out->is_local = true;
    if (result == DONE && line->p < line->end && *line->p == ' ')
        while (line->p < line->end && *line->p != '\r' && *line->p != '\n')
            line->p++;
    return result == DONE ? take_text(line, "\r\n") : result;
}

static int parse_line(const char *bytes, size_t length, struct proxy_header *out)
{
    bool full = length >= PROXY_LINE_MAX;
    struct line line = {.p = bytes, .end = bytes + (full ? PROXY_LINE_MAX : length)};
    int result = take_text(&line, "PROXY ");
    if (result == DONE && line.p == line.end)
        result = MORE;
    if (result == DONE)
        result = *line.p == 'U' ? take_unknown(&line, out) : take_tcp(&line, out);
    if (result == MORE && full)
        return MALFORMED;
    return result == DONE ? (int)(line.p - bytes) : result;
}

/* ---------------------------------------------------------------------------- version 2: binary */

static const uint8_t signature[] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                    '\n', 'Q',  'U',  'I',  'T', '\n'};

/* Offsets in the fixed part. */
enum { COMMAND = sizeof signature, FORM, LENGTH, FIXED_SIZE = LENGTH + 2 };

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 }; /* with the version */

enum { TLV_CRC32C = 3, TLV_START = 3, CRC32C_SIZE = 4 };

/* What the addresses are. The first form is of what is discarded. */
static const struct form {
    uint8_t code; /* address family and transport */
    uint8_t family;
    uint8_t address_size;
    uint8_t size; /* of both addresses and ports */
} forms[] = {
    {.code = 0x00},
    {.code = 0x11, .family = 4, .address_size = 4, .size = 12},
    {.code = 0x21, .family = 6, .address_size = 16, .size = 36},
    {.code = 0x31, .size = 216},
};

struct binary {
    const uint8_t *p;
    size_t length;           /* that have come */
    const struct form *form; /* the rest is set by read_fixed() and read_tlvs() */
    size_t size;             /* of the whole header */
    size_t crc_at;           /* offset of the CRC32C, or 0 */
};

static size_t number_at(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static const struct form *form_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].code == code)
            return &forms[i];
    /* Datagrams: forms that a receiver need not know, if it takes them for AF_UNSPEC (2.2). */
    return code == 0x12 || code == 0x22 || code == 0x32 ? &forms[0] : NULL;
}

static int read_fixed(struct binary *b)
{
    size_t n = b->length < sizeof signature ? b->length : sizeof signature;
    if (memcmp(b->p, signature, n) != 0)
        return MALFORMED;
    if (b->length <= COMMAND)
        return MORE;
    if (b->p[COMMAND] != COMMAND_LOCAL && b->p[COMMAND] != COMMAND_PROXY)
        return MALFORMED;
    if (b->length <= FORM)
        return MORE;
    b->form = b->p[COMMAND] == COMMAND_LOCAL ? &forms[0] : form_of(b->p[FORM]);
    if (!b->form)
        return MALFORMED;
    if (b->length < FIXED_SIZE)
        return MORE;
    b->size = FIXED_SIZE + number_at(b->p + LENGTH);
    return b->size <= PROXY_HEADER_MAX && b->size >= (size_t)FIXED_SIZE + b->form->size ? DONE
                                                                                        : MALFORMED;
}

/* One TLV at the offset, which goes to the next one: a type, the value's length, the value. */
static int read_tlv(struct binary *b, size_t *at)
{
    if (b->size - *at < TLV_START)
        return MALFORMED;
    if (b->length < *at + TLV_START)
        return MORE;
    size_t value = *at + TLV_START;
    size_t n = number_at(b->p + *at + 1);
    if (n > b->size - value)
        return MALFORMED;
    if (b->p[*at] == TLV_CRC32C) {
        if (n != CRC32C_SIZE || b->crc_at)
            return MALFORMED;
        b->crc_at = value;
    }
    *at = value + n;
    return DONE;
}

static int read_tlvs(struct binary *b)
{
    int result = DONE;
    for (size_t at = (size_t)FIXED_SIZE + b->form->size; result == DONE && at < b->size;)
        result = read_tlv(b, &at);
    return result == DONE && b->length < b->size ? MORE : result;
}

/* CRC-32C (RFC 9260, appendix A) four bits at a time, with the sum's own bytes taken for zeros. */
static uint32_t sum(const struct binary *b)
{
    static const uint32_t steps[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < b->size; i++) {
        bool is_own = i >= b->crc_at && i < b->crc_at + CRC32C_SIZE;
        crc ^= is_own ? 0 : b->p[i];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc;
}

static bool is_sum_right(const struct binary *b)
{
    const uint8_t *p = b->p + b->crc_at;
    return b->crc_at == 0 || sum(b) == ((uint32_t)number_at(p) << 16 | number_at(p + 2));
}

/* Source, destination, source's port, destination's port. */
static void read_addresses(const struct binary *b, struct proxy_header *out)
{
    const struct form *form = b->form;
    const uint8_t *addresses = b->p + FIXED_SIZE;
    const uint8_t *ports = addresses + 2 * form->address_size;
    if (form->family == 0)
        return;
    out->source.family = out->destination.family = form->family;
    memcpy(out->source.bytes, addresses, form->address_size);
    memcpy(out->destination.bytes, addresses + form->address_size, form->address_size);
    out->source.port = (uint16_t)number_at(ports);
    out->destination.port = (uint16_t)number_at(ports + 2);
}

static int parse_binary(const char *bytes, size_t length, struct proxy_header *out)
{
    struct binary b = {.p = (const uint8_t *)bytes, .length = length};
    int result = read_fixed(&b);
    if (result != DONE)
        return result;
    out->is_local = b.form == &forms[0];
    if (out->is_local)
        return length < b.size ? MORE : (int)b.size;
    result = read_tlvs(&b);
    if (result != DONE)
        return result;
    if (!is_sum_right(&b))
        return MALFORMED;
    read_addresses(&b, out);
    return (int)b.size;
}

/* --------------------------------------------------------------------------------------- either */

int proxy_parse(const char *bytes, size_t length, struct proxy_header *out)
{
    *out = (struct proxy_header){0};
    if (length == 0)
        return MORE;
    bool is_binary = (uint8_t)bytes[0] == signature[0];
    return is_binary ? parse_binary(bytes, length, out) : parse_line(bytes, length, out);
}
