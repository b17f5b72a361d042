#include "config/nearest.h"
#include "support.h"

Test(nearest, a_slip_or_two)
{
    static const char *const names[] = {"serve", "version", "reload", "stop"};
    static const struct {
        const char *typed;
        const char *nearest; /* NULL: none */
    } words[] = {
        {"serve", "serve"},     {"serv", "serve"},      {"sevre", "serve"}, {"srve", "serve"},
        {"versoin", "version"}, {"verison", "version"}, {"VERSION", NULL},  {"reloda", "reload"},
        {"stp", "stop"},        {"stopp", "stop"},      {"sotp", "stop"},   {"s", NULL},
        {"sop", "stop"},        {"sip", NULL},          {"", NULL},         {"quit", NULL},
        {"reload-now", NULL},   {"relo", NULL},         {"xyz", NULL}};
    for (size_t i = 0; i < LENGTH(words); i++) {
        const char *nearest = nearest_name(words[i].typed, names, LENGTH(names));
        cr_expect_eq(nearest == NULL, words[i].nearest == NULL, "%s: %s", words[i].typed,
                     nearest ? nearest : "none");
        if (nearest && words[i].nearest)
            cr_expect_str_eq(nearest, words[i].nearest, "%s: %s", words[i].typed, nearest);
    }
    cr_expect_null(nearest_name("serve", names, 0));
}
