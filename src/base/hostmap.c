/* See hostmap.h. A map is extended to at least twice its length, so that a file that grows page by page costs
 * few host calls; bytes behind the file's end may be mapped, they only cannot be copied. */
#include "base/hostmap.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/base.h"
#include "base/hostcopy.h"

static int hostmap_extend(struct hostmap *map, int fd, uint64_t length) {
    const int protection = PROT_READ | (map->writable ? PROT_WRITE : 0);
    void *start = map->start ? mremap(map->start, map->length, length, MREMAP_MAYMOVE)
                             : mmap(NULL, length, protection, MAP_SHARED, fd, 0);
    if (start == MAP_FAILED)
        return -errno;
    map->start = start;
    map->length = length;
    return 0;
}

void *hostmap_bytes(struct hostmap *map, int fd, uint64_t size, uint64_t offset, size_t length) {
    const uint64_t end = offset + length;
    if (unlikely(end > map->length || end < offset)) {
        if (map->refused || end < offset || (!map->start && !hostcopy_is_guarded()))
            return NULL;
        const uint64_t wanted = max_u64(max_u64(size, end), 2 * map->length);
        map->refused = hostmap_extend(map, fd, wanted) < 0;
        if (map->refused)
            return NULL;
    }
    return map->start + offset;
}

void hostmap_release(struct hostmap *map) {
    if (map->start)
        munmap(map->start, map->length);
    *map = (struct hostmap){.writable = map->writable};
}
