#include "config/site.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/field.h"
#include "http/parse.h"

static bool wrong(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

bool site_field_value(const char *text, char *why, size_t size)
{
    if (!*text)
        return wrong(why, size, "must not be empty");
    if (!http_is_value(span_of(text)))
        return wrong(why, size, "has a control byte in it");
    return true;
}

/* Beside what drover writes in every answer: these the site writes, where they belong. */
static bool is_of_the_site(struct span name)
{
    static const char *const theirs[] = {"Accept-Ranges", "Allow", "Content-Encoding", "Location",
                                         "Upgrade"};
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        if (span_eq_nocase(name, span_of(theirs[i])))
            return true;
    return false;
}

static bool check_field(struct span name, const char *value, char *why, size_t size)
{
    if (name.n >= SITE_FIELD_NAME_MAX)
        return wrong(why, size, "the name has more than %d bytes", SITE_FIELD_NAME_MAX - 1);
    if (!http_is_token(name))
        return wrong(why, size, "must be NAME: VALUE, the name of letters, digits and dashes");
    if (!http_is_value(span_of(value)))
        return wrong(why, size, "has a control byte in it");
    if (span_eq_nocase(name, SPAN("Cache-Control")))
        return wrong(why, size, "is what --cache-control is for");
    if (http_field_is_ours(name) || is_of_the_site(name))
        return wrong(why, size, "is a field that drover writes itself");
    return true;
}

bool site_field(const char *text, struct settings *settings, char *why, size_t size)
{
    struct span name = {.p = text, .n = strcspn(text, ":")};
    if (!text[name.n])
        return wrong(why, size, "must be NAME: VALUE; there is no colon");
    const char *value = text + name.n + 1;
    value += strspn(value, " \t");
    if (!check_field(name, value, why, size))
        return false;
    if (settings->field_count == SITE_FIELDS_MAX)
        return wrong(why, size, "there are too many fields; %d are allowed", SITE_FIELDS_MAX);
    struct setting_field *field = &settings->fields[settings->field_count++];
    memcpy(field->name, name.p, name.n);
    field->name[name.n] = '\0';
    field->value = value;
    return true;
}

bool site_path(const char *text, char *why, size_t size)
{
    if (text[0] != '/' || !text[1])
        return wrong(why, size, "must be a file below ROOT, as in /index.html");
    return true;
}

/* Where the page of this status is, or the first place that is free. */
static size_t place_of(const struct settings *settings, int status)
{
    size_t i = 0;
    while (i < settings->page_count && settings->pages[i].status != status)
        i++;
    return i;
}

bool site_page(const char *text, struct settings *settings, char *why, size_t size)
{
    int status = 0;
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits && i < 4; i++)
        status = status * 10 + (text[i] - '0');
    if (digits != 3 || status < 400 || status > 599 || text[digits] != '=')
        return wrong(why, size, "must be STATUS=/PATH, a status from 400 to 599");
    if (!site_path(text + digits + 1, why, size))
        return false;
    size_t place = place_of(settings, status);
    if (place == SITE_PAGES_MAX)
        return wrong(why, size, "there are too many pages; %d are allowed", SITE_PAGES_MAX);
    settings->pages[place] = (struct setting_page){.status = status, .path = text + digits + 1};
    if (place == settings->page_count)
        settings->page_count++;
    return true;
}
