/* The options that say what of the host a program may see and use: --files, --allow, --network and limits. */
#ifndef UI_CONFINE_H
#define UI_CONFINE_H

#include <argp.h>

#include "machine/machine.h"

/* What the options said. `rules` is malloc'd and belongs to whoever reads the command line. */
struct confinement {
    struct sandbox_config sandbox;
    struct sandbox_rule *rules; /* as in `sandbox`, which cannot change them */
    bool no_network;
    struct kernel_limits limits;
    bool given;    /* one of the options was */
    char *message; /* malloc'd: the first mistake; NULL: none */
};

/* A child for argp whose input is a struct confinement, zeroed. */
extern const struct argp confine_argp;

/* "host", "read-only", "overlay" or "none". False: another word. */
bool confine_parse_mode(const char *text, enum sandbox_mode *ret_mode);
/* "DIR", "DIR:ro", "DIR:rw", "DIR:overlay" or "DIR:empty"; the suffix is cut off in place. */
struct sandbox_rule confine_parse_rule(char *text);
/* Puts it all into the configuration. 0 or -EINVAL, with `message` set. */
int confine_apply(struct confinement *, struct machine_config *);

#endif
