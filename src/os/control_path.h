/*
 * control_path - where the control socket of a server is, unless it was told: so that who asks
 * looks where a server has put it.
 *
 * $RUNTIME_DIRECTORY (systemd.exec(5)) is a service's own directory; $XDG_RUNTIME_DIR (XDG Base
 * Directory Specification) a user's, and /run is root's, where each server's name has its pid.
 */
#ifndef DROVER_OS_CONTROL_PATH_H
#define DROVER_OS_CONTROL_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "os/peer.h"

/* What it depends on. Texts are borrowed from the environment; NULL or empty: there is none. */
struct control_places {
    const char *service; /* $RUNTIME_DIRECTORY: one or several, with colons between */
    const char *user;    /* $XDG_RUNTIME_DIR */
    const char *system;  /* "/run" */
    bool is_root;
};

/* Of this process. */
struct control_places control_places(void);

/* The first that there is: SERVICE/control, USER/drover-PID.control, as root
 * SYSTEM/drover-PID.control. False: none, or none that is short enough. */
bool control_path(const struct control_places *places, pid_t pid, char path[PEER_PATH_SIZE]);

/* SERVICE/control alone. */
bool control_path_of_service(const struct control_places *places, char path[PEER_PATH_SIZE]);

/*
 * All that may be one, in the user's place and in the system's: NAME/control and
 * drover-SOMETHING.control, where NAME begins with "drover"; in order, each once. Returns how many;
 * *paths is a list, to be given to control_paths_free(). A place that cannot be read has none.
 */
size_t control_paths(const struct control_places *places, char ***paths);
void control_paths_free(char **paths, size_t count);

#endif
