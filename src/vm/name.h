/* Names of private anonymous mappings, which programs give them (PR_SET_VMA_ANON_NAME): a text that the
 * pieces of a mapping and its copies share. */
#ifndef VM_NAME_H
#define VM_NAME_H

#include <stdbool.h>
#include <stdint.h>

struct vm;

struct mapping_name {
    uint32_t references;
    char text[];
};

/* With one reference, the caller's; NULL: no memory. */
struct mapping_name *mapping_name_create(struct vm *, const char *text);
struct mapping_name *mapping_name_ref(struct mapping_name *); /* NULL stays NULL */
void mapping_name_unref(struct mapping_name *);               /* NULL is fine */
/* Both may be NULL. */
bool mapping_name_same(const struct mapping_name *, const struct mapping_name *);

#endif
