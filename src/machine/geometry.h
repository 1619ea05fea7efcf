/* What a configuration asks for, made definite: names become objects, numbers are checked. */
#ifndef MACHINE_GEOMETRY_H
#define MACHINE_GEOMETRY_H

#include "hw/pagetable.h"
#include "machine/machine.h"
#include "policy/policy.h"
#include "policy/prefetch.h"

struct geometry {
    const struct page_table_ops *format;
    const struct policy_ops *policy;
    const char *policy_parameters; /* or NULL; points into the configuration */
    struct prefetcher prefetcher;
};

/* From this many frames up the default page-table format is the processor's own. */
enum { GEOMETRY_RADIX_FRAMES = 256 };

/* 0, or -EINVAL/-ENOMEM with *ret_message (malloc'd; NULL when there was no memory for it) saying what is
 * wrong and what to do. */
int geometry_resolve(const struct machine_config *, struct geometry *ret_geometry, char **ret_message);
/* When nothing uses its policy any more. All zero is fine. */
void geometry_release(struct geometry *);

#endif
