/*
 * settings - what one server is told to do: every option's value.
 */
#ifndef DROVER_CONFIG_SETTINGS_H
#define DROVER_CONFIG_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/log.h"
#include "http/forwarded.h"
#include "os/child.h"
#include "os/net.h"
#include "os/preempt.h"

/* A field of every answer. */
struct setting_field {
    char name[SITE_FIELD_NAME_MAX];
    const char *value;
};

/* Cache-Control of files by their names. */
struct setting_cache {
    char glob[SITE_CACHE_GLOB_SIZE]; /* of the last segment of the path */
    const char *value;
};

/* A page of the site's own for an error. */
struct setting_page {
    int status;
    const char *path; /* below ROOT, with its leading '/' */
};

/* Durations are milliseconds; 0 stands for never. Strings are borrowed from the
 * command line and from the text of the file. */
struct settings {
    const char *program; /* as in "drover serve"; for messages */
    const char *app;     /* a built-in's name, or a module's path; NULL: drover_main() has it */
    int set_count;
    const char *sets[SETS_MAX]; /* NAME=VALUE, for the application's keys */
    int address_count;
    struct net_address addresses[ADDRESSES_MAX];
    bool is_reload;         /* read for one: --ready-fd was closed long ago */
    bool listen_is_default; /* no --listen was given */
    bool standby;           /* each worker has one */
    int admin_count;        /* 0: there is no admin process */
    struct net_address admin[ADDRESSES_MAX];
    struct forwarded_rules trusted; /* whose X-Forwarded-For is taken */
    int64_t workers;
    const char *root;   /* NULL: the application is not the static site */
    int64_t site_count; /* sections */
    bool is_sites_only; /* there are sections, and neither root nor application outside of them */
    size_t host_count;  /* these three: of a section */
    const char *hosts[SITE_HOSTS_MAX];
    const char *prefix;
    bool dot_files;
    bool listing;
    bool precompressed;
    size_t cache_count;
    struct setting_cache caches[SITE_CACHES_MAX]; /* the first that matches holds */
    const char *cache_control;                    /* where none does; NULL: none */
    const char *fallback;                         /* below ROOT, with its leading '/'; NULL: none */
    size_t field_count;
    struct setting_field fields[SITE_FIELDS_MAX];
    size_t page_count; /* one a status */
    struct setting_page pages[SITE_PAGES_MAX];
    int64_t ready_fd;    /* -1: none */
    const char *pidfile; /* NULL: none */
    const char *control; /* NULL: see os/control_path.h; "off": none */
    const char *user;    /* NULL: as started */
    const char *group;   /* NULL: the user's */
    int64_t max_connections;
    int64_t connection_requests; /* 0: any number */
    enum preemption preemption;
    int64_t max_body; /* bytes */
    int64_t header_timeout;
    int64_t body_timeout;
    int64_t answer_timeout;
    int64_t send_timeout;
    int64_t idle_timeout;
    int64_t drain_timeout;
    int64_t start_timeout;
    int64_t hang_timeout;
    int64_t lame_duck;    /* how long a stop goes on accepting */
    int64_t max_requests; /* of one worker, which is replaced then; 0: any number */
    int64_t max_rss;      /* bytes, the same */
    enum log_level log_level;
    enum log_format log_format;
    const char *log;           /* "stderr", "syslog", "journal", or a path */
    const char *access_log;    /* "off", "-" for stdout, or a path */
    const char *access_format; /* one that access_format_read() takes */

    struct child_identity identity; /* what user and group come to */
};

#endif
