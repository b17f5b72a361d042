#include "os/peer.h"

#include <errno.h>
#include <sys/stat.h>

#include "os/pass.h"
#include "support.h"

/* Room for a socket in a temporary directory. */
struct place {
    char dir[64];
    char path[80];
    char other[80];
};

static void open_place(struct place *place)
{
    make_directory(place->dir);
    snprintf(place->path, sizeof place->path, "%s/one", place->dir);
    snprintf(place->other, sizeof place->other, "%s/two", place->dir);
}

static int listen_at(const char *path, struct sockfile *file)
{
    int fd = peer_listen(path, 4, file);
    cr_assert_geq(fd, 0, "%m");
    return fd;
}

static void expect_refusal(const char *path, int cause)
{
    int fd = peer_connect(path, 100);
    cr_expect_lt(fd, 0);
    cr_expect_eq(errno, cause, "%m");
}

Test(peer, both_ends_know_each_other)
{
    struct place place;
    struct sockfile file;
    struct stat st;
    struct peer who = {.pid = 0};
    char word[8];
    int before = count_fds();
    open_place(&place);
    umask(0);
    int listener = listen_at(place.path, &file);
    cr_assert_eq(lstat(place.path, &st), 0);
    cr_expect_eq(st.st_mode, S_IFSOCK | 0600);
    cr_expect_eq(file.inode, st.st_ino);
    cr_expect(fcntl(listener, F_GETFD) & FD_CLOEXEC);
    cr_expect_lt(peer_accept(listener), 0);
    cr_expect_eq(errno, EAGAIN);
    int client = peer_connect(place.path, 100);
    cr_assert_geq(client, 0, "%m");
    int server = peer_accept(listener);
    cr_assert_geq(server, 0, "%m");
    cr_expect(fcntl(server, F_GETFL) & O_NONBLOCK);
    cr_expect_not(fcntl(client, F_GETFL) & O_NONBLOCK);
    cr_expect_eq(peer_get(server, &who), 0);
    cr_expect_eq(who.pid, getpid());
    cr_expect_eq(who.uid, getuid());
    cr_expect_eq(peer_get(client, &who), 0);
    cr_expect_eq(pass_send(client, "word", 4, NULL, 0), 0);
    cr_expect_eq(pass_receive(server, word, sizeof word, NULL, NULL), 4);
    close(client);
    close(server);
    close(listener);
    expect_refusal(place.path, ECONNREFUSED);
    cr_expect_eq(count_fds(), before);
    remove_tree(place.dir);
}

Test(peer, what_is_there_already)
{
    struct place place;
    struct sockfile first, second;
    open_place(&place);
    int fd = listen_at(place.path, &first);
    cr_expect_lt(peer_listen(place.path, 4, &second), 0);
    cr_expect_eq(errno, EADDRINUSE, "%m");
    cr_expect_eq(second.inode, 0);
    close(fd);
    fd = listen_at(place.path, &second); /* it was stale */
    sockfile_remove(place.path, &(struct sockfile){.inode = 0});
    sockfile_remove(place.other, &second);
    cr_expect_eq(sockfile_at(place.path, &first), 0);
    cr_expect_eq(first.inode, second.inode);
    errno = EDOM;
    sockfile_remove(place.path, &second);
    cr_expect_eq(errno, EDOM);
    cr_expect_lt(sockfile_at(place.path, &first), 0);
    cr_expect_eq(errno, ENOENT);
    close(fd);
    close(open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    cr_expect_lt(peer_listen(place.path, 4, &first), 0);
    cr_expect_eq(errno, EADDRINUSE, "%m");
    cr_expect_lt(sockfile_at(place.path, &first), 0);
    cr_expect_eq(errno, ENOTSOCK);
    remove_tree(place.dir);
}

Test(peer, a_path_that_is_too_long)
{
    struct sockfile file;
    char path[PEER_PATH_SIZE + 1];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    cr_expect_lt(peer_listen(path, 4, &file), 0);
    cr_expect_eq(errno, ENAMETOOLONG);
    expect_refusal(path, ENAMETOOLONG);
}

Test(peer, a_server_that_takes_nobody_is_not_waited_for_without_end)
{
    struct place place;
    struct sockfile file;
    int clients[8], count = 0;
    open_place(&place);
    int listener = listen_at(place.path, &file);
    while (count < (int)LENGTH(clients) && (clients[count] = peer_connect(place.path, 50)) >= 0)
        count++;
    cr_expect_eq(count, 5, "the backlog, and one: %d", count);
    cr_expect_eq(errno, EAGAIN, "%m");
    while (count-- > 0)
        close(clients[count]);
    close(listener);
    remove_tree(place.dir);
}

Test(sockfile, moves_with_its_server)
{
    struct place place;
    struct sockfile file, moved;
    open_place(&place);
    int fd = listen_at(place.path, &file);
    cr_expect_eq(sockfile_move(place.path, place.other, SOCK_SEQPACKET), 0, "%m");
    cr_expect_eq(sockfile_at(place.other, &moved), 0);
    cr_expect_eq(moved.inode, file.inode);
    int client = peer_connect(place.other, 100);
    cr_expect_geq(client, 0, "%m");
    close(client);
    cr_expect_lt(sockfile_move(place.path, place.other, SOCK_SEQPACKET), 0);
    cr_expect_eq(errno, ENOENT, "%m");
    close(fd);
    remove_tree(place.dir);
}

Test(sockfile, replaces_a_stale_one_alone_when_it_moves)
{
    struct place place;
    struct sockfile file, other;
    open_place(&place);
    int fd = listen_at(place.path, &file);
    int second = listen_at(place.other, &other);
    cr_expect_lt(sockfile_move(place.path, place.other, SOCK_SEQPACKET), 0);
    cr_expect_eq(errno, EADDRINUSE, "%m");
    close(second);
    cr_expect_eq(sockfile_move(place.path, place.other, SOCK_SEQPACKET), 0, "%m");
    cr_expect_eq(sockfile_at(place.other, &other), 0);
    cr_expect_eq(other.inode, file.inode);
    close(open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    cr_expect_lt(sockfile_move(place.other, place.path, SOCK_SEQPACKET), 0);
    cr_expect_eq(errno, EADDRINUSE, "no socket: %m");
    close(fd);
    remove_tree(place.dir);
}
