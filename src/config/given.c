#include "config/given.h"

#include <stdlib.h>
#include <string.h>

void givens_free(struct givens *givens)
{
    free(givens->text);
    givens->text = NULL;
    sections_free(&givens->sections);
}

bool givens_add(struct givens *givens, const struct given *one)
{
    if (givens->count == CONFIG_VALUES_MAX)
        return false;
    givens->list[givens->count++] = *one;
    givens->arguments += !one->place.file;
    return true;
}

bool givens_is_replaced(const struct givens *givens, const struct given *one)
{
    const struct option *o = one->option;
    bool takes_all = o->type == OPTION_ADDRESS || o->type == OPTION_TRUST;
    for (size_t i = 0; i < givens->arguments && !one->section; i++) {
        const struct given *argument = &givens->list[i];
        if (argument->option == o && (takes_all || option_is_same(o, argument->value, one->value)))
            return true;
    }
    return false;
}

bool givens_applies(const struct givens *givens, size_t i)
{
    return i < givens->arguments || !givens_is_replaced(givens, &givens->list[i]);
}

/* A field may be there twice, with two values. */
static bool replaces(const struct option *o, const char *one, const char *other)
{
    return o->type != OPTION_SITE_FIELD && option_is_same(o, one, other);
}

bool givens_stands(const struct givens *givens, size_t i)
{
    const struct given *one = &givens->list[i];
    if (i >= givens->arguments)
        return givens_applies(givens, i);
    /* The last one counts. */
    for (size_t k = i + 1; k < givens->arguments; k++) {
        const struct given *other = &givens->list[k];
        if (other->option == one->option && replaces(one->option, other->value, one->value))
            return false;
    }
    return true;
}

const struct given *givens_twice(const struct givens *givens, const struct given *one)
{
    for (size_t i = givens->arguments; i < givens->count; i++) {
        const struct given *other = &givens->list[i];
        if (other->option == one->option && other->section == one->section &&
            replaces(one->option, other->value, one->value))
            return other;
    }
    return NULL;
}

const struct given *givens_find_in(const struct givens *givens, const struct section *section,
                                   const char *name)
{
    for (size_t i = 0; i < givens->count; i++) {
        const struct given *one = &givens->list[i];
        if (one->section == section && strcmp(one->option->name, name) == 0 &&
            givens_stands(givens, i))
            return one;
    }
    return NULL;
}

const struct given *givens_find(const struct givens *givens, const char *name)
{
    return givens_find_in(givens, NULL, name);
}

void given_fault(const struct given *given, struct faults *faults, int status, const char *what)
{
    const char *name = given->option->name;
    const char *value = given->value;
    enum option_type type = given->option->type;
    bool is_text = type == OPTION_TEXT || type == OPTION_APP || type == OPTION_ACCESS_LOG;
    if (given->place.file)
        faults_add(faults, &given->place, status, "%s%s%.300s: %s", name, *value ? " = " : "",
                   value, what);
    else if (!*value && is_text)
        faults_add(faults, &given->place, status, "--%s: %s", name, what);
    else
        faults_add(faults, &given->place, status, "--%s %.200s: %s", name, value, what);
}
