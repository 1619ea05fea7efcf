/* Makes a shared object call Thimble where it names functions of the C library that allocate memory or end
 * the process. */
#ifndef POLICY_PLUGIN_LINK_H
#define POLICY_PLUGIN_LINK_H

#include <stdint.h>

/* `handle` is dlopen()'s, with RTLD_NOW. Doing it again changes nothing. Where the object and its code are is
 * told as well. 0, or -errno: then some of its calls were not redirected. */
struct plugin_place {
    uintptr_t base, code_start, code_end;
};
int plugin_link(void *handle, struct plugin_place *ret_place);

#endif
