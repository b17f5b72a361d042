#include "handlers/accept.h"

#include "support.h"

static const struct {
    const char *value; /* NULL: there is no such field */
    bool has_html;
} rows[] = {
    {NULL, true},
    {"", false},
    {"*/*", true},
    {"text/html", true},
    {"TEXT/HTML", true},
    {"text/*", true},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", true},
    {"application/json, text/plain, */*", true}, /* what axios sends */
    {"application/json", false},
    {"application/json,text/plain;q=0.5", false},
    {"image/avif,image/webp,image/*;q=0.8", false},
    {"text/html;level=1", true},
    {"text/html;level=1;q=0", false},
    {"text/html; q=0, */*", false},
    {"*/*, text/html; q=0", false},
    {"text/*;q=0, text/html", true},
    {"text/*;q=0, */*", false},
    {"*/*;q=0", false},
    {"*/*;q=0, text/html;q=0.001", true},
    {"text/html;Q=0.000", false},
    {"text/html;q=0.001", true},
    {"text/html;q=1", true},
    {"text/html ; q=0.5", true},
    {"\ttext/html\t", true},
    {" , ,text/html", true},
    {"text/htm", false},
    {"text/htmlx", false},
    {"text", false},
    {";q=0", false},
    {",;,", false},
};

Test(accept, rows)
{
    for (size_t i = 0; i < LENGTH(rows); i++) {
        const char *value = rows[i].value;
        struct drover_span span = {.p = value, .n = value ? strlen(value) : 0};
        cr_expect_eq(accept_has_html(span), rows[i].has_html, "%s", value ? value : "none");
    }
}

/* Nothing behind the span is read. */
Test(accept, ends_with_its_bytes)
{
    static const char value[] = "text/html;q=0.1";
    cr_expect(accept_has_html((struct drover_span){.p = value, .n = sizeof "text/html" - 1}));
    cr_expect_not(accept_has_html((struct drover_span){.p = value, .n = sizeof "text/htm" - 1}));
    cr_expect_not(
        accept_has_html((struct drover_span){.p = value, .n = sizeof "text/html;q=0." - 1}));
}
