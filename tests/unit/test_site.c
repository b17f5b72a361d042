#include "config/site.h"

#include "support.h"

static const char bad_page[] = "must be STATUS=/PATH, a status from 400 to 599";
static const char bad_path[] = "must be a file below ROOT, as in /index.html";
static const char bad_name[] = "must be NAME: VALUE, the name of letters, digits and dashes";
static const char ours[] = "is a field that drover writes itself";

/* A name of 63 bytes. */
#define NAME_63 "n23456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *text;
    const char *name, *value; /* what it comes to; NULL: it is wrong, */
    const char *why;          /* for this reason */
} fields[] = {
    {"X-One: 1", "X-One", "1", NULL},
    {"X-One:1", "X-One", "1", NULL},
    {"X-One: \t 1 2", "X-One", "1 2", NULL},
    {"X-One:", "X-One", "", NULL},
    {"X-One: a: b", "X-One", "a: b", NULL},
    {"X-One: \xc3\xa4", "X-One", "\xc3\xa4", NULL},
    {"X-One: a\tb", "X-One", "a\tb", NULL},
    {"Vary: Origin", "Vary", "Origin", NULL},
    {"Strict-Transport-Security: max-age=63072000", "Strict-Transport-Security", "max-age=63072000",
     NULL},
    {NAME_63 ": 1", NAME_63, "1", NULL},
    {NAME_63 "4: 1", NULL, NULL, "the name has more than 63 bytes"},
    {"X-One", NULL, NULL, "must be NAME: VALUE, with a colon"},
    {"", NULL, NULL, "must be NAME: VALUE, with a colon"},
    {": 1", NULL, NULL, bad_name},
    {"X One: 1", NULL, NULL, bad_name},
    {"X-One : 1", NULL, NULL, bad_name},
    {" X-One: 1", NULL, NULL, bad_name},
    {"X-\xc3\xa4: 1", NULL, NULL, bad_name},
    {"X-One: a\nb", NULL, NULL, "has a control byte in it"},
    {"X-One: a\r\nX-Two: b", NULL, NULL, "has a control byte in it"},
    {"X-One: \x7f", NULL, NULL, "has a control byte in it"},
    {"Cache-Control: no-store", NULL, NULL, "is what --cache-control is for"},
    {"Connection: close", NULL, NULL, ours},
    {"content-length: 0", NULL, NULL, ours},
    {"Content-Range: bytes */1", NULL, NULL, ours},
    {"CONTENT-TYPE: text/html", NULL, NULL, ours},
    {"Date: now", NULL, NULL, ours},
    {"ETag: \"1\"", NULL, NULL, ours},
    {"Keep-Alive: timeout=5", NULL, NULL, ours},
    {"Last-Modified: now", NULL, NULL, ours},
    {"Server: mine", NULL, NULL, ours},
    {"Trailer: x", NULL, NULL, ours},
    {"Transfer-Encoding: chunked", NULL, NULL, ours},
    {"Accept-Ranges: none", NULL, NULL, ours},
    {"Allow: POST", NULL, NULL, ours},
    {"Content-Encoding: br", NULL, NULL, ours},
    {"location: /", NULL, NULL, ours},
};

Test(site, fields)
{
    for (size_t i = 0; i < LENGTH(fields); i++) {
        struct settings s = {0};
        char why[256] = "";
        bool is_right = site_field(fields[i].text, &s, why, sizeof why);
        cr_expect_eq(is_right, fields[i].name != NULL, "%s: %s", fields[i].text, why);
        cr_expect_eq(s.field_count, is_right ? 1u : 0u);
        cr_expect_str_eq(why, fields[i].why ? fields[i].why : "", "%s: %s", fields[i].text, why);
        if (!is_right || !fields[i].name)
            continue;
        cr_expect_str_eq(s.fields[0].name, fields[i].name);
        cr_expect_str_eq(s.fields[0].value, fields[i].value, "%s: %s", fields[i].text,
                         s.fields[0].value);
    }
}

Test(site, fields_up_to_the_limit)
{
    struct settings s = {0};
    char why[256];
    for (size_t i = 0; i < SITE_FIELDS_MAX; i++)
        cr_assert(site_field("X-Same: 1", &s, why, sizeof why), "%zu: %s", i, why);
    cr_expect_not(site_field("X-Same: 1", &s, why, sizeof why));
    cr_expect_str_eq(why, "there are too many fields; 32 are allowed");
    cr_expect_eq(s.field_count, SITE_FIELDS_MAX);
}

static const struct {
    const char *text;
    int status;       /* 0: it is wrong, */
    const char *more; /* the path, or the reason */
} pages[] = {
    {"404=/404.html", 404, "/404.html"},
    {"400=/a", 400, "/a"},
    {"599=/a=b", 599, "/a=b"},
    {"399=/a", 0, bad_page},
    {"600=/a", 0, bad_page},
    {"0404=/a", 0, bad_page},
    {"99999999999404=/a", 0, bad_page},
    {"40=/a", 0, bad_page},
    {"4x4=/a", 0, bad_page},
    {"-404=/a", 0, bad_page},
    {"404", 0, bad_page},
    {"404 =/a", 0, bad_page},
    {"=/a", 0, bad_page},
    {"/a", 0, bad_page},
    {"", 0, bad_page},
    {"404=", 0, bad_path},
    {"404=/", 0, bad_path},
    {"404=a", 0, bad_path},
};

Test(site, pages)
{
    for (size_t i = 0; i < LENGTH(pages); i++) {
        struct settings s = {0};
        char why[256] = "";
        bool is_right = site_page(pages[i].text, &s, why, sizeof why);
        cr_expect_eq(is_right, pages[i].status != 0, "%s: %s", pages[i].text, why);
        cr_expect_eq(s.page_count, is_right ? 1u : 0u, "%s", pages[i].text);
        cr_expect_eq(s.pages[0].status, pages[i].status, "%s", pages[i].text);
        cr_expect_str_eq(is_right ? s.pages[0].path : why, pages[i].more, "%s: %s", pages[i].text,
                         why);
    }
}

/* A status that is there already takes no place of its own. */
Test(site, pages_up_to_the_limit)
{
    struct settings s = {0};
    char why[256], texts[SITE_PAGES_MAX][16];
    for (int i = 0; i < SITE_PAGES_MAX; i++) {
        sprintf(texts[i], "%d=/%d", 400 + i, i);
        cr_assert(site_page(texts[i], &s, why, sizeof why), "%s: %s", texts[i], why);
    }
    cr_expect(site_page("401=/other", &s, why, sizeof why));
    cr_expect_str_eq(s.pages[1].path, "/other");
    cr_expect_eq(s.page_count, SITE_PAGES_MAX);
    cr_expect_not(site_page("500=/a", &s, why, sizeof why));
    cr_expect_str_eq(why, "there are too many pages; 32 are allowed");
}

Test(site, paths_and_values)
{
    char why[256];
    cr_expect(site_path("/index.html", why, sizeof why));
    cr_expect_not(site_path("index.html", why, sizeof why));
    cr_expect_str_eq(why, bad_path);
    cr_expect_not(site_path("/", why, sizeof why));
    cr_expect_not(site_path("", why, sizeof why));
    cr_expect(site_field_value("max-age=60, immutable", why, sizeof why));
    cr_expect_not(site_field_value("", why, sizeof why));
    cr_expect_str_eq(why, "must not be empty");
    cr_expect_not(site_field_value("a\nb", why, sizeof why));
    cr_expect_str_eq(why, "has a control byte in it");
}

static const char bad_rule[] = "must be PATTERN VALUE, as in *.css max-age=3600";
static const char bad_set[] = "the pattern has a [ that is not closed";

static const struct {
    const char *text, *glob, *value; /* glob: NULL: it is wrong, for the reason in value */
} caches[] = {
    {"*.css max-age=3600", "*.css", "max-age=3600"},
    {"* \t no-store, private", "*", "no-store, private"},
    {"a[0-9]?.js x", "a[0-9]?.js", "x"},
    {"[]a].js x", "[]a].js", "x"},
    {"[!]].js x", "[!]].js", "x"},
    {"", NULL, bad_rule},
    {"*.css", NULL, bad_rule},
    {"*.css ", NULL, bad_rule},
    {" x", NULL, bad_rule},
    {"a/b x", NULL, "the pattern is of a file's name alone, without a slash"},
    {"[a x", NULL, bad_set},
    {"[] x", NULL, bad_set},
    {"[!] x", NULL, bad_set},
    {"[ x", NULL, bad_set},
    {"* a\nb", NULL, "has a control byte in it"},
    {NAME_63 "4 x", NULL, "the pattern has more than 63 bytes"},
};

Test(site, cache_rules)
{
    for (size_t i = 0; i < LENGTH(caches); i++) {
        struct settings s = {0};
        char why[256] = "";
        bool is_right = site_cache(caches[i].text, &s, why, sizeof why);
        cr_expect_eq(is_right, caches[i].glob != NULL, "%s: %s", caches[i].text, why);
        cr_expect_str_eq(is_right ? s.caches[0].value : why, caches[i].value, "%s: %s",
                         caches[i].text, why);
        if (is_right && caches[i].glob)
            cr_expect_str_eq(s.caches[0].glob, caches[i].glob);
    }
}

Test(site, cache_rules_up_to_the_limit)
{
    struct settings s = {0};
    char why[256];
    for (size_t i = 0; i < SITE_CACHES_MAX; i++)
        cr_assert(site_cache("* x", &s, why, sizeof why), "%zu: %s", i, why);
    cr_expect_not(site_cache("* x", &s, why, sizeof why));
    cr_expect_str_eq(why, "there are too many rules; 32 are allowed");
}

static const char bad_host[] =
    "must be a host's name, as in example.org, or *.example.org for all below it";
static const char bad_star[] = "a star stands for the first labels, as in *.example.org";
static const char has_port[] = "must be a name without a port; all ports are meant";

static const struct {
    const char *text, *why; /* NULL: it is right */
} hosts[] = {
    {"a", NULL},
    {"a.example.org", NULL},
    {"A.example.org.", NULL},
    {"*.example.org", NULL},
    {"*.a", NULL},
    {"a_b-c.example", NULL},
    {"192.0.2.1", NULL},
    {"[2001:db8::1]", NULL},
    {"", bad_host},
    {".", bad_host},
    {"a..b", bad_host},
    {".a", bad_host},
    {"a..", bad_host},
    {"a b", bad_host},
    {"a/b", bad_host},
    {"user@a", bad_host},
    {"caf\xc3\xa9", bad_host},
    {"[::1", bad_host},
    {"[]", bad_host},
    {"*", "stands for any host, which a site without host answers for"},
    {"*.", "stands for any host, which a site without host answers for"},
    {"a.*.b", bad_star},
    {"*a.b", bad_star},
    {"*.*.b", bad_star},
    {"a:80", has_port},
    {"::1", has_port},
    {"http://a", has_port},
};

Test(site, hosts)
{
    for (size_t i = 0; i < LENGTH(hosts); i++) {
        struct settings s = {0};
        char why[256] = "";
        bool is_right = site_host(hosts[i].text, &s, why, sizeof why);
        cr_expect_eq(is_right, hosts[i].why == NULL, "%s: %s", hosts[i].text, why);
        cr_expect_eq(s.host_count, is_right ? 1u : 0u);
        cr_expect_str_eq(why, hosts[i].why ? hosts[i].why : "", "%s: %s", hosts[i].text, why);
    }
}

Test(site, hosts_up_to_the_limits)
{
    struct settings s = {0};
    char why[256], name[HOST_NAME_MAX_LENGTH + 2];
    memset(name, 'a', sizeof name);
    name[HOST_NAME_MAX_LENGTH] = '\0';
    for (size_t i = 0; i < SITE_HOSTS_MAX; i++)
        cr_assert(site_host(name, &s, why, sizeof why), "%zu: %s", i, why);
    cr_expect_not(site_host("a", &s, why, sizeof why));
    cr_expect_str_eq(why, "there are too many hosts; 32 are allowed");
    s.host_count = 0;
    name[HOST_NAME_MAX_LENGTH] = 'a';
    name[HOST_NAME_MAX_LENGTH + 1] = '\0';
    cr_expect_not(site_host(name, &s, why, sizeof why));
    cr_expect_str_eq(why, "is longer than 253 bytes");
}

static const char bad_segment[] = "must not have . or .. for a segment";
static const char encoded[] = "is written as it is after decoding: without %, ? and #";

static const struct {
    const char *text, *why; /* NULL: it is right */
} prefixes[] = {
    {"/", NULL},
    {"/api", NULL},
    {"/api/", NULL},
    {"/a b/\xc3\xa9", NULL},
    {"/.well-known/...", NULL},
    {"", "must be a path, as in /api"},
    {"api", "must be a path, as in /api"},
    {"//", "must not have // in it"},
    {"/a//b", "must not have // in it"},
    {"/a//", "must not have // in it"},
    {"/.", bad_segment},
    {"/a/./b", bad_segment},
    {"/a/..", bad_segment},
    {"/../a", bad_segment},
    {"/a%20b", encoded},
    {"/a?b", encoded},
    {"/a#b", encoded},
};

Test(site, prefixes)
{
    char why[256], longest[SITE_PREFIX_MAX + 2];
    for (size_t i = 0; i < LENGTH(prefixes); i++) {
        why[0] = '\0';
        bool is_right = site_prefix(prefixes[i].text, why, sizeof why);
        cr_expect_eq(is_right, prefixes[i].why == NULL, "%s: %s", prefixes[i].text, why);
        cr_expect_str_eq(why, prefixes[i].why ? prefixes[i].why : "", "%s", prefixes[i].text);
    }
    memset(longest, '/', 1);
    memset(longest + 1, 'a', sizeof longest - 1);
    longest[SITE_PREFIX_MAX] = '\0';
    cr_expect(site_prefix(longest, why, sizeof why));
    longest[SITE_PREFIX_MAX] = 'a';
    longest[SITE_PREFIX_MAX + 1] = '\0';
    cr_expect_not(site_prefix(longest, why, sizeof why));
    cr_expect_str_eq(why, "is longer than 255 bytes");
}
