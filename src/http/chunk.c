#include "http/chunk.h"

#include "base/limits.h"

/* START is entered by nothing, so a 0 in the table below says: refused. */
enum state {
    START,
    SIZE,
    EXTENSION,
    NAME,
    NAME_BLANK,
    VALUE,
    TOKEN,
    QUOTED,
    ESCAPED,
    QUOTE_END,
    BLANK_END, /* after a size or a value: white space, which only another extension may follow */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    NEXT,
    TRAILER,
    FIELD_NAME,
    FIELD_VALUE,
    FIELD_LF,
    LAST_LF,
    WHOLE,
    REFUSED,
};

enum class {
    CONTROL,
    HEX,
    LETTER, /* any other byte of a token */
    BLANK,
    SEMICOLON,
    EQUALS,
    COLON,
    QUOTE,
    ESCAPE,
    OTHER, /* any other byte of a field's value */
    CR,
    LF,
    CLASSES,
};

static const uint8_t classes[256] = {
    ['\t'] = BLANK,
    ['\n'] = LF,
    ['\r'] = CR,
    [' '] = BLANK,
    ['!'] = LETTER,
    ['"'] = QUOTE,
    ['#' ... '\''] = LETTER,
    ['(' ... ')'] = OTHER,
    ['*' ... '+'] = LETTER,
    [','] = OTHER,
    ['-' ... '.'] = LETTER,
    ['/'] = OTHER,
    ['0' ... '9'] = HEX,
    [':'] = COLON,
    [';'] = SEMICOLON,
    ['<'] = OTHER,
    ['='] = EQUALS,
    ['>' ... '@'] = OTHER,
    ['A' ... 'F'] = HEX,
    ['G' ... 'Z'] = LETTER,
    ['['] = OTHER,
    ['\\'] = ESCAPE,
    [']'] = OTHER,
    ['^' ... '`'] = LETTER,
    ['a' ... 'f'] = HEX,
    ['g' ... 'z'] = LETTER,
    ['{'] = OTHER,
    ['|'] = LETTER,
    ['}'] = OTHER,
    ['~'] = LETTER,
    [0x80 ... 0xff] = OTHER,
};

#define TOKEN_BYTES(state) [HEX] = (state), [LETTER] = (state)
#define TEXT_BYTES(state) \
    [HEX... LETTER] = (state), [BLANK] = (state), [SEMICOLON... COLON] = (state), [OTHER] = (state)

/* RFC 9112, 7.1, a line a state. In DATA the bytes are not looked at. */
static const uint8_t next[REFUSED + 1][CLASSES] = {
    [START] = {[HEX] = SIZE},
    [SIZE] = {[HEX] = SIZE, [SEMICOLON] = EXTENSION, [BLANK] = BLANK_END, [CR] = SIZE_LF},
    [EXTENSION] = {[BLANK] = EXTENSION, TOKEN_BYTES(NAME)},
    [NAME] = {TOKEN_BYTES(NAME), [EQUALS] = VALUE, [SEMICOLON] = EXTENSION, [BLANK] = NAME_BLANK,
              [CR] = SIZE_LF},
    [NAME_BLANK] = {[BLANK] = NAME_BLANK, [EQUALS] = VALUE, [SEMICOLON] = EXTENSION},
    [VALUE] = {[BLANK] = VALUE, TOKEN_BYTES(TOKEN), [QUOTE] = QUOTED},
    [TOKEN] = {TOKEN_BYTES(TOKEN), [SEMICOLON] = EXTENSION, [BLANK] = BLANK_END, [CR] = SIZE_LF},
    [QUOTED] = {TEXT_BYTES(QUOTED), [ESCAPE] = ESCAPED, [QUOTE] = QUOTE_END},
    [ESCAPED] = {TEXT_BYTES(QUOTED), [ESCAPE] = QUOTED, [QUOTE] = QUOTED},
    [QUOTE_END] = {[SEMICOLON] = EXTENSION, [BLANK] = BLANK_END, [CR] = SIZE_LF},
    [BLANK_END] = {[BLANK] = BLANK_END, [SEMICOLON] = EXTENSION},
    [SIZE_LF] = {[LF] = DATA},
    [DATA_CR] = {[CR] = DATA_LF},
    [DATA_LF] = {[LF] = NEXT},
    [NEXT] = {[HEX] = SIZE},
    [TRAILER] = {TOKEN_BYTES(FIELD_NAME), [CR] = LAST_LF},
    [FIELD_NAME] = {TOKEN_BYTES(FIELD_NAME), [COLON] = FIELD_VALUE},
    [FIELD_VALUE] =
        {TEXT_BYTES(FIELD_VALUE), [ESCAPE] = FIELD_VALUE, [QUOTE] = FIELD_VALUE, [CR] = FIELD_LF},
    [FIELD_LF] = {[LF] = TRAILER},
    [LAST_LF] = {[LF] = WHOLE},
};

/* Sixteen digits fill the 64 bits: nothing overflows. */
static bool add_digit(struct http_chunked *c, char digit)
{
    unsigned low = (unsigned)digit & 0xf;
    if (c->digits == 2 * sizeof c->left)
        return false;
    c->digits++;
    c->left = c->left << 4 | (digit > '9' ? low + 9 : low);
    return true;
}

/* Counts a byte of a size line or of the trailers. */
static bool count_byte(struct http_chunked *c, enum state state)
{
    if (state >= SIZE && state <= BLANK_END)
        return ++c->line <= HTTP_CHUNK_LINE_MAX;
    if (state >= TRAILER && state <= FIELD_LF)
        return ++c->line <= HTTP_TRAILERS_MAX;
    return true;
}

static enum state step(struct http_chunked *c, char byte)
{
    enum state state = next[c->state][classes[(unsigned char)byte]];
    if (state == START || !count_byte(c, state) || (state == SIZE && !add_digit(c, byte)))
        return REFUSED;
    if (state == DATA) {
        c->line = 0;
        c->digits = 0;
        return c->left > 0 ? DATA : TRAILER;
    }
    return state;
}

static struct span take_data(struct http_chunked *c, struct span *input)
{
    size_t n = c->left < input->n ? (size_t)c->left : input->n;
    struct span data = {.p = input->p, .n = n};
    input->p += n;
    input->n -= n;
    c->left -= n;
    if (c->left == 0)
        c->state = DATA_CR;
    return data;
}

int http_chunked_read(struct http_chunked *chunked, struct span *input, struct span *data)
{
    *data = (struct span){.p = input->p, .n = 0};
    while (input->n > 0 && chunked->state < WHOLE) {
        if (chunked->state == DATA) {
            *data = take_data(chunked, input);
            return 0;
        }
        chunked->state = (uint8_t)step(chunked, *input->p);
        input->p++;
        input->n--;
    }
    if (chunked->state == REFUSED)
        return -1;
    return chunked->state == WHOLE ? 1 : 0;
}
