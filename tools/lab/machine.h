/* pending */
#ifndef DROVER_LAB_MACHINE_H
#define DROVER_LAB_MACHINE_H
#include <jansson.h>
void machine_command(int argc, char **argv);
void machine_add(json_t *object);
#endif
