/*
 * print - a configuration as a file: what holds, and where each value comes from.
 */
#ifndef DROVER_CONFIG_PRINT_H
#define DROVER_CONFIG_PRINT_H

#include <drover.h>
#include <stdio.h>

#include "config/given.h"

/*
 * A line a value, "KEY = VALUE  # default", "# option" or "# FILE:LINE", in the order of the
 * options' table; then the sections, in theirs. What it prints is a file that comes to the same;
 * what has no value, or cannot stand in a file, is a comment in it. `settings` say which options
 * there are.
 */
void print_configuration(FILE *to, const struct settings *settings, const struct givens *givens,
                         const struct drover_app *app);

#endif
