/* Fuzz target: memory calls and accesses of several processes, in machines of few frames, against the model
 * of the vm's tests (tests/vm/model.h). The first bytes say which machine, each other one is a choice of the
 * sequence. */
#include <stdio.h>
#include <stdlib.h>

#include "../vm/sequence.h"
#include "input.h"
#include "policy/policies.h"

enum { CONFIG_BYTES = 5 };

static struct test_config config_from(struct input *in) {
    static const struct policy_ops *const choices[] = {&policy_fifo, &policy_clock, &policy_lru,
                                                       &policy_random};
    uint8_t flags = input_byte(in);
    uint32_t pages = 1 + input_byte(in) % 40;
    struct test_config c = {
        .reserved = 3,
        .format = flags & 1 ? &page_table_array : &page_table_x86_64,
        .policy = choices[flags / 2 % 4],
        .seed = input_byte(in),
        .swap_pages = flags & 8 ? 1000 : input_byte(in) % 64,
        .slot_at_first_touch = flags & 16,
        .traced = flags & 32,
    };
    if (flags & 1)
        c.frames = c.reserved + 2 + pages;
    else if (flags & 64)
        c.available = pages;
    else
        c.frames = c.reserved + 13 + 2 * pages;
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct sequence s;
    struct input in = {data, size};
    if (size <= CONFIG_BYTES)
        return 0;
    struct test_config config = config_from(&in);
    const char *failure = sequence_run_choices(&s, &config, in.bytes, in.left);
    if (failure) {
        fprintf(stderr, "step %u: %s\n", s.step, failure);
        abort();
    }
    return 0;
}
