#include "docs/header.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docs/help.h"
#include "docs/mdoc.h"

/* ------------------------------------------------------------------- what the text is made of */

/* A comment's words, from behind its opening on: without the stars of its lines. Returns where it
 * ends. */
static const char *take_comment(const char *at, struct buf *words)
{
    buf_clear(words);
    at += strlen("/*");
    while (*at && strncmp(at, "*/", 2) != 0) {
        buf_add(words, at, 1);
        if (*at++ != '\n')
            continue;
        at += strspn(at, " ");
        if (*at == '*' && at[1] != '/')
            at += at[1] == ' ' ? 2 : 1;
    }
    while (words->len > 0 && isspace((unsigned char)words->p[words->len - 1]))
        words->len--;
    buf_add(words, "", 1);
    return *at ? at + 2 : at;
}

/* Code up to `end` at the outermost level, its white space made single; comments in it are left
 * out, unless they come before it. Returns where it ends, behind `end`. */
static const char *take_code(const char *at, const char *ends, struct buf *code)
{
    int depth = 0;
    buf_clear(code);
    for (; *at && (depth > 0 || !strchr(ends, *at)); at++) {
        depth += (*at == '(' || *at == '{') - (*at == ')' || *at == '}');
        if (depth < 0)
            break;
        if (!isspace((unsigned char)*at))
            buf_add(code, at, 1);
        else if (code->len > 0 && code->p[code->len - 1] != ' ')
            buf_lit(code, " ");
    }
    while (code->len > 0 && code->p[code->len - 1] == ' ')
        code->len--;
    buf_add(code, "", 1);
    return *at && depth == 0 ? at + 1 : at;
}

/* ------------------------------------------------------------------------------ what is written */

static void add_words(struct buf *to, const char *words, bool in_list)
{
    struct help help = {0};
    bool is_list = false;
    if (help_parse(&help, words) < 0)
        return;
    for (size_t i = 0; i < help.count; i++) {
        const struct block *b = &help.blocks[i];
        if (is_list != (b->kind == BLOCK_ITEM)) {
            buf_str(to, is_list ? ".El\n" : ".Bl -tag -width EALREADY\n");
            is_list = !is_list;
        }
        if (is_list)
            buf_printf(to, ".It Er %s\n", b->term);
        else if (i > 0 || !in_list)
            buf_lit(to, ".Pp\n");
        mdoc_text(to, b->text);
    }
    if (is_list)
        buf_lit(to, ".El\n");
    help_free(&help);
}

/* ".It" for a function: what it returns, its name, and its arguments. */
static void add_function(struct buf *to, const char *code)
{
    const char *open = strchr(code, '('), *name = open;
    struct buf argument = {0};
    while (name > code && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
        name--;
    int type = (int)(name - code);
    while (type > 0 && code[type - 1] == ' ')
        type--;
    buf_printf(to, ".It Ft \"%.*s\" Fn %.*s", type, code, (int)(open - name), name);
    for (const char *at = open + 1; *at && *at != ')';) {
        const char *next = take_code(at, ",", &argument);
        buf_printf(to, " \"%s\"", argument.p);
        at = next;
    }
    buf_lit(to, "\n");
    buf_free(&argument);
}

static void add_member(struct buf *to, const char *code, bool is_enum)
{
    buf_printf(to, ".It %s \"%s%s\"\n", is_enum ? "Dv" : "Vt", code, is_enum ? "" : ";");
}

/* What stands in the braces: a member, and the comment before it or on its line. */
static const char *add_members(struct buf *to, const char *at, bool is_enum)
{
    struct buf code = {0}, before = {0}, behind = {0};
    buf_lit(to, ".Bl -tag -width 4n\n");
    while (*(at += strspn(at, " \n")) && *at != '}') {
        if (strncmp(at, "/*", 2) == 0) {
            at = take_comment(at, &before);
            continue;
        }
        at = take_code(at, is_enum ? "," : ";", &code);
        add_member(to, code.p, is_enum);
        if (before.len > 0)
            add_words(to, before.p, true);
        buf_clear(&before);
        const char *comment = at + strspn(at, " ");
        if (strncmp(comment, "/*", 2) != 0)
            continue;
        at = take_comment(comment, &behind);
        add_words(to, behind.p, true);
    }
    buf_lit(to, ".El\n");
    buf_free(&code);
    buf_free(&before);
    buf_free(&behind);
    return at;
}

/* ------------------------------------------------------------------------- chunk after chunk */

struct reader {
    struct buf *to;
    struct buf words; /* of the comment that waits for what it is about */
    struct buf code;
    bool is_list; /* declarations were written that it is about */
};

/* The list is over: the comment is its text. */
static void end_chunk(struct reader *r)
{
    if (r->words.len > 0)
        add_words(r->to, r->words.p, r->is_list);
    if (r->is_list)
        buf_lit(r->to, ".El\n");
    buf_clear(&r->words);
    r->is_list = false;
}

static void begin_list(struct reader *r)
{
    if (!r->is_list)
        buf_lit(r->to, ".Bl -tag -width 4n\n");
    r->is_list = true;
}

static const char *take_section(struct reader *r, const char *at)
{
    end_chunk(r);
    at = take_comment(at, &r->words);
    char *title = r->words.p + strspn(r->words.p, " -");
    size_t n = strcspn(title, "\n");
    buf_printf(r->to, ".Ss %c%.*s\n", toupper((unsigned char)*title), (int)n - 1, title + 1);
    add_words(r->to, title + n, true);
    buf_clear(&r->words);
    return at;
}

static const char *line_end(const char *at)
{
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

/* A line of the preprocessor, of which the constants and macros of the interface are shown. */
static const char *take_directive(struct reader *r, const char *at)
{
    static const char define[] = "#define DROVER_", hidden[] = "#define DROVER_EXPORT";
    bool is_shown = strncmp(at, define, strlen(define)) == 0 &&
                    strncmp(at, hidden, strlen(hidden)) != 0;
    size_t n = strcspn(at, "\n\\");
    while (n > 0 && at[n - 1] == ' ')
        n--;
    /* a name alone is a guard */
    if (is_shown && (memchr(at + 8, ' ', n - 8) || at[n - 1] == ')')) {
        begin_list(r);
        buf_printf(r->to, ".It Dv \"%.*s\"\n", (int)n - 8, at + 8);
    }
    while (at[strcspn(at, "\n") - 1] == '\\')
        at = line_end(at);
    return line_end(at);
}

/* A struct or enum with its members. */
static const char *take_type(struct reader *r, const char *at, const char *open)
{
    bool is_enum = strncmp(at, "enum", 4) == 0;
    while (open > at && open[-1] == ' ')
        open--;
    begin_list(r);
    buf_printf(r->to, ".It Vt \"%.*s\"\n", (int)(open - at), at);
    if (r->words.len > 0)
        add_words(r->to, r->words.p, true);
    buf_clear(&r->words);
    at = add_members(r->to, strchr(open, '{') + 1, is_enum);
    return line_end(at);
}

static const char *take_declaration(struct reader *r, const char *at)
{
    const char *end = at + strcspn(at, ";{");
    if (*end == '{')
        return take_type(r, at, end);
    const char *next = take_code(at, ";", &r->code);
    char *attribute = strstr(r->code.p, " #ifdef");
    if (attribute)
        *attribute = '\0';
    begin_list(r);
    if (strncmp(r->code.p, "typedef", 7) != 0 && strchr(r->code.p, '('))
        add_function(r->to, r->code.p);
    else
        buf_printf(r->to, ".It Vt \"%s;\"\n", r->code.p);
    return next;
}

static void take_header(struct reader *r, const char *at)
{
    while (*at) {
        if (strncmp(at, "/* ---", 6) == 0) {
            at = take_section(r, at);
        } else if (strncmp(at, "/*", 2) == 0) {
            end_chunk(r);
            at = take_comment(at, &r->words);
        } else if (*at == '\n') {
            if (at[-1] == '\n') /* an empty line */
                end_chunk(r);
            at++;
        } else if (*at == '#') {
            at = take_directive(r, at);
        } else if (*at == '}' || strncmp(at, "extern", 6) == 0) {
            at = line_end(at);
        } else {
            at = take_declaration(r, at);
        }
    }
    end_chunk(r);
}

static int read_file(struct buf *text, const char *path)
{
    FILE *file = fopen(path, "re");
    char *room;
    size_t n;
    if (!file) {
        fprintf(stderr, "drover-docs: %s: %s\n", path, strerror(errno));
        return -1;
    }
    while ((room = buf_room(text, 4096)) && (n = fread(room, 1, 4096, file)) > 0)
        buf_grow(text, n);
    fclose(file);
    buf_add(text, "", 1);
    return 0;
}

int header_manual(struct buf *to, const char *file)
{
    struct reader r = {.to = to};
    struct buf text = {0};
    if (read_file(&text, file) < 0)
        return -1;
    /* the first comment is about the file, and the manual's own words say that */
    const char *at = strstr(text.p, "*/");
    if (at)
        take_header(&r, at + 2);
    buf_free(&text);
    buf_free(&r.words);
    buf_free(&r.code);
    return 0;
}
