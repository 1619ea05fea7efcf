/* Operations of the model test: accesses, processes, and files read and written beside their mappings. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sequence.h"

enum { STRETCH = 300 };

/* ---- accesses ---- */

/* How many bytes of [address, +length) an access gets at, and why it ends there. */
static size_t expected_access(struct model_process *p, uint64_t address, size_t length, unsigned access,
                              enum fault_result *ret_fault) {
    size_t done = 0;
    *ret_fault = FAULT_OK;
    while (done < length) {
        *ret_fault = model_access(model_page(p, address + done), access);
        if (*ret_fault != FAULT_OK)
            return done;
        const size_t room = PAGE_SIZE - ((address + done) & PAGE_MASK);
        done += length - done < room ? length - done : room;
    }
    return done;
}

/* A page given up by MADV_FREE may read as zeros; if it does, it is gone. */
static void resolve_lazy(struct model_page *page, const uint8_t *seen, size_t offset, size_t n) {
    if (!page->lazy || !page->own)
        return;
    for (size_t i = 0; i < n; i++)
        if (seen[i] != page->own[offset + i]) {
            memset(page->own, 0, PAGE_SIZE);
            page->lazy = false;
            return;
        }
}

static void compare_stretch(struct sequence *s, struct model_process *p, uint64_t address,
                            const uint8_t *bytes, size_t length) {
    for (size_t done = 0; done < length && !s->failure;) {
        struct model_page *page = model_page(p, address + done);
        const size_t offset = (address + done) & PAGE_MASK, room = PAGE_SIZE - offset;
        const size_t n = length - done < room ? length - done : room;
        const size_t valid = model_valid_bytes(page);
        resolve_lazy(page, bytes + done, offset, n);
        const size_t compared = valid > offset ? (valid - offset < n ? valid - offset : n) : 0;
        if (memcmp(bytes + done, model_bytes(page) + offset, compared) != 0)
            sequence_fail(s, "%#lx holds other bytes than were written", address + done);
        done += n;
    }
}

/* By the program's own access or by the kernel's copy. The bytes done, *ret_fault
 * approximate for the copy. */
static size_t do_access(struct sequence *s, struct model_process *p, uint64_t address, unsigned access,
                        void *bytes, size_t length, bool kernel, enum fault_result *ret_fault) {
    if (!kernel)
        return test_access(&s->machine, p->space, address, access, bytes, length, ret_fault);
    const ssize_t done = access == ACCESS_WRITE ? user_write_some(p->space, address, bytes, length)
                                                : user_read_some(p->space, address, bytes, length);
    *ret_fault = done == -ENOMEM ? FAULT_NO_MEMORY : FAULT_OK;
    return done < 0 ? 0 : (size_t)done;
}

/* Whether the access ended where the model says. */
static bool access_agrees(struct sequence *s, size_t done, size_t expected, enum fault_result result,
                          enum fault_result expected_result, bool kernel) {
    const bool excused = (s->scarce && (kernel || result == FAULT_NO_MEMORY)) ||
                         (s->armed && (kernel || result == FAULT_IO || result == FAULT_NO_MEMORY));
    if (done < expected && excused) {
        s->out_of_memory++;
        return true;
    }
    if (done != expected)
        sequence_fail(s, "an access of %zu bytes got at %zu", expected, done);
    else if (!kernel && result != expected_result)
        sequence_fail(s, "an access ended with %d, not %d", (int)result, (int)expected_result);
    return !s->failure;
}

static void read_stretch(struct sequence *s, struct model_process *p, uint64_t address, size_t length,
                         bool kernel) {
    uint8_t bytes[PAGE_SIZE];
    enum fault_result wanted, result;
    const size_t expected = expected_access(p, address, length, ACCESS_READ, &wanted);
    const size_t done = do_access(s, p, address, ACCESS_READ, bytes, length, kernel, &result);
    if (access_agrees(s, done, expected, result, wanted, kernel))
        compare_stretch(s, p, address, bytes, done);
}

void op_read(struct sequence *s, struct model_process *p) {
    read_stretch(s, p, pick_address(s, p) + pick(s, PAGE_SIZE), 1 + pick(s, STRETCH), false);
}

/* Writes within one page, so that what a page under MADV_FREE holds can be settled just before. */
static void write_stretch(struct sequence *s, struct model_process *p, uint64_t address, size_t length,
                          bool kernel) {
    uint8_t bytes[STRETCH];
    struct model_page *page = model_page(p, address);
    enum fault_result wanted, result;
    const size_t offset = address & PAGE_MASK;
    if (page && page->shared && model_access(page, ACCESS_WRITE) == FAULT_OK) {
        const size_t valid = model_valid_bytes(page); /* what is written beyond the end has no meaning */
        if (offset >= valid)
            return;
        length = length < valid - offset ? length : valid - offset;
    }
    const size_t expected = expected_access(p, address, length, ACCESS_WRITE, &wanted);
    if (expected && page->lazy && s->armed)
        return; /* a read that fails settles nothing */
    if (expected && page->lazy)
        read_stretch(s, p, address & ~(uint64_t)PAGE_MASK, PAGE_SIZE, false);
    rng_fill(&s->rng, bytes, length);
    const size_t done = do_access(s, p, address, ACCESS_WRITE, bytes, length, kernel, &result);
    if (!access_agrees(s, done, expected, result, wanted, kernel) || done == 0)
        return;
    memcpy(model_bytes_for_write(page) + offset, bytes, done);
    page->lazy = false;
}

static void write_somewhere(struct sequence *s, struct model_process *p, bool kernel) {
    const uint64_t offset = pick(s, PAGE_SIZE);
    const size_t room = PAGE_SIZE - offset, length = 1 + pick(s, STRETCH);
    write_stretch(s, p, pick_address(s, p) + offset, length < room ? length : room, kernel);
}

void op_write(struct sequence *s, struct model_process *p) {
    write_somewhere(s, p, false);
}

void op_user_copy(struct sequence *s, struct model_process *p) {
    if (pick(s, 2))
        write_somewhere(s, p, true);
    else
        read_stretch(s, p, pick_address(s, p) + pick(s, PAGE_SIZE), 1 + pick(s, STRETCH), true);
}

void op_fetch(struct sequence *s, struct model_process *p) {
    const uint64_t address = pick_address(s, p);
    enum fault_result wanted, result;
    const size_t expected = expected_access(p, address, 1, ACCESS_EXEC, &wanted);
    const size_t done = test_access(&s->machine, p->space, address, ACCESS_EXEC, NULL, 1, &result);
    access_agrees(s, done, expected, result, wanted, false);
}

/* Everything that every process can read, in full. */
void sequence_compare_all(struct sequence *s) {
    for (int i = 0; i < PROCESSES; i++)
        for (unsigned j = 0; s->processes[i] && j < MODEL_PAGES && !s->failure; j++)
            if (s->processes[i]->pages[j].mapped)
                read_stretch(s, s->processes[i], model_address(j), PAGE_SIZE, pick(s, 2));
}

/* ---- processes ---- */

void op_fork(struct sequence *s, struct model_process *parent) {
    int place = 0;
    while (place < PROCESSES && s->processes[place])
        place++;
    if (place == PROCESSES)
        return;
    struct model_process *child = calloc(1, sizeof *child);
    const int error = space_fork(parent->space, ++s->last_pid, &child->space);
    if (error) {
        free(child);
        if (!no_memory(s, error))
            expect(s, "fork", error, 0);
        return;
    }
    model_fork(parent, child);
    s->processes[place] = child;
}

void op_exit(struct sequence *s, struct model_process *p) {
    int place = 0, alive = 0;
    for (int i = 0; i < PROCESSES; i++) {
        alive += s->processes[i] != NULL;
        place = s->processes[i] == p ? i : place;
    }
    if (alive < 2)
        return;
    space_unref(p->space);
    model_exit(p);
    free(p);
    s->processes[place] = NULL;
}

/* ---- files ---- */

static int pick_object(struct sequence *s) {
    return (int)pick(s, OBJECTS);
}

/* As the kernel's read(): the host's bytes, overlaid with what is resident. */
void op_file_read(struct sequence *s, struct model_process *p) {
    uint8_t bytes[2 * PAGE_SIZE];
    const int i = pick_object(s);
    const struct model_object *content = &s->contents[i];
    const uint64_t offset = pick(s, content->size + 1);
    size_t length = 1 + pick(s, sizeof bytes);
    length = length < content->size - offset ? length : content->size - offset;
    if (i < FILES) {
        memcpy(bytes, s->files[i].disk + offset, length);
        object_overlay(s->objects[i], offset, bytes, length);
    } else {
        const ssize_t done = object_read(s->objects[i], offset, bytes, length);
        if (done != (ssize_t)length && no_memory(s, done < 0 ? done : -ENOMEM))
            return;
        expect(s, "read", done, (long)length);
    }
    if (!s->failure && memcmp(bytes, content->bytes + offset, length) != 0)
        sequence_fail(s, "read() of object %d at %#lx gives other bytes than were written", i, offset);
}

/* As the kernel's write(): to the host, then to what is resident. */
void op_file_write(struct sequence *s, struct model_process *p) {
    uint8_t bytes[2 * PAGE_SIZE];
    const int i = pick_object(s);
    struct model_object *content = &s->contents[i];
    const uint64_t offset = pick(s, content->size + 1 + (content->size < content->capacity / 2 ? 999 : 0));
    size_t length = 1 + pick(s, sizeof bytes);
    if (offset + length > content->capacity)
        return;
    rng_fill(&s->rng, bytes, length);
    if (i < FILES) {
        memcpy(s->files[i].disk + offset, bytes, length);
        s->files[i].size = s->files[i].size > offset + length ? s->files[i].size : offset + length;
        object_update(s->objects[i], offset, bytes, length);
    } else {
        const ssize_t done = object_write(s->objects[i], offset, bytes, length);
        if (done != (ssize_t)length) {
            if (!no_memory(s, done < 0 ? done : -ENOMEM))
                expect(s, "write", done, (long)length);
            length = done < 0 ? 0 : (size_t)done;
        }
    }
    memcpy(content->bytes + offset, bytes, length);
    if (length > 0 && content->size < offset + length)
        content->size = offset + length;
}

void op_truncate(struct sequence *s, struct model_process *p) {
    const int i = pick_object(s);
    struct model_object *content = &s->contents[i];
    const uint64_t size =
        pick(s, 4) ? pick(s, content->capacity) : pick(s, content->capacity >> PAGE_SHIFT) << PAGE_SHIFT;
    const uint64_t old_size = content->size;
    if (i < FILES) { /* the host's file first */
        if (size < old_size)
            memset(s->files[i].disk + size, 0, old_size - size);
        s->files[i].size = size;
    }
    const int error = object_truncate(s->objects[i], size);
    if (error) {
        if (i < FILES || !no_memory(s, error))
            expect(s, "truncate", error, 0);
        return;
    }
    content->size = size;
    if (size >= old_size)
        return;
    memset(content->bytes + size, 0, content->capacity - size);
    for (int k = 0; k < PROCESSES; k++)
        if (s->processes[k])
            model_truncate(s->processes[k], content, (size + PAGE_MASK) >> PAGE_SHIFT);
}
