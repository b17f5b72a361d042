#include "http/mime.h"

#include <stdlib.h>
#include <string.h>

#define UNKNOWN "application/octet-stream"

/* Every text/ type says its charset; JSON has none to say (RFC 8259, 11), nor has XML, which
 * names its own in its first line. */
#define TEXT(subtype) "text/" subtype "; charset=utf-8"

/* Longest of the extensions below, with its NUL. */
#define EXTENSION_SIZE sizeof "webmanifest"

struct media {
    const char *extension;
    const char *type;
};

/* In the order of strcmp(3), for bsearch(3). */
static const struct media table[] = {
    {"3gp", "video/3gpp"},
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"apk", "application/vnd.android.package-archive"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bin", UNKNOWN},
    {"bmp", "image/bmp"},
    {"br", "application/x-brotli"},
    {"bz2", "application/x-bzip2"},
    {"c", TEXT("plain")},
    {"cjs", TEXT("javascript")},
    {"conf", TEXT("plain")},
    {"css", TEXT("css")},
    {"csv", TEXT("csv")},
    {"deb", "application/vnd.debian.binary-package"},
    {"dmg", "application/x-apple-diskimage"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"epub", "application/epub+zip"},
    {"exe", UNKNOWN},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"glb", "model/gltf-binary"},
    {"gltf", "model/gltf+json"},
    {"gpx", "application/gpx+xml"},
    {"gz", "application/gzip"},
    {"h", TEXT("plain")},
    {"heic", "image/heic"},
    {"htm", TEXT("html")},
    {"html", TEXT("html")},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", TEXT("calendar")},
    {"iso", UNKNOWN},
    {"jar", "application/java-archive"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", TEXT("javascript")},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"log", TEXT("plain")},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4s", "video/iso.segment"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", TEXT("markdown")},
    {"mid", "audio/midi"},
    {"mjs", TEXT("javascript")},
    {"mkv", "video/matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpd", "application/dash+xml"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"py", TEXT("plain")},
    {"rar", "application/vnd.rar"},
    {"rpm", "application/x-rpm"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", TEXT("plain")},
    {"sql", "application/sql"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"tgz", "application/gzip"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t"},
    {"tsv", TEXT("tab-separated-values")},
    {"ttc", "font/collection"},
    {"ttf", "font/ttf"},
    {"txt", TEXT("plain")},
    {"vcf", TEXT("vcard")},
    {"vtt", TEXT("vtt")},
    {"wasm", "application/wasm"},
    {"wav", "audio/wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xht", "application/xhtml+xml"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "application/xml"},
    {"xsl", "application/xslt+xml"},
    {"xz", "application/x-xz"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
    {"zst", "application/zstd"},
};

static int compare(const void *key, const void *entry)
{
    const struct media *media = entry;
    return strcmp(key, media->extension);
}

/* Copies what is behind the last dot in lower case; with a slash in it, it is in no table. */
static bool extension_of(struct span name, char out[EXTENSION_SIZE])
{
    const char *dot = name.n > 0 ? memrchr(name.p, '.', name.n) : NULL;
    size_t n = dot ? (size_t)(name.p + name.n - dot) - 1 : 0;
    if (n == 0 || n >= EXTENSION_SIZE)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = dot[1 + i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    out[n] = '\0';
    return true;
}

const char *http_media_type(struct span name)
{
    char extension[EXTENSION_SIZE];
    if (!extension_of(name, extension))
        return UNKNOWN;
    const struct media *found = bsearch(extension, table, sizeof table / sizeof *table,
                                        sizeof *table, compare);
    return found ? found->type : UNKNOWN;
}
