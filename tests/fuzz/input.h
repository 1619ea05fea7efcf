/* A fuzzer's bytes, taken as decisions. When they are used up every decision is 0: a short input is a whole
 * one. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline uint8_t input_byte(struct input *in) {
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->bytes++;
}

/* A number of so many bytes, the lowest first. */
static inline uint64_t input_number(struct input *in, unsigned width) {
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)input_byte(in) << 8 * i;
    return value;
}

/* What a fuzz target is: called with any bytes, it returns 0 or aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
