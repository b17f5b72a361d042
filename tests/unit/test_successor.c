#include "worker/successor.h"

#include "support.h"

static const struct {
    const char *name;
    uint8_t custody;
    bool is_pristine, is_own;
    enum fate fate;
} fates[] = {
    {"a door", CUSTODY_NONE, true, false, FATE_KEPT},
    {"its channel", CUSTODY_NONE, true, true, FATE_KEPT},
    {"an application's file", CUSTODY_NONE, false, false, FATE_CLOSED},
    {"a kept connection", CUSTODY_KEPT | CUSTODY_TAKEN, false, false, FATE_RESUMED},
    {"a new connection", CUSTODY_FRESH | CUSTODY_TAKEN, false, false, FATE_RESUMED},
    {"one without its PROXY header", CUSTODY_GREETING | CUSTODY_TAKEN, false, false, FATE_RESUMED},
    {"one whose answer was held back", CUSTODY_HELD | CUSTODY_TAKEN, false, false, FATE_RESUMED},
    {"one in the middle of a request", CUSTODY_BUSY, false, false, FATE_CLOSED},
    {"one that came to rest when all was taken", CUSTODY_KEPT, false, false, FATE_CLOSED},
    {"a number of a door that is a connection's now", CUSTODY_KEPT | CUSTODY_TAKEN, true, false,
     FATE_RESUMED},
    {"the same in the middle of a request", CUSTODY_BUSY, true, false, FATE_CLOSED},
    {"its channel, of which the desk says otherwise", CUSTODY_KEPT | CUSTODY_TAKEN, true, true,
     FATE_KEPT},
    {"its channel, of which the desk says that it is busy", CUSTODY_BUSY, true, true, FATE_KEPT},
    {"nonsense", CUSTODY_BUSY + 1, false, false, FATE_CLOSED},
};

Test(successor, knows_what_is_to_be_kept)
{
    static const int numbers[] = {3, 64, DESK_FDS_MAX - 1};
    static struct desk desk;
    for (size_t i = 0; i < LENGTH(fates); i++)
        for (size_t j = 0; j < LENGTH(numbers); j++) {
            int fd = numbers[j];
            struct fds pristine = {0}, own = {0};
            desk.custody[fd] = fates[i].custody;
            if (fates[i].is_pristine)
                cr_assert_eq(fds_add(&pristine, fd), 0);
            if (fates[i].is_own)
                cr_assert_eq(fds_add(&own, fd), 0);
            cr_expect_eq(successor_fate(&desk, &pristine, &own, fd), fates[i].fate, "%s, %d",
                         fates[i].name, fd);
            desk.custody[fd] = CUSTODY_NONE;
            fds_free(&pristine);
            fds_free(&own);
        }
}

Test(successor, of_numbers_that_no_desk_has)
{
    static struct desk desk;
    struct fds pristine = {0}, own = {0};
    memset(desk.custody, CUSTODY_KEPT | CUSTODY_TAKEN, sizeof desk.custody);
    cr_assert_eq(fds_add(&pristine, DESK_FDS_MAX), 0);
    cr_assert_eq(fds_add(&own, DESK_FDS_MAX + 2), 0);
    cr_expect_eq(successor_fate(&desk, &pristine, &own, DESK_FDS_MAX), FATE_KEPT);
    cr_expect_eq(successor_fate(&desk, &pristine, &own, DESK_FDS_MAX + 1), FATE_CLOSED);
    cr_expect_eq(successor_fate(&desk, &pristine, &own, DESK_FDS_MAX + 2), FATE_KEPT);
    fds_free(&pristine);
    fds_free(&own);
}
