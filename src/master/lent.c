#include "master/lent.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "master/slots.h"

/* The addresses of a configuration, made anew. */
struct list {
    int count;
    struct net_address addresses[ADDRESSES_MAX];
};

static bool add(struct list *list, const struct net_address *address)
{
    if (list->count == ADDRESSES_MAX)
        return false;
    list->addresses[list->count++] = *address;
    return true;
}

static bool is_among(const char *name, const struct net_address *list, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, list[i].name) == 0)
            return true;
    return false;
}

/* Those of the name, with the options that stand behind it. `name` NULL: all but the admin
 * process's. Returns how many; -1 when there are too many. */
static int add_lent(struct list *list, const struct holding *lent, const char *name,
                    const struct net_address *options, const struct settings *s)
{
    int found = 0;
    for (int i = 0; i < lent->doors.address_count; i++) {
        struct net_address one = lent->addresses[i];
        if (name ? strcmp(one.name, name) != 0 : is_among(one.name, s->admin, s->admin_count))
            continue;
        one.backlog = name ? options->backlog : 0;
        one.defer = options->defer;
        one.proxy = options->proxy;
        if (!add(list, &one))
            return -1;
        found++;
    }
    return found;
}

static int refuse_many(const char *option, char *why, size_t why_size)
{
    snprintf(why, why_size, "--%s: with the inherited sockets there are more than %d addresses",
             option, ADDRESSES_MAX);
    return EX_CONFIG;
}

static int refuse_name(const char *option, const char *name, const struct holding *lent, char *why,
                       size_t why_size)
{
    size_t n = (size_t)snprintf(why, why_size, "--%s fd:%s: no socket of that name was passed",
                                option, name);
    if (lent->doors.address_count == 0) {
        if (n < why_size)
            snprintf(why + n, why_size - n,
                     "; a service manager passes them, from a .socket unit, and nobody has");
        return EX_CONFIG;
    }
    for (int i = 0; i < lent->doors.address_count && n < why_size; i++)
        n += (size_t)snprintf(why + n, why_size - n, "%s%s",
                              i ? ", " : "; there are: ", lent->addresses[i].name);
    return EX_CONFIG;
}

static int resolve_listen(struct settings *s, const struct holding *lent, char *why,
                          size_t why_size)
{
    struct list list = {.count = 0};
    bool wants_all = s->listen_is_default && lent->doors.address_count > 0;
    for (int i = 0; i < s->address_count; i++) {
        const struct net_address *one = &s->addresses[i];
        bool is_name = net_is_name(one);
        if (!is_name && !wants_all) {
            if (!add(&list, one))
                return refuse_many("listen", why, why_size);
            continue;
        }
        int found = add_lent(&list, lent, is_name ? one->name : NULL, one, s);
        if (found == 0 && !is_name && add(&list, one))
            continue; /* all there are is the admin process's */
        if (found == 0)
            return refuse_name("listen", one->name, lent, why, why_size);
        if (found < 0)
            return refuse_many("listen", why, why_size);
    }
    memcpy(s->addresses, list.addresses, sizeof s->addresses);
    s->address_count = list.count;
    return 0;
}

static int resolve_admin(struct settings *s, const struct holding *lent, char *why, size_t why_size)
{
    struct list list = {.count = 0};
    if (s->admin_count == 0 || !net_is_name(&s->admin[0]))
        return 0;
    int found = add_lent(&list, lent, s->admin[0].name, &s->admin[0], s);
    if (found == 0)
        return refuse_name("admin", s->admin[0].name, lent, why, why_size);
    if (found < 0)
        return refuse_many("admin", why, why_size);
    memcpy(s->admin, list.addresses, sizeof s->admin);
    s->admin_count = list.count;
    return 0;
}

int lent_resolve(struct settings *s, const struct holding *lent, char *why, size_t why_size)
{
    int status = resolve_admin(s, lent, why, why_size);
    return status ? status : resolve_listen(s, lent, why, why_size);
}

void lent_warn_unused(const struct holding *lent, const struct doors *doors,
                      const struct doors *admin)
{
    char text[NET_TEXT_SIZE];
    uint32_t unused = slots_lost(&lent->doors, doors) & slots_lost(&lent->doors, admin);
    for (int i = 0; i < lent->doors.address_count; i++) {
        if (!(unused >> i & 1))
            continue;
        net_text(&lent->addresses[i], text);
        log_warnx("the socket %s (%s) was passed to this server, and no --listen wants it: its "
                  "clients wait in vain",
                  lent->addresses[i].name, text);
    }
}
