/* Physical memory: zero at first, each frame its own bytes, whatever was populated when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hw/physmem.h"

static void frames_are_zero_and_distinct(void **state) {
    static const uint32_t sizes[] = {1, 9, 511, 512, 513, 3000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct physmem mem;
        assert_int_equal(physmem_create(sizes[i], &mem), 0);
        assert_int_equal(mem.frames, sizes[i]);
        for (uint32_t n = sizes[i]; n-- > 0;) {
            if (n % 3 == 0)
                physmem_populate(&mem, (pfn_t){n});
            uint32_t *frame = physmem_frame(&mem, (pfn_t){n});
            assert_int_equal((uintptr_t)frame % PAGE_SIZE, 0);
            assert_int_equal(frame[0] | frame[PAGE_SIZE / 4 - 1], 0);
            frame[0] = frame[PAGE_SIZE / 4 - 1] = n;
        }
        for (uint32_t n = 0; n < sizes[i]; n++) {
            const uint32_t *frame = physmem_frame(&mem, (pfn_t){n});
            assert_int_equal(frame[0], n);
            assert_int_equal(frame[PAGE_SIZE / 4 - 1], n);
        }
        physmem_destroy(&mem);
        assert_null(mem.base);
        physmem_destroy(&mem);
    }
}

/* Bytes of the frames [first, end) that have host memory behind them. */
static size_t resident(const struct physmem *mem, uint32_t first, uint32_t end) {
    static unsigned char present[5000];
    assert_int_equal(mincore(physmem_frame(mem, (pfn_t){first}), (size_t)(end - first) * PAGE_SIZE, present),
                     0);
    size_t count = 0;
    for (uint32_t n = 0; n < end - first; n++)
        count += present[n] & 1;
    return count;
}

/* A step at a time, in any order, and what is there stays. */
static void populating_brings_in_a_step_and_keeps_contents(void **state) {
    struct physmem mem;
    assert_int_equal(physmem_create(5000, &mem), 0);
    assert_int_equal(resident(&mem, 0, 5000), 0);
    physmem_populate(&mem, (pfn_t){4000});
    assert_int_equal(resident(&mem, 4000 / PHYSMEM_STEP * PHYSMEM_STEP, 4096), 512);
    assert_int_equal(resident(&mem, 0, 5000), 512);
    *(uint32_t *)physmem_frame(&mem, (pfn_t){4000}) = 77;
    physmem_populate(&mem, (pfn_t){3999});
    physmem_populate(&mem, (pfn_t){4999});
    assert_int_equal(resident(&mem, 4999 / PHYSMEM_STEP * PHYSMEM_STEP, 5000), 5000 % PHYSMEM_STEP);
    assert_int_equal(resident(&mem, 0, 3000), 0);
    assert_int_equal(*(uint32_t *)physmem_frame(&mem, (pfn_t){4000}), 77);
    physmem_destroy(&mem);
}

static void absurd_sizes_are_refused(void **state) {
    struct physmem mem = {.frames = 42};
    assert_int_equal(physmem_create(0, &mem), -EINVAL);
    assert_int_equal(physmem_create(UINT32_MAX, &mem), -EINVAL);
    assert_int_equal(mem.frames, 42);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_zero_and_distinct),
        cmocka_unit_test(populating_brings_in_a_step_and_keeps_contents),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
