#include "vm/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "vm/state.h"

enum { LINE = 32, LINE_WORDS = LINE / sizeof(uint64_t), LINES = PAGE_SIZE / LINE };

struct content {
    uint8_t bytes[PAGE_SIZE]; /* as listeners know them */
    bool is_new;              /* filled, and no line of it told yet: one must be */
};

struct contents {
    uint32_t frames;
    struct content of[];
};

int contents_create(struct vm *vm, struct contents **ret_contents) {
    const uint32_t frames = vm->mem.frames;
    *ret_contents = NULL;
    if (!vm->config.record_contents || frames > CONTENT_FRAMES_MAX)
        return 0;
    struct contents *contents = vm_alloc(vm, sizeof *contents + frames * sizeof contents->of[0]);
    if (!contents)
        return -ENOMEM;
    contents->frames = frames;
    *ret_contents = contents;
    return 0;
}

void contents_destroy(struct contents *contents) {
    free(contents);
}

void content_filled(struct vm *vm, pfn_t pfn) {
    if (likely(!vm->contents))
        return;
    struct content *c = &vm->contents->of[pfn.n];
    memset(c->bytes, 0, sizeof c->bytes);
    c->is_new = true;
}

void content_swapped_in(struct vm *vm, pfn_t pfn) {
    if (likely(!vm->contents))
        return;
    struct content *c = &vm->contents->of[pfn.n];
    memcpy(c->bytes, frame_bytes(vm, pfn), sizeof c->bytes);
    c->is_new = false;
}

static void tell_line(struct vm *vm, pfn_t pfn, struct content *c, unsigned line) {
    uint64_t words[LINE_WORDS];
    memcpy(words, (const uint8_t *)frame_bytes(vm, pfn) + line * LINE, LINE);
    memcpy(c->bytes + line * LINE, words, LINE);
    c->is_new = false;
    trace_emit(vm->config.trace, EVENT_CONTENT, line, pfn.n, words[0], words[1], words[2], words[3]);
}

static void tell_frame(struct vm *vm, pfn_t pfn, struct content *c) {
    const uint8_t *bytes = frame_bytes(vm, pfn);
    if (memcmp(c->bytes, bytes, PAGE_SIZE) != 0)
        for (unsigned line = 0; line < LINES; line++)
            if (memcmp(c->bytes + line * LINE, bytes + line * LINE, LINE) != 0)
                tell_line(vm, pfn, c, line);
    if (c->is_new)
        tell_line(vm, pfn, c, 0);
}

void content_tell(struct vm *vm, pfn_t pfn) {
    if (likely(!vm->contents) || !vm->config.trace || !vm->config.trace->listening)
        return;
    const unsigned state = frame_of(vm, pfn)->state;
    if (state == EVENT_FRAME_ANONYMOUS || state == EVENT_FRAME_CACHE)
        tell_frame(vm, pfn, &vm->contents->of[pfn.n]);
}

void vm_tell_contents(struct vm *vm) {
    if (likely(!vm->contents))
        return;
    for (uint32_t n = 0; n < vm->contents->frames; n++)
        content_tell(vm, (pfn_t){n});
}
