/*
 * steer - which members of a SO_REUSEPORT group get new connections: a classic BPF program
 * (SO_ATTACH_REUSEPORT_CBPF, socket(7)), which needs no privilege.
 *
 * A member is told by its index in the group: the order of listen(2), and a member that closes is
 * replaced by the last. The program belongs to the group and not to who attached it: it outlives
 * every process, so whoever takes sockets over detaches first. A socket that joins after an attach
 * gets nothing until the next one.
 */
#ifndef DROVER_OS_STEER_H
#define DROVER_OS_STEER_H

#include <stddef.h>

/*
 * From here on new connections to the group of this listener go to one of these members, at random;
 * what a queue has already stays there. The indexes may come in any order, each once, below
 * SLOTS_MAX. An index that the group does not have makes its share go by the kernel's hash, to
 * anybody. Replaces a former program at once: no connection is refused meanwhile.
 * Returns 0, or -1 with errno set: EINVAL when there is no member, one twice or one out of range,
 * and when the group has this one socket alone; ENOPROTOOPT where the kernel has no such
 * programs.
 */
int steer_attach(int fd, const int *members, size_t count);

/* Gives the choice back to the kernel's hash over all members. A group without a program is a
 * success. -1 with errno set on failure. */
int steer_detach(int fd);

#endif
