#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "http/mime.h"

#define UNKNOWN "application/octet-stream"

static const struct {
    const char *name;
    const char *type;
} rows[] = {
    {"index.html", "text/html; charset=utf-8"},
    {"a.css", "text/css; charset=utf-8"},
    {"a.js", "text/javascript; charset=utf-8"},
    {"a.mjs", "text/javascript; charset=utf-8"},
    {"a.json", "application/json"},
    {"a.js.map", "application/json"},
    {"a.wasm", "application/wasm"},
    {"a.svg", "image/svg+xml"},
    {"a.xml", "application/xml"},
    {"a.txt", "text/plain; charset=utf-8"},
    {"a.md", "text/markdown; charset=utf-8"},
    {"a.webp", "image/webp"},
    {"a.woff2", "font/woff2"},
    {"a.mp4", "video/mp4"},
    {"a.webmanifest", "application/manifest+json"},
    {"A.HTML", "text/html; charset=utf-8"},
    {"a.JpG", "image/jpeg"},
    {"a.tar.gz", "application/gzip"},
    {"/a.b/c.png", "image/png"},
    {"/a.html/b", UNKNOWN},
    {"/a.html/", UNKNOWN},
    {"", UNKNOWN},
    {"html", UNKNOWN},
    {".", UNKNOWN},
    {"a.", UNKNOWN},
    {"a.htmlx", UNKNOWN},
    {"a.ht", UNKNOWN},
    {"a.html ", UNKNOWN},
    {"a.unheard-of", UNKNOWN},
    {"a.webmanifestx", UNKNOWN},
    {"a.an-extension-longer-than-any-buffer-could-be", UNKNOWN},
};

Test(mime, table)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *type = http_media_type(span_of(rows[i].name));
        cr_expect_str_eq(type, rows[i].type, "%s: %s", rows[i].name, type);
    }
}

Test(mime, no_name)
{
    cr_expect_str_eq(http_media_type(span_of(NULL)), UNKNOWN);
}

/* All that the table has: a row out of its order would not be found. */
static const char *const extensions[] = {
    "3gp",    "7z",   "aac",  "apk",     "apng", "atom",        "avi",  "avif", "bmp",   "br",
    "bz2",    "c",    "cjs",  "conf",    "css",  "csv",         "deb",  "dmg",  "doc",   "docx",
    "eot",    "epub", "flac", "geojson", "gif",  "glb",         "gltf", "gpx",  "gz",    "h",
    "heic",   "htm",  "html", "ico",     "ics",  "jar",         "jpeg", "jpg",  "js",    "json",
    "jsonld", "jxl",  "log",  "m3u8",    "m4a",  "m4s",         "m4v",  "map",  "md",    "mid",
    "mjs",    "mkv",  "mov",  "mp3",     "mp4",  "mpd",         "mpeg", "mpg",  "odp",   "ods",
    "odt",    "oga",  "ogg",  "ogv",     "opus", "otf",         "pdf",  "png",  "ppt",   "pptx",
    "ps",     "py",   "rar",  "rpm",     "rss",  "rtf",         "sh",   "sql",  "svg",   "tar",
    "tgz",    "tif",  "tiff", "toml",    "ts",   "tsv",         "ttc",  "ttf",  "txt",   "vcf",
    "vtt",    "wasm", "wav",  "weba",    "webm", "webmanifest", "webp", "woff", "woff2", "xht",
    "xhtml",  "xls",  "xlsx", "xml",     "xsl",  "xz",          "yaml", "yml",  "zip",   "zst",
};

Test(mime, every_row_is_found)
{
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        char name[32];
        snprintf(name, sizeof name, "a.%s", extensions[i]);
        cr_expect_str_neq(http_media_type(span_of(name)), UNKNOWN, "%s", extensions[i]);
    }
}

/* Text says its charset, and nothing else does. */
Test(mime, charset)
{
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        char name[32];
        snprintf(name, sizeof name, "a.%s", extensions[i]);
        const char *type = http_media_type(span_of(name));
        bool text = strncmp(type, "text/", 5) == 0;
        cr_expect_eq(strstr(type, "; charset=utf-8") != NULL, text, "%s: %s", name, type);
    }
}
