/* model POLICY FRAMES PATTERN PAGES REFERENCES SEED: the misses of a policy over the pages of the
 * pattern, after a pass over all pages. */
#include "pattern.h"

#include <stdbool.h>
#include <stdio.h>

#include "policy/policy.h"

struct memory {
    uint32_t *frame; /* by page: its frame + 1, or 0 */
    uint64_t *page;  /* by frame */
    bool *referenced;
};

static bool test_and_clear(void *context, pfn_t f) {
    struct memory *m = context;
    const bool referenced = m->referenced[f.n];
    m->referenced[f.n] = false;
    return referenced;
}

int main(int argc, char **argv) {
    if (argc != 7)
        return 2;
    const uint32_t frames = (uint32_t)strtoul(argv[2], NULL, 10);
    struct pattern p = {
        .name = argv[3], .pages = strtoull(argv[4], NULL, 10), .random = strtoull(argv[6], NULL, 10)};
    struct memory m = {calloc(p.pages, sizeof *m.frame), calloc(frames, sizeof *m.page),
                       calloc(frames, sizeof *m.referenced)};
    const char *parameters;
    const struct policy_ops *ops = policy_find(argv[1], &parameters);
    const struct policy_config config = {.frames = frames,
                                         .capacity = frames,
                                         .seed = 1,
                                         .parameters = parameters,
                                         .test_and_clear_referenced = test_and_clear,
                                         .context = &m};
    void *state;
    if (!ops || ops->create(&config, &state) < 0)
        return 1;
    uint64_t misses = 0, used = 0;
    const uint64_t total = p.pages + strtoull(argv[5], NULL, 10);
    for (uint64_t i = 0; i < total; i++) {
        const uint64_t page = i < p.pages ? i : pattern_next(&p);
        const page_id_t id = page_id_of_object(1, page);
        if (m.frame[page]) {
            const pfn_t f = {m.frame[page] - 1};
            m.referenced[f.n] = true;
            if (ops->access)
                ops->access(state, f, id);
            continue;
        }
        misses += i >= p.pages;
        if (ops->miss)
            ops->miss(state, id);
        pfn_t f = {(uint32_t)used};
        if (used < frames) {
            used++;
        } else {
            f = ops->victim(state);
            m.frame[m.page[f.n]] = 0;
            ops->remove(state, f, page_id_of_object(1, m.page[f.n]), POLICY_EVICTED);
        }
        m.frame[page] = f.n + 1;
        m.page[f.n] = page;
        m.referenced[f.n] = true;
        ops->insert(state, f, id);
    }
    printf("%llu\n", (unsigned long long)misses);
    ops->destroy(state);
    return 0;
}
