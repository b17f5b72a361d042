#include "os/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A binary that was replaced is still called so in /proc/self/exe. */
#define DELETED " (deleted)"

static char *read_text(size_t *length)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    size_t room = 4096, n = 0;
    char *text = NULL;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0) {
        char *more = realloc(text, room + 1);
        if (!more) {
            got = -1;
            break;
        }
        text = more;
        got = read(fd, text + n, room - n);
        n += got > 0 ? (size_t)got : 0;
        room *= n == room ? 2 : 1;
    }
    if (fd >= 0)
        close(fd);
    if (got < 0 || n == 0) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    *length = n;
    return text;
}

static char **split(char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\0';
    char **argv = calloc(count + 2, sizeof *argv);
    char *at = text;
    for (size_t i = 0; argv && at < text + length; i++) {
        argv[i] = at;
        at += strlen(at) + 1;
    }
    return argv;
}

static char *find_path(const char *called)
{
    char path[PATH_MAX];
    if (strchr(called, '/'))
        return strdup(called);
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0)
        return NULL;
    path[n] = '\0';
    size_t tail = strlen(DELETED);
    if ((size_t)n > tail && strcmp(path + n - tail, DELETED) == 0)
        path[(size_t)n - tail] = '\0';
    return strdup(path);
}

int command_read(struct command *command)
{
    size_t length = 0;
    *command = (struct command){.text = read_text(&length)};
    if (!command->text)
        return -1;
    command->argv = split(command->text, length);
    if (command->argv && command->argv[0])
        command->path = find_path(command->argv[0]);
    if (command->path)
        return 0;
    int saved = errno;
    command_free(command);
    errno = saved;
    return -1;
}

void command_free(struct command *command)
{
    free(command->path);
    free(command->argv);
    free(command->text);
    *command = (struct command){0};
}
