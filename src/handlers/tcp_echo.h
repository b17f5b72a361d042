/*
 * tcp-echo - sends every byte of a connection back, as RFC 862 has it.
 */
#ifndef DROVER_HANDLERS_TCP_ECHO_H
#define DROVER_HANDLERS_TCP_ECHO_H

#include <drover.h>

extern const struct drover_app tcp_echo_app;

#endif
