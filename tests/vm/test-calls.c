/* The memory calls: what they return in the cases that the model test does not come to, as Linux 6.1 does,
 * and what they cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/mmu.h"
#include "unit.h"

#define BASE      0x10000000ULL
#define TOP       0x7ffff7fff000ULL
#define BASE_PAGE ((uint64_t)BASE >> PAGE_SHIFT)

static struct test_machine machine;
static struct space *space;

static int setup(void **state) {
    struct test_config config = unit_config();
    config.frames = 40;
    config.swap_pages = 1000;
    unit_create(&machine, &config);
    space = unit_space(&machine, 1);
    return 0;
}

static int teardown(void **state) {
    space_unref(space);
    unit_destroy(&machine);
    return 0;
}

static int map(uint64_t address, uint64_t length, int protection, int flags, uint64_t *ret_address) {
    const struct map_request request = {
        .address = address, .length = length, .protection = protection, .flags = flags};
    return space_map(space, &request, ret_address);
}

enum { ANON = MAP_PRIVATE | MAP_ANONYMOUS };

/* The view of the mapping at an address; asserts that there is one. */
static struct mapping_view view(uint64_t address) {
    struct mapping_view v;
    assert_true(space_next_mapping(space, address, true, &v));
    assert_true(v.start <= address);
    return v;
}

static void test_mmap_refuses(void **state) {
    uint64_t a;
    assert_int_equal(map(0, 0, RW, ANON, &a), -EINVAL);
    assert_int_equal(map(0, PAGE_SIZE, RW, MAP_ANONYMOUS, &a), -EINVAL);
    assert_int_equal(map(BASE + 1, PAGE_SIZE, RW, ANON | MAP_FIXED, &a), -EINVAL);
    assert_int_equal(map(0, UINT64_MAX, RW, ANON, &a), -ENOMEM);
    assert_int_equal(map(0, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, &a), -EINVAL);
    assert_int_equal(map(0, PAGE_SIZE, RW, MAP_SHARED | MAP_GROWSDOWN | MAP_ANONYMOUS, &a), -EINVAL);
    assert_int_equal(map(0, 1ULL << 47, RW, ANON | MAP_NORESERVE, &a), -ENOMEM);
    assert_int_equal(map(USER_END - PAGE_SIZE, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, &a), -ENOMEM);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON | MAP_FIXED, &a), -EPERM);
    assert_int_equal(map(BASE, PAGE_SIZE, RW, ANON | MAP_FIXED, &a), 0);
    assert_int_equal(map(BASE, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, &a), -EEXIST);
    assert_int_equal(map(0, 1100 * PAGE_SIZE, RW, ANON, &a), -ENOMEM); /* more than memory and swap */
    assert_int_equal(map(0, 1100 * PAGE_SIZE, RW, ANON | MAP_NORESERVE, &a), 0);
    assert_int_equal(map(0, 1100 * PAGE_SIZE, PROT_READ, ANON, &a), 0);
}

static void test_mmap_places_top_down(void **state) {
    uint64_t a;
    assert_int_equal(map(0, 3 * PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(a, TOP - 3 * PAGE_SIZE);
    assert_int_equal(map(0, 1, RW, ANON, &a), 0);
    assert_int_equal(a, TOP - 4 * PAGE_SIZE);
    assert_int_equal(view(a).end, TOP); /* merged */
    assert_int_equal(space_unmap(space, TOP - 2 * PAGE_SIZE, PAGE_SIZE), 0);
    assert_int_equal(map(0, 2 * PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(a, TOP - 6 * PAGE_SIZE);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(a, TOP - 2 * PAGE_SIZE);
    assert_int_equal(map(BASE, PAGE_SIZE, RW, ANON, &a), 0); /* a hint that can be followed */
    assert_int_equal(a, BASE);
    assert_int_equal(map(BASE, PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(a, TOP - 7 * PAGE_SIZE);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON | MAP_32BIT, &a), 0);
    assert_int_equal(a, 0x40000000); /* the lowest there */
    assert_int_equal(map(0x50000000, PAGE_SIZE, RW, ANON | MAP_32BIT, &a), 0);
    assert_int_equal(a, 0x50000000);
    assert_int_equal(map(BASE + 3 * PAGE_SIZE + 5, PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(a, BASE + 3 * PAGE_SIZE); /* the page that the hint is in */
}

static void test_limits(void **state) {
    uint64_t a;
    struct space_limits limits = {10 * PAGE_SIZE, 6 * PAGE_SIZE, UINT64_MAX, 6 * PAGE_SIZE, 3 * PAGE_SIZE, 0};
    space_set_limits(space, &limits);
    assert_int_equal(map(0, 7 * PAGE_SIZE, RW, ANON, &a), -ENOMEM);
    assert_int_equal(map(0, 5 * PAGE_SIZE, RW, ANON, &a), 0);
    assert_int_equal(map(0, 6 * PAGE_SIZE, PROT_READ, ANON, &a), -ENOMEM);
    assert_int_equal(map(0, 5 * PAGE_SIZE, PROT_READ, ANON, &a), 0);
    limits.address_space = 20 * PAGE_SIZE;
    space_set_limits(space, &limits);
    assert_int_equal(space_protect(space, a, 5 * PAGE_SIZE, RW), -ENOMEM);
    assert_int_equal(space_lock(space, a, 4 * PAGE_SIZE, false), -ENOMEM);
    assert_int_equal(space_lock(space, a, 2 * PAGE_SIZE, false), 0);
    assert_int_equal(space_lock(space, a, 3 * PAGE_SIZE, false), 0); /* two of them are locked already */
    assert_int_equal(space_lock_all(space, MCL_CURRENT), -ENOMEM);
    assert_int_equal(space_lock_all(space, MCL_FUTURE), 0);
    limits = (struct space_limits){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 3 * PAGE_SIZE, 0};
    space_set_limits(space, &limits);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON, &a), -EAGAIN); /* it would be locked */
    space_unlock_all(space);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON | MAP_LOCKED, &a), 0);
    limits.locked = 0;
    space_set_limits(space, &limits);
    assert_int_equal(map(0, PAGE_SIZE, RW, ANON | MAP_LOCKED, &a), -EPERM);
    assert_int_equal(space_lock(space, a, PAGE_SIZE, false), -EPERM);
    space_set_brk(space, BASE + 100, 0);
    assert_int_equal(space_brk(space, 0), BASE + 100);
    assert_int_equal(space_brk(space, BASE + 5000), BASE + 5000);
    limits.data = 6000;
    space_set_limits(space, &limits);
    assert_int_equal(space_brk(space, BASE + 9000), BASE + 5000);
    assert_int_equal(view(BASE + PAGE_SIZE).heap, true);
}

static void test_munmap_and_mprotect_split_and_merge(void **state) {
    unit_map(space, BASE, 10, RW, MAP_PRIVATE, NULL, 0);
    assert_int_equal(space_unmap(space, BASE + 1, PAGE_SIZE), -EINVAL);
    assert_int_equal(space_unmap(space, BASE, 0), -EINVAL);
    assert_int_equal(space_unmap(space, USER_END, PAGE_SIZE), -EINVAL);
    assert_int_equal(space_unmap(space, 0x7000000, PAGE_SIZE), 0); /* nothing there: fine */
    assert_int_equal(space_protect(space, BASE + 3 * PAGE_SIZE, 2 * PAGE_SIZE, PROT_READ), 0);
    assert_int_equal(view(BASE).end, BASE + 3 * PAGE_SIZE);
    assert_int_equal(view(BASE + 4 * PAGE_SIZE).access, ACCESS_READ);
    assert_int_equal(view(BASE + 5 * PAGE_SIZE).start, BASE + 5 * PAGE_SIZE);
    assert_int_equal(space_protect(space, BASE + 3 * PAGE_SIZE, 2 * PAGE_SIZE, RW), 0);
    assert_int_equal(view(BASE).end, BASE + 10 * PAGE_SIZE);
    assert_int_equal(space_unmap(space, BASE + 4 * PAGE_SIZE, PAGE_SIZE), 0);
    /* what comes before a hole is done */
    assert_int_equal(space_protect(space, BASE, 10 * PAGE_SIZE, PROT_READ), -ENOMEM);
    assert_int_equal(view(BASE).access, ACCESS_READ);
    assert_int_equal(view(BASE + 5 * PAGE_SIZE).access, RW);
    assert_int_equal(space_protect(space, BASE + 5, PAGE_SIZE, RW), -EINVAL);
    assert_int_equal(space_protect(space, BASE, PAGE_SIZE, 0x80), -EINVAL);
    assert_int_equal(space_protect(space, BASE, UINT64_MAX - 5000, RW), -ENOMEM);
}

static void test_mremap_refuses(void **state) {
    uint64_t a;
    unit_map(space, BASE, 4, RW, MAP_PRIVATE, NULL, 0);
    unit_map(space, BASE + 4 * PAGE_SIZE, 1, PROT_READ, MAP_PRIVATE, NULL, 0);
    const uint64_t page = PAGE_SIZE;
    assert_int_equal(space_remap(space, BASE + 1, page, page, 0, 0, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, page, 0, 0, 0, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, page, page, 64, 0, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, page, page, MREMAP_FIXED, 2 * BASE, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, BASE, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, page, 2 * page, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0, &a),
                     -EINVAL);
    assert_int_equal(space_remap(space, BASE, 0, page, MREMAP_MAYMOVE, 0, &a), -EINVAL);
    assert_int_equal(space_remap(space, BASE, 5 * page, 6 * page, MREMAP_MAYMOVE, 0, &a), -EFAULT);
    assert_int_equal(space_remap(space, 9 * BASE, page, page, 0, 0, &a), -EFAULT);
    assert_int_equal(space_remap(space, BASE, 1ULL << 47, page, 0, 0, &a), -EINVAL); /* to unmap all that */
    assert_int_equal(space_remap(space, BASE, 4 * page, 5 * page, 0, 0, &a), -ENOMEM);
}

static void test_madvise_mincore_msync_refuse(void **state) {
    unsigned char resident[4];
    unit_map(space, BASE, 2, RW, MAP_PRIVATE, NULL, 0);
    unit_map(space, BASE + 3 * PAGE_SIZE, 1, RW, MAP_SHARED, NULL, 0);
    assert_int_equal(space_advise(space, BASE, PAGE_SIZE, 77), -EINVAL);
    assert_int_equal(space_advise(space, BASE + 1, PAGE_SIZE, MADV_NORMAL), -EINVAL);
    assert_int_equal(space_advise(space, BASE, 0, MADV_DONTNEED), 0);
    assert_int_equal(space_advise(space, BASE, 4 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
    assert_int_equal(space_advise(space, BASE + 3 * PAGE_SIZE, PAGE_SIZE, MADV_FREE), -EINVAL);
    assert_int_equal(space_advise(space, BASE, PAGE_SIZE, MADV_REMOVE), -EINVAL);
    assert_int_equal(space_mincore(space, BASE + 2 * PAGE_SIZE, 1, resident), -ENOMEM);
    test_write_byte(&machine, space, BASE + PAGE_SIZE, 1);
    assert_int_equal(space_mincore(space, BASE, 4, resident), 2); /* up to the hole */
    assert_int_equal(resident[0], 0);
    assert_int_equal(resident[1], 1);
    assert_int_equal(space_sync(space, BASE, PAGE_SIZE, MS_SYNC | MS_ASYNC), -EINVAL);
    assert_int_equal(space_sync(space, BASE, 4 * PAGE_SIZE, MS_SYNC), -ENOMEM);
    assert_int_equal(space_lock(space, BASE, 4 * PAGE_SIZE, false), -ENOMEM);
    assert_int_equal(space_lock(space, BASE, 2 * PAGE_SIZE, false), 0);
    assert_true(view(BASE).locked);
    assert_int_equal(space_sync(space, BASE, PAGE_SIZE, MS_INVALIDATE), -EBUSY);
    assert_int_equal(space_advise(space, BASE, PAGE_SIZE, MADV_DONTNEED), -EINVAL);
}

static void test_a_hole_in_shared_memory(void **state) {
    unit_map(space, BASE, 3, RW, MAP_SHARED, NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        test_write_byte(&machine, space, BASE + i * PAGE_SIZE, (uint8_t)(i + 1));
    unit_evict(space, BASE, 3);
    test_read_byte(&machine, space, BASE);
    assert_int_equal(space_advise(space, BASE, 2 * PAGE_SIZE, MADV_REMOVE), 0);
    assert_int_equal(test_read_byte(&machine, space, BASE), 0);
    assert_int_equal(test_read_byte(&machine, space, BASE + PAGE_SIZE), 0);
    assert_int_equal(test_read_byte(&machine, space, BASE + 2 * PAGE_SIZE), 3);
}

/* MADV_WILLNEED fills free frames, and no more; MADV_POPULATE_WRITE goes through with it. */
static void test_bringing_pages_in(void **state) {
    unit_map(space, BASE, 60, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 60; i++)
        test_write_byte(&machine, space, BASE + i * PAGE_SIZE, (uint8_t)i);
    unit_evict(space, BASE, 60);
    struct space_counts counts;
    const uint64_t evictions = unit_counts(&machine).tally.evictions[EVENT_VICTIM_CLEAN];
    const uint64_t faults = tally_faults(space_tally(space));
    assert_int_equal(space_advise(space, BASE, 60 * PAGE_SIZE, MADV_WILLNEED), 0);
    space_get_counts(space, &counts);
    assert_int_equal(counts.resident, 37);
    assert_int_equal(unit_counts(&machine).tally.evictions[EVENT_VICTIM_CLEAN], evictions);
    assert_int_equal(tally_faults(space_tally(space)), faults);
    assert_int_equal(space_advise(space, BASE, 60 * PAGE_SIZE, 23 /* MADV_POPULATE_WRITE */), 0);
    space_get_counts(space, &counts);
    assert_int_equal(counts.resident + counts.swapped, 60);
    for (unsigned i = 0; i < 60; i++)
        assert_int_equal(test_read_byte(&machine, space, BASE + i * PAGE_SIZE), i);
}

/* 64 TiB cost nothing: neither memory nor time, to map, touch here and there, fork and unmap. */
static void test_reservations_cost_nothing(void **state) {
    uint64_t a;
    struct space *child;
    const uint64_t size = 64ULL << 40;
    machine.inject.calls[INJECT_ALLOC] = 0;
    assert_int_equal(map(0, size, RW, ANON | MAP_NORESERVE, &a), 0);
    assert_true(machine.inject.calls[INJECT_ALLOC] <= 1);
    for (uint64_t i = 0; i < 16; i++)
        test_write_byte(&machine, space, a + i * (size / 16), (uint8_t)i);
    assert_int_equal(space_fork(space, 2, &child), 0);
    assert_int_equal(space_unmap(space, a, size), 0);
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(test_read_byte(&machine, child, a + i * (size / 16)), i);
    space_unref(child);
}

static void test_views_count_pages(void **state) {
    unit_map(space, BASE, 8, RW, MAP_PRIVATE, NULL, 0);
    for (unsigned i = 0; i < 6; i++)
        test_write_byte(&machine, space, BASE + i * PAGE_SIZE, 1);
    unit_evict(space, BASE, 2);
    const struct mapping_view v = view(BASE);
    assert_int_equal(v.resident, 4);
    assert_int_equal(v.swapped, 2);
    assert_int_equal(v.dirty, 4);
    assert_int_equal(v.anonymous, 4);
    struct mapping_view none;
    assert_false(space_next_mapping(space, BASE + 8 * PAGE_SIZE, false, &none));
}

/* ---- user memory ---- */

static void test_user_copies(void **state) {
    char text[3 * PAGE_SIZE] = "", back[3 * PAGE_SIZE];
    unit_map(space, BASE, 3, RW, MAP_PRIVATE, NULL, 0);
    memset(text, 'x', sizeof text - 1);
    assert_int_equal(user_write(space, BASE, text, sizeof text), 0);
    unit_evict(space, BASE, 3);
    assert_int_equal(user_read(space, BASE, back, sizeof back), 0);
    assert_memory_equal(text, back, sizeof text);
    assert_int_equal(user_string(space, BASE, back, sizeof back), sizeof text - 1);
    assert_int_equal(user_string(space, BASE, back, 100), -ENAMETOOLONG);
    assert_int_equal(user_zero(space, BASE + 10, PAGE_SIZE), 0);
    assert_int_equal(user_string(space, BASE, back, 100), 10);
    assert_int_equal(user_read(space, BASE + PAGE_SIZE, back, 3 * PAGE_SIZE), -EFAULT);
    assert_int_equal(user_read_some(space, BASE + PAGE_SIZE, back, 3 * PAGE_SIZE), 2 * PAGE_SIZE);
    assert_int_equal(user_read_some(space, BASE + 3 * PAGE_SIZE, back, 1), -EFAULT);
    assert_int_equal(user_read(space, UINT64_MAX - 5, back, 100), -EFAULT);
    assert_int_equal(user_string(space, BASE + 3 * PAGE_SIZE - 2, back, 100), 1);
    assert_int_equal(user_write(space, BASE + 3 * PAGE_SIZE - 1, "x", 1), 0);
    assert_int_equal(user_string(space, BASE + 3 * PAGE_SIZE - 2, back, 100), -EFAULT);
    assert_int_equal(user_read(space, 0, back, 0), 0);
}

/* The host's disk has nothing to keep for slots that nobody uses any more. */
static void test_unmapping_gives_swap_space_back_to_the_host(void **state) {
    static const uint8_t zeros[PAGE_SIZE];
    uint8_t page[PAGE_SIZE];
    uint64_t address;
    assert_int_equal(map(BASE, 8 * PAGE_SIZE, RW, ANON | MAP_FIXED, &address), 0);
    for (unsigned i = 0; i < 8; i++)
        test_write_byte(&machine, space, BASE + i * PAGE_SIZE, 1);
    unit_evict(space, BASE, 8);
    const slot_t slot = {unit_slot(space, BASE)};
    assert_int_equal(disk_read(machine.swap, slot, page), 0);
    assert_int_equal(page[0], 1);
    assert_int_equal(space_unmap(space, BASE, 8 * PAGE_SIZE), 0);
    assert_int_equal(disk_read(machine.swap, slot, page), 0);
    assert_memory_equal(page, zeros, PAGE_SIZE);
}

/* Maps so many pages there. 0 or -errno. */
static int promise(uint64_t page, uint64_t pages, int flags) {
    uint64_t address;
    return map(BASE + page * PAGE_SIZE, pages * PAGE_SIZE, RW, ANON | MAP_FIXED | flags, &address);
}

static void test_overcommitment(void **state) {
    struct vm_counts counts;
    struct space *child;
    uint64_t address;
    vm_get_counts(machine.vm, &counts);
    const uint64_t memory = counts.frames.total - counts.frames.reserved, all = memory + counts.swap.pages;
    assert_int_equal(vm_get_overcommit(machine.vm), VM_OVERCOMMIT_GUESS);
    assert_int_equal(vm_commit_limit(machine.vm), memory / 2 + counts.swap.pages);
    assert_int_equal(promise(0, all + 1, 0), -ENOMEM);
    assert_int_equal(promise(0, all + 1, MAP_NORESERVE), 0);
    assert_int_equal(promise(0, all, 0), 0);
    assert_int_equal(promise(all, all, 0), 0); /* each alone could be had */
    vm_set_overcommit(machine.vm, VM_OVERCOMMIT_ALWAYS);
    assert_int_equal(promise(0, 3 * all, 0), 0);
    assert_int_equal(space_unmap(space, BASE, 3 * all * PAGE_SIZE), 0);

    vm_set_overcommit(machine.vm, VM_OVERCOMMIT_NEVER);
    vm_set_overcommit_ratio(machine.vm, 100);
    assert_int_equal(vm_commit_limit(machine.vm), all);
    assert_int_equal(promise(0, all, 0), -ENOMEM); /* less than the limit, not as much */
    assert_int_equal(promise(0, all, MAP_NORESERVE), -ENOMEM);
    assert_int_equal(map(0, all * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, &address), -ENOMEM);
    assert_int_equal(promise(0, all - 1, 0), 0);
    assert_int_equal(promise(0, all - 1, 0), 0); /* in its own place */
    assert_int_equal(promise(all, 1, 0), -ENOMEM);
    assert_int_equal(space_fork(space, 2, &child), -ENOMEM);
    vm_set_overcommit_ratio(machine.vm, 0);
    assert_int_equal(vm_commit_limit(machine.vm), counts.swap.pages);
}

/* ---- what programs are told ---- */

static void test_what_is_told_is_the_same_in_every_memory(void **state) {
    struct test_config config = unit_config();
    struct test_machine other;
    struct vm_counts counts;
    struct vm_usage usage;
    struct space_counts own;
    uint64_t at;
    config.told_pages = 1000;
    unit_create(&other, &config);
    struct space *program = unit_space(&other, 1);
    const struct map_request request = {.length = 8 * PAGE_SIZE, .protection = RW, .flags = ANON};
    assert_int_equal(space_map(program, &request, &at), 0);
    for (int i = 0; i < 8; i++) /* more than there are frames */
        test_write_byte(&other, program, at + (uint64_t)i * PAGE_SIZE, 1);
    vm_get_told_counts(other.vm, &counts);
    assert_int_equal(counts.frames.total, 1000);
    assert_int_equal(counts.frames.free, 1000);
    assert_int_equal(counts.frames_peak.total, 1000);
    assert_int_equal(counts.frames_peak.free, 1000);
    assert_int_equal(counts.swap.pages, 4000);
    assert_int_equal(counts.swap.used, 0);
    assert_int_equal(counts.promised, 8);
    vm_get_told_usage(other.vm, &usage);
    assert_memory_equal(&usage, &(struct vm_usage){0}, sizeof usage);
    space_get_told_counts(program, &own);
    assert_int_equal(own.resident, 8);
    assert_int_equal(own.resident_peak, 8);
    assert_int_equal(own.swapped + own.resident_file + own.resident_shared, 0);
    const struct map_request all = {.length = 5000 * PAGE_SIZE, .protection = RW, .flags = ANON};
    const struct map_request more = {.length = 5001 * PAGE_SIZE, .protection = RW, .flags = ANON};
    assert_int_equal(space_map(program, &all, &at), 0);
    assert_int_equal(other.refused, 0);
    assert_int_equal(space_map(program, &more, &at), -ENOMEM);
    assert_int_equal(other.refused, 1);
    space_unref(program);
    unit_destroy(&other);
}

/* ---- what an observer hears of names ---- */

static char heard[400];

static void hear(void *context, const struct vm_range *r, uint64_t instruction) {
    const size_t length = strlen(heard);
    snprintf(heard + length, sizeof heard - length, "%lu+%lu %x %s; ", r->start.n - BASE_PAGE, r->pages,
             r->flags, r->name ? r->name : "-");
}

static void test_an_observer_hears_of_names_and_permissions(void **state) {
    struct test_config config = unit_config();
    struct test_machine other;
    struct space *child;
    uint64_t at;
    config.frames = 40;
    config.observer.renamed = hear;
    heard[0] = '\0';
    unit_create(&other, &config);
    struct space *program = unit_space(&other, 1);
    const struct map_request request = {
        .address = BASE, .length = 8 * PAGE_SIZE, .protection = RW, .flags = ANON | MAP_FIXED};
    assert_int_equal(space_map(program, &request, &at), 0); /* has no name: EVENT_MAP says all */
    assert_int_equal(space_name(program, BASE, 4 * PAGE_SIZE, "a"), 0);
    assert_int_equal(space_name(program, BASE, 4 * PAGE_SIZE, "a"), 0); /* it has it already */
    assert_int_equal(space_name(program, BASE + PAGE_SIZE, PAGE_SIZE, NULL), 0);
    assert_int_equal(space_protect(program, BASE, PAGE_SIZE, PROT_READ), 0);
    assert_string_equal(heard, "0+4 3 a; 1+1 3 -; 0+1 1 a; ");
    heard[0] = '\0';
    assert_int_equal(space_fork(program, 2, &child), 0);
    assert_string_equal(heard, "0+1 1 a; 2+2 3 a; ");
    heard[0] = '\0';
    assert_int_equal(space_map(program,
                               &(struct map_request){.address = BASE + 10 * PAGE_SIZE,
                                                     .length = PAGE_SIZE,
                                                     .protection = RW,
                                                     .flags = ANON | MAP_FIXED},
                               &at),
                     0);
    assert_int_equal(space_name(program, BASE + 10 * PAGE_SIZE, PAGE_SIZE, "b"), 0);
    assert_int_equal(space_remap(program, BASE + 10 * PAGE_SIZE, PAGE_SIZE, 3 * PAGE_SIZE, 0, 0, &at), 0);
    assert_string_equal(heard, "10+1 3 b; 11+2 3 b; ");
    space_unref(child);
    space_unref(program);
    unit_destroy(&other);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_mmap_refuses),
        TEST(test_mmap_places_top_down),
        TEST(test_limits),
        TEST(test_overcommitment),
        TEST(test_what_is_told_is_the_same_in_every_memory),
        TEST(test_an_observer_hears_of_names_and_permissions),
        TEST(test_munmap_and_mprotect_split_and_merge),
        TEST(test_mremap_refuses),
        TEST(test_madvise_mincore_msync_refuse),
        TEST(test_a_hole_in_shared_memory),
        TEST(test_bringing_pages_in),
        TEST(test_reservations_cost_nothing),
        TEST(test_views_count_pages),
        TEST(test_user_copies),
        TEST(test_unmapping_gives_swap_space_back_to_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
