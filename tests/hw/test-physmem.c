/* Physical memory: zero at first, each frame its own bytes, whatever was populated when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hw/physmem.h"

static void frames_are_zero_and_distinct(void **state) {
    static const uint32_t sizes[] = {1, 9, 511, 512, 513, 3000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct physmem mem;
        assert_int_equal(physmem_create(sizes[i], &mem), 0);
        assert_int_equal(mem.frames, sizes[i]);
        for (uint32_t n = sizes[i]; n-- > 0;) {
            if (n % 3 == 0 || n == sizes[i] - 1)
                physmem_populate(&mem, (pfn_t){n});
            uint32_t *frame = physmem_frame(&mem, (pfn_t){n});
            assert_int_equal((uintptr_t)frame % PAGE_SIZE, 0);
            assert_int_equal(frame[0] | frame[PAGE_SIZE / 4 - 1], 0);
            frame[0] = frame[PAGE_SIZE / 4 - 1] = n;
        }
        assert_int_equal(mem.populated, sizes[i]);
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

/* Populating keeps what is there, and happens ahead of use in steps. */
static void populating_keeps_contents(void **state) {
    struct physmem mem;
    assert_int_equal(physmem_create(5000, &mem), 0);
    assert_true(mem.populated > 0 && mem.populated < 5000);
    *(uint32_t *)physmem_frame(&mem, (pfn_t){4000}) = 77;
    physmem_populate(&mem, (pfn_t){3999});
    assert_true(mem.populated >= 4000 && mem.populated < 5000);
    physmem_populate(&mem, (pfn_t){4999});
    assert_int_equal(mem.populated, 5000);
    physmem_populate(&mem, (pfn_t){0});
    assert_int_equal(mem.populated, 5000);
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
        cmocka_unit_test(populating_keeps_contents),
        cmocka_unit_test(absurd_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
