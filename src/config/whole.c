#include "config/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "config/identity.h"
#include "config/option.h"
#include "config/setting.h"

/* What is checked: all that stands outside of sections, or one section. */
struct part {
    struct settings *settings;
    const struct givens *givens;
    struct faults *faults;
    const struct section *section; /* NULL: outside */
    bool app_is_unknown;
};

/* ------------------------------------------------------------------------- what a site may have */

/* Why an option of the static site has no place here; NULL: it has. */
static const char *why_no_files(const struct part *p, char *what, size_t size)
{
    const struct settings *s = p->settings;
    if (s->is_sites_only)
        return "is for a site: there are sections, so give a root before the first one, too, or "
               "move it into one";
    if (s->app && strcmp(s->app, "static") == 0)
        return NULL;
    snprintf(what, size, "is for the static site, not for --app %.200s", s->app);
    return what;
}

static void refuse_option(const struct part *p, const struct given *one, const char *why)
{
    if (one->is_argument)
        faults_add(p->faults, NULL, EX_USAGE, "%.200s: a ROOT %s", one->value, why);
    else
        faults_add(p->faults, &one->place, EX_USAGE, "%s%s %s", one->place.file ? "" : "--",
                   one->option->name, why);
}

/* Only the static site has a root, and what belongs to it. Of the command line one is enough. */
static void check_app(const struct part *p)
{
    char what[256];
    const struct givens *g = p->givens;
    const struct given *argument = NULL;
    const char *why = p->app_is_unknown ? NULL : why_no_files(p, what, sizeof what);
    if (!why)
        return;
    p->settings->root = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct given *one = &g->list[i];
        bool is_it = option_is_site(one->option) ||
                     (p->settings->is_sites_only && one->option->type == OPTION_APP);
        if (!is_it || one->section != p->section || !givens_stands(g, i))
            continue;
        if (one->place.file)
            refuse_option(p, one, why);
        else if (!argument || one->is_argument)
            argument = one;
    }
    if (argument)
        refuse_option(p, argument, why);
}

/* What may have been meant by a ROOT that is no directory. */
static void guess(const char *root, bool is_of_file, bool is_regular, char *what, size_t size)
{
    size_t n = strlen(root);
    if (n > 3 && strcmp(root + n - 3, ".so") == 0)
        snprintf(what, size, "is not a directory; a module is named with --app");
    else if (is_regular && !is_of_file)
        snprintf(what, size, "is not a directory; a configuration file is given by -c %.300s",
                 root);
    else
        snprintf(what, size, "is not a directory");
}

static void check_root(const struct part *p)
{
    char what[SETTING_WHAT_SIZE];
    struct stat st;
    const char *root = p->settings->root;
    int status = EX_NOINPUT;
    if (!root || (stat(root, &st) == 0 && S_ISDIR(st.st_mode)))
        return;
    const struct given *given = givens_find_in(p->givens, p->section, "root");
    bool is_of_file = given && given->place.file;
    if (stat(root, &st) == 0) {
        guess(root, is_of_file, S_ISREG(st.st_mode), what, sizeof what);
    } else {
        snprintf(what, sizeof what, "%s", strerror(errno));
        status = errno == EACCES ? EX_NOPERM : EX_NOINPUT;
    }
    if (is_of_file)
        given_fault(given, p->faults, status, what);
    else
        faults_add(p->faults, NULL, status, "ROOT %.300s: %s", root, what);
}

/* ---------------------------------------------------------------------------------- the server */

/* "." is served where nobody has said what is; where there are sections somebody has. */
static void choose_default(const struct part *p)
{
    struct settings *s = p->settings;
    bool is_static = s->app && strcmp(s->app, "static") == 0;
    s->site_count = (int64_t)p->givens->sections.count;
    s->is_sites_only = p->givens->sections.count > 0 && is_static && !p->app_is_unknown &&
                       !givens_find(p->givens, "root");
    if (s->is_sites_only)
        s->root = NULL;
}

static void check_identity(const struct part *p)
{
    const char *which, *what;
    struct settings *s = p->settings;
    int status = identity_resolve(s->user, s->group, &s->identity, &which, &what);
    if (status)
        given_fault(givens_find(p->givens, which), p->faults, status, what);
}

static void choose_addresses(const struct part *p)
{
    char what[SETTING_WHAT_SIZE];
    const struct option *listen = option_find("listen", strlen("listen"));
    p->settings->listen_is_default = p->settings->address_count == 0;
    if (p->settings->listen_is_default)
        setting_take(listen, listen->fallback, p->settings, what, sizeof what);
}

static void check_descriptor(const struct part *p)
{
    int64_t fd = p->settings->ready_fd;
    if (fd >= 0 && !p->settings->is_reload && fcntl((int)fd, F_GETFD) < 0)
        faults_add(p->faults, NULL, EX_USAGE, "--ready-fd %lld: is not an open descriptor",
                   (long long)fd);
}

/* -------------------------------------------------------------------------------- the sections */

static void check_purpose(const struct part *p)
{
    const struct section *section = p->section;
    bool is_static = strcmp(p->settings->app, "static") == 0;
    if (!is_static || p->settings->root || p->app_is_unknown)
        return;
    bool is_said = givens_find_in(p->givens, section, "app");
    faults_add(p->faults, &section->place, EX_CONFIG, "site %s: has %s: %s", section->name,
               is_said ? "no root" : "neither root nor app",
               is_said ? "app = static wants one, as in root = /srv/www"
                       : "one of them says what answers, as in root = /srv/www");
}

/* Of two sites for the same requests the second is told. */
static void check_requests(const struct part *p)
{
    const struct sections *all = &p->givens->sections;
    const char *host;
    for (size_t i = 0; all->list[i] != p->section; i++) {
        const struct section *other = all->list[i];
        if (other->is_wrong || other->requests_are_unknown ||
            !section_is_at_odds(other, p->section, &host))
            continue;
        faults_add(p->faults, &p->section->place, EX_CONFIG,
                   "site %s: %s%s with the prefix %.255s is site %s's already, in line %u",
                   p->section->name, host ? "host " : "every host", host ? host : "",
                   p->section->settings.prefix, other->name, other->place.line);
        return;
    }
}

static void check_section(const struct part *p)
{
    check_app(p);
    if (!p->section->is_wrong) {
        check_purpose(p);
        if (!p->section->requests_are_unknown)
            check_requests(p);
    }
    check_root(p);
}

static void check_sections(const struct part *outside)
{
    const struct sections *sections = &outside->givens->sections;
    for (size_t i = 0; i < sections->count; i++) {
        struct part p = *outside;
        p.section = sections->list[i];
        p.settings = &sections->list[i]->settings;
        p.app_is_unknown = p.section->app_is_unknown;
        check_section(&p);
    }
}

void whole_check(struct settings *settings, const struct givens *givens, struct faults *faults)
{
    static void (*const checks[])(const struct part *) = {
        check_app, check_descriptor, check_identity, check_root, check_sections};
    const struct part outside = {.settings = settings,
                                 .givens = givens,
                                 .faults = faults,
                                 .app_is_unknown = givens->app_is_unknown};
    choose_addresses(&outside);
    choose_default(&outside);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        checks[i](&outside);
        if (faults->count > 0 && !givens->file)
            return;
    }
}
