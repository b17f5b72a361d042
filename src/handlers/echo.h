/*
 * echo - gives back what it is asked: the request's body with its media type, or without one the
 * method, the target and the fields as text.
 */
#ifndef DROVER_HANDLERS_ECHO_H
#define DROVER_HANDLERS_ECHO_H

#include <drover.h>

extern const struct drover_app echo_app;

#endif
