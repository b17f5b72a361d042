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
                     char *why, size_t why_size)
{
    *identity = (struct child_identity){.uid = geteuid(), .gid = getegid(), .name = "root"};
    if (!user && !group)
        return 0;
    if (user && !find_user(user, identity)) {
        snprintf(why, why_size, "--user %s: there is no such user", user);
        return EX_USAGE;
    }
    if (group && !find_group(group, identity)) {
        snprintf(why, why_size, "--group %s: there is no such group", group);
        return EX_USAGE;
    }
    identity->change = true;
    if (geteuid() != 0 && (identity->uid != geteuid() || identity->gid != getegid())) {
        snprintf(why, why_size, "--%s %s: only root may change it", user ? "user" : "group",
                 user ? user : group);
        return EX_NOPERM;
    }
    return 0;
}
