#include "worker/successor.h"

#include "support.h"

static const struct {
    const char *name;
    uint8_t custody;
    bool is_pristine;
    enum fate fate;
} fates[] = {
    {"a door", CUSTODY_NONE, true, FATE_KEPT},
    {"an application's file", CUSTODY_NONE, false, FATE_CLOSED},
    {"a kept connection", CUSTODY_KEPT | CUSTODY_TAKEN, false, FATE_RESUMED},
    {"a new connection", CUSTODY_FRESH | CUSTODY_TAKEN, false, FATE_RESUMED},
    {"one without its PROXY header", CUSTODY_GREETING | CUSTODY_TAKEN, false, FATE_RESUMED},
    {"one whose answer was held back", CUSTODY_HELD | CUSTODY_TAKEN, false, FATE_RESUMED},
    {"one in the middle of a request", CUSTODY_BUSY, false, FATE_CLOSED},
    {"one that came to rest when all was taken", CUSTODY_KEPT, false, FATE_CLOSED},
    {"a door, of which the desk says that it rests", CUSTODY_KEPT | CUSTODY_TAKEN, true, FATE_KEPT},
    {"a door, of which the desk says that it is busy", CUSTODY_BUSY, true, FATE_KEPT},
    {"nonsense", CUSTODY_BUSY + 1, false, FATE_CLOSED},
};

Test(successor, knows_what_is_to_be_kept)
{
    static const int numbers[] = {3, 64, DESK_FDS_MAX - 1};
    static struct desk desk;
    for (size_t i = 0; i < LENGTH(fates); i++)
        for (size_t j = 0; j < LENGTH(numbers); j++) {
            int fd = numbers[j];
            struct fds pristine = {0};
            desk.custody[fd] = fates[i].custody;
            if (fates[i].is_pristine)
                cr_assert_eq(fds_add(&pristine, fd), 0);
            cr_expect_eq(successor_fate(&desk, &pristine, fd), fates[i].fate, "%s, %d",
                         fates[i].name, fd);
            desk.custody[fd] = CUSTODY_NONE;
            fds_free(&pristine);
        }
}

Test(successor, of_numbers_that_no_desk_has)
{
    static struct desk desk;
    struct fds pristine = {0};
    memset(desk.custody, CUSTODY_KEPT | CUSTODY_TAKEN, sizeof desk.custody);
    cr_assert_eq(fds_add(&pristine, DESK_FDS_MAX), 0);
    cr_expect_eq(successor_fate(&desk, &pristine, DESK_FDS_MAX), FATE_KEPT);
    cr_expect_eq(successor_fate(&desk, &pristine, DESK_FDS_MAX + 1), FATE_CLOSED);
    fds_free(&pristine);
}
