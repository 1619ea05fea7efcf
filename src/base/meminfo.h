/* What the host says about its memory. */
#ifndef BASE_MEMINFO_H
#define BASE_MEMINFO_H

#include <stdint.h>

/* Bytes that programs can have without swapping (MemAvailable of proc(5)); 0: not known. What a container may
 * have of them is not looked at. */
uint64_t meminfo_available(void);

#endif
