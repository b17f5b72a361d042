#include "cli/files.h"

void files_fill(struct files *files, const struct settings *settings, size_t sharers)
{
    const struct settings *s = settings;
    for (size_t i = 0; i < s->field_count; i++)
        files->fields[i] = (struct site_field){.name = s->fields[i].name,
                                               .value = s->fields[i].value};
    for (size_t i = 0; i < s->page_count; i++)
        files->pages[i] = (struct site_page){.status = s->pages[i].status,
                                             .path = s->pages[i].path};
    for (size_t i = 0; i < s->cache_count; i++)
        files->caches[i] = (struct site_cache){.glob = s->caches[i].glob,
                                               .value = s->caches[i].value};
    files->site = (struct static_site){.root_path = s->root,
                                       .dot_files = s->dot_files,
                                       .listing = s->listing,
                                       .precompressed = s->precompressed,
                                       .caches = files->caches,
                                       .cache_count = s->cache_count,
                                       .cache_control = s->cache_control,
                                       .fields = files->fields,
                                       .field_count = s->field_count,
                                       .pages = files->pages,
                                       .page_count = s->page_count,
                                       .page_max = PAGE_MAX,
                                       .fallback = s->fallback,
                                       .sharers = sharers};
    files->app = static_app(&files->site);
}

void files_free(struct files *files)
{
    static_free(&files->site);
}
