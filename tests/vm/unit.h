/* What the unit tests of virtual memory share: a machine to start from, mappings in one line, and a look at
 * entries. The check of everything runs when a test ends. */
#ifndef TESTS_VM_UNIT_H
#define TESTS_VM_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "fixture.h"
#include "policy/policies.h"

/* Nine frames, three reserved, one table a process: the lecture's machine. Tests change what they need. */
static inline struct test_config unit_config(void) {
    return (struct test_config){.frames = 9,
                                .reserved = 3,
                                .swap_pages = 28,
                                .format = &page_table_array,
                                .policy = &policy_fifo,
                                .traced = true};
}

static inline void unit_create(struct test_machine *m, const struct test_config *config) {
    m->inject = (struct inject){0};
    assert_int_equal(test_machine_create(config, m), 0);
}

static inline void unit_check(struct test_machine *m) {
    const char *wrong = test_machine_check(m);
    if (wrong)
        fail_msg("%s", wrong);
}

static inline void unit_destroy(struct test_machine *m) {
    unit_check(m);
    test_machine_destroy(m);
}

static inline struct space *unit_space(struct test_machine *m, uint32_t pid) {
    struct space *space;
    assert_int_equal(space_create(m->vm, pid, &space), 0);
    return space;
}

/* Maps `pages` pages at a fixed address; object NULL: private anonymous or shared anonymous by the flags. */
static inline void unit_map(struct space *space, uint64_t address, uint64_t pages, int protection, int flags,
                            struct object *object, uint64_t page) {
    uint64_t result;
    const struct map_request request = {.address = address,
                                        .length = pages << PAGE_SHIFT,
                                        .protection = protection,
                                        .flags = flags | MAP_FIXED | (object ? 0 : MAP_ANONYMOUS),
                                        .object = object,
                                        .offset = page << PAGE_SHIFT,
                                        .may_write = true};
    assert_int_equal(space_map(space, &request, &result), 0);
    assert_int_equal(result, address);
}

enum { RW = PROT_READ | PROT_WRITE, RX = PROT_READ | PROT_EXEC };

static inline pte_t unit_pte(struct space *space, uint64_t address) {
    const struct page_table *table = space_page_table(space);
    return table->ops->get(table, vpn_of(address));
}
static inline uint32_t unit_frame(struct space *space, uint64_t address) {
    const pte_t pte = unit_pte(space, address);
    assert_true(pte_is_present(pte));
    return pte_pfn(pte).n;
}
static inline uint32_t unit_slot(struct space *space, uint64_t address) {
    const pte_t pte = unit_pte(space, address);
    assert_true(pte_is_swapped(pte));
    return pte_slot(pte).n;
}
static inline struct vm_counts unit_counts(struct test_machine *m) {
    struct vm_counts counts;
    vm_get_counts(m->vm, &counts);
    return counts;
}
static inline struct object *unit_file(struct test_machine *m, struct test_file *file, uint64_t pages) {
    struct object *object;
    test_file_create(file, pages << PAGE_SHIFT, pages << PAGE_SHIFT);
    assert_int_equal(object_create_file(m->vm, &test_file_backing, file, "/file", &object), 0);
    return object;
}
static inline void unit_evict(struct space *space, uint64_t address, uint64_t pages) {
    assert_int_equal(space_advise(space, address, pages << PAGE_SHIFT, MADV_PAGEOUT), 0);
}

#endif
