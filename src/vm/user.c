/* The kernel's way to user memory: page by page through the page table and the fault handler, as if the
 * program had made the access. Each page is a reference, like any other. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "vm/space.h"
#include "vm/state.h"

/* The frame behind an address, accessible as wanted: its bytes from there on. Stays so until the next call of
 * anything that may fault. 0, -EFAULT or -ENOMEM. */
static int user_page(struct space *space, uint64_t address, unsigned access, pfn_t *ret_frame) {
    const enum fault_result result = space_touch(space, address, access, ret_frame);
    if (result == FAULT_NO_MEMORY)
        return -ENOMEM;
    return result == FAULT_OK ? 0 : -EFAULT;
}

/* What is left of the page from an address on, at most `length`. */
static size_t user_stretch(uint64_t address, size_t length) {
    return min_size(length, PAGE_SIZE - (address & PAGE_MASK));
}

static uint8_t *user_bytes(struct space *space, pfn_t pfn, uint64_t address) {
    return (uint8_t *)frame_bytes(space->vm, pfn) + (address & PAGE_MASK);
}

/* Bytes written by us: translations of them are out of date. */
static void user_written(struct space *space, pfn_t pfn, uint64_t address, size_t length) {
    vm_forget_code(space->vm, frame_of(space->vm, pfn)->id, (unsigned)(address & PAGE_MASK),
                   (unsigned)length);
}

ssize_t user_read_some(struct space *space, uint64_t address, void *to, size_t length) {
    size_t done = 0;
    while (done < length) {
        pfn_t pfn;
        const int error = user_page(space, address + done, ACCESS_READ, &pfn);
        if (error)
            return done ? (ssize_t)done : error;
        const size_t stretch = user_stretch(address + done, length - done);
        memcpy((uint8_t *)to + done, user_bytes(space, pfn, address + done), stretch);
        done += stretch;
    }
    return (ssize_t)done;
}

/* Writes bytes, or zeros when `from` is NULL. */
static ssize_t user_put(struct space *space, uint64_t address, const void *from, size_t length) {
    size_t done = 0;
    while (done < length) {
        pfn_t pfn;
        const int error = user_page(space, address + done, ACCESS_WRITE, &pfn);
        if (error)
            return done ? (ssize_t)done : error;
        const size_t stretch = user_stretch(address + done, length - done);
        if (from)
            memcpy(user_bytes(space, pfn, address + done), (const uint8_t *)from + done, stretch);
        else
            memset(user_bytes(space, pfn, address + done), 0, stretch);
        user_written(space, pfn, address + done, stretch);
        done += stretch;
    }
    return (ssize_t)done;
}

ssize_t user_write_some(struct space *space, uint64_t address, const void *from, size_t length) {
    return user_put(space, address, from, length);
}

/* All or an error. */
static int user_whole(ssize_t done, size_t length) {
    if (done < 0)
        return (int)done;
    return (size_t)done == length ? 0 : -EFAULT;
}

int user_read(struct space *space, uint64_t address, void *to, size_t length) {
    return user_whole(user_read_some(space, address, to, length), length);
}

int user_write(struct space *space, uint64_t address, const void *from, size_t length) {
    return user_whole(user_put(space, address, from, length), length);
}

int user_zero(struct space *space, uint64_t address, size_t length) {
    return user_whole(user_put(space, address, NULL, length), length);
}

ssize_t user_string(struct space *space, uint64_t address, char *to, size_t size) {
    for (size_t done = 0; done < size;) {
        pfn_t pfn;
        const int error = user_page(space, address + done, ACCESS_READ, &pfn);
        if (error)
            return error;
        const size_t stretch = user_stretch(address + done, size - done);
        const void *from = user_bytes(space, pfn, address + done);
        const char *end = memchr(from, 0, stretch);
        const size_t length = end ? (size_t)(end - (const char *)from) : stretch;
        memcpy(to + done, from, length);
        done += length;
        if (end) {
            to[done] = 0;
            return (ssize_t)done;
        }
    }
    return -ENAMETOOLONG;
}
