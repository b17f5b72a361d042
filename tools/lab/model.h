/* pending */
#ifndef DROVER_LAB_MODEL_H
#define DROVER_LAB_MODEL_H
struct model {
    const char *name, *teaches;
};
extern const struct model *const models[];
const struct model *model_find(const char *name);
#endif
