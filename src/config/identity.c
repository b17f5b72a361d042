#include "config/identity.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/values.h"

static bool find_user(const char *user, struct child_identity *identity)
{
    int64_t number;
    const struct passwd *entry = getpwnam(user);
    if (!entry && value_number(user, &number) && number < UINT32_MAX) {
        entry = getpwuid((uid_t)number);
        if (!entry) { /* a number needs no entry; its group is then its own number */
            identity->uid = (uid_t)number;
            identity->gid = (gid_t)number;
            snprintf(identity->name, sizeof identity->name, "%s", user);
            return true;
        }
    }
    if (!entry)
        return false;
    identity->uid = entry->pw_uid;
    identity->gid = entry->pw_gid;
    snprintf(identity->name, sizeof identity->name, "%s", entry->pw_name);
    return true;
}

static bool find_group(const char *group, struct child_identity *identity)
{
    int64_t number;
    const struct group *entry = getgrnam(group);
    if (entry)
        identity->gid = entry->gr_gid;
    else if (value_number(group, &number) && number < UINT32_MAX)
        identity->gid = (gid_t)number;
    else
        return false;
    return true;
}

int identity_resolve(const char *user, const char *group, struct child_identity *identity,
                     const char **which, const char **what)
{
    *identity = (struct child_identity){.uid = geteuid(), .gid = getegid(), .name = "root"};
    if (!user && !group)
        return 0;
    *which = "user";
    *what = "there is no such user";
    if (user && !find_user(user, identity))
        return EX_USAGE;
    *what = "there is no such group";
    if (group && !find_group(group, identity)) {
        *which = "group";
        return EX_USAGE;
    }
    identity->change = true;
    *which = user ? "user" : "group";
    *what = "only root may change it";
    if (geteuid() != 0 && (identity->uid != geteuid() || identity->gid != getegid()))
        return EX_NOPERM;
    return 0;
}
