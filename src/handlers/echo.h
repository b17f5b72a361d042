/*
 * echo - gives back what it is asked: the request's body with its media type, or without one the
 * method, the target, the fields and the client as text. Behind a proxy: what that says reaches an
 * application.
 */
#ifndef DROVER_HANDLERS_ECHO_H
#define DROVER_HANDLERS_ECHO_H

#include <drover.h>

extern const struct drover_app echo_app;

#endif
