#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/options.h"
#include "handlers/static.h"
#include "master/master.h"

static int help(void)
{
    printf("usage: drover serve [OPTIONS] [ROOT]\n\n"
           "Serves the files below the directory ROOT.\n\n");
    options_print(stdout);
    printf("\n"
           "TIME is a number with ms, s, m or h; 0 is never.\n"
           "Signals to the master: TERM, QUIT or INT stop, a second one at once; HUP replaces the\n"
           "workers; TTIN and TTOU add and remove one.\n");
    return 0;
}

static int wants_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

/* The site's parts of the settings, in the words of the site. */
struct site_parts {
    struct site_field fields[SITE_FIELDS_MAX];
    struct site_page pages[SITE_PAGES_MAX];
};

static struct static_site site_of(const struct settings *s, struct site_parts *parts)
{
    for (size_t i = 0; i < s->field_count; i++)
        parts->fields[i] = (struct site_field){.name = s->fields[i].name,
                                               .value = s->fields[i].value};
    for (size_t i = 0; i < s->page_count; i++)
        parts->pages[i] = (struct site_page){.status = s->pages[i].status,
                                             .path = s->pages[i].path};
    return (struct static_site){.root_path = s->root,
                                .dot_files = s->dot_files,
                                .listing = s->listing,
                                .precompressed = s->precompressed,
                                .cache_control = s->cache_control,
                                .fields = parts->fields,
                                .field_count = s->field_count,
                                .pages = parts->pages,
                                .page_count = s->page_count,
                                .page_max = PAGE_MAX,
                                .fallback = s->fallback};
}

int cli_serve(int argc, char *const argv[])
{
    struct settings settings;
    struct site_parts parts;
    char why[OPTIONS_WHY_SIZE];
    if (wants_help(argc, argv))
        return help();
    options_defaults(&settings);
    int status = options_read(&settings, argc, argv, why);
    struct static_site site = site_of(&settings, &parts);
    struct drover_app app = static_app(&site);
    if (!status)
        status = app.before_fork(app.context, why);
    if (!status)
        return master_run(&settings, &app);
    fprintf(stderr, "drover serve: %s\n", why);
    return status;
}
