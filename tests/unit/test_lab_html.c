#include "lab/report/html.h"

#include <criterion/criterion.h>
#include <math.h>

static const char *done(struct buf *out)
{
    buf_add(out, "", 1);
    cr_assert_not(out->failed);
    return out->p;
}

struct text_case {
    const char *name, *text, *html;
};

Test(lab_html, text_is_escaped)
{
    static const struct text_case cases[] = {
        {"nothing to do", "epoll-lt", "epoll-lt"},
        {"markup", "</td><script>alert(1)</script>",
         "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;"},
        {"attributes", "\" onclick='x", "&quot; onclick=&#39;x"},
        {"an entity", "&lt;", "&amp;lt;"},
        {"UTF-8", "\xc2\xb5s", "\xc2\xb5s"},
        {"no UTF-8", "a\xff\xc2z", "a\xef\xbf\xbd\xef\xbf\xbdz"},
        {"controls", "a\x01\x1b[0m\n", "a\xef\xbf\xbd\xef\xbf\xbd[0m\n"},
        {"empty", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        html_text(&out, cases[i].text);
        cr_expect_str_eq(done(&out), cases[i].html, "%s: %s", cases[i].name, out.p);
        buf_free(&out);
    }
}

struct number_case {
    double value;
    const char *words;
};

Test(lab_html, numbers_have_three_digits_that_count)
{
    static const struct number_case cases[] = {
        {0, "0"},         {1, "1.00"},         {0.98, "0.98"},         {9.99, "9.99"},
        {9.996, "10.0"},  {15.94, "15.9"},     {99.96, "100"},         {1234, "1234"},
        {9999.4, "9999"}, {10000, "10,000"},   {1234567, "1,234,567"}, {0.0051, "0.005"},
        {-2.5, "-2.50"},  {-12345, "-12,345"}, {NAN, "\xe2\x80\x93"},  {INFINITY, "\xe2\x80\x93"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        number_words(text, sizeof text, cases[i].value);
        cr_expect_str_eq(text, cases[i].words, "%g: %s", cases[i].value, text);
    }
}

Test(lab_html, whole_counts_have_no_point)
{
    struct buf out = {0};
    html_count(&out, 3);
    buf_lit(&out, " ");
    html_count(&out, 18000);
    buf_lit(&out, " ");
    html_count(&out, 2.5);
    cr_expect_str_eq(done(&out), "3 18&#8239;000 2.50");
    buf_free(&out);
}

Test(lab_html, names_read_as_a_sentence)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const struct {
        size_t count;
        const char *html;
    } cases[] = {
        {0, ""},
        {1, "<code>a</code>"},
        {2, "<code>a</code> and <code>b</code>"},
        {3, "<code>a</code>, <code>b</code> and <code>c</code>"},
        {8, "<code>a</code>, <code>b</code>, <code>c</code>, <code>d</code>, <code>e</code>, "
            "<code>f</code> and 2 more"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        html_names(&out, names, cases[i].count);
        cr_expect_str_eq(done(&out), cases[i].html, "%zu names: %s", cases[i].count, out.p);
        buf_free(&out);
    }
}
