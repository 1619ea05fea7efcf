/* The heap: brk. Its end moves within what the next mapping above, with its guard gap and one page more, and
 * the limits allow; whatever is wrong, the answer is the end as it is. A stack with a fixed place keeps no
 * distance to what lies below: the lecture's heap stands right under it. */
#include <errno.h>

#include "base/base.h"
#include "vm/merge.h"
#include "vm/space.h"
#include "vm/state.h"

void space_set_brk(struct space *space, uint64_t start, uint64_t data) {
    space->brk_start = space->brk_end = start;
    space->data = data;
}

static bool brk_has_room(struct space *space, vpn_t from, vpn_t to) {
    const struct mapping *above = mapping_first(space, from);
    if (!above)
        return to.n <= USER_END_VPN.n;
    bool fixed_stack = (above->flags & (MAPPING_STACK | MAPPING_GROWS_DOWN)) == MAPPING_STACK;
    return to.n + !fixed_stack <= mapping_guarded_start(above).n;
}

static int brk_extend(struct space *space, vpn_t from, vpn_t to, unsigned flags) {
    struct mapping *heap = mapping_find(space, (vpn_t){from.n - 1});
    if (heap && mapping_prolong(heap, to, flags)) {
        space_emit_map_range(space, heap, from, to);
        return 0;
    }
    const struct mapping new = {.start = from, .end = to, .object_page = from.n, .flags = flags};
    const int error = mapping_insert(space, &new, &heap);
    if (!error)
        space_emit_map_range(space, heap, from, to);
    return error;
}

static int brk_grow(struct space *space, vpn_t from, vpn_t to) {
    const unsigned flags = ACCESS_READ | ACCESS_WRITE | MAPPING_HEAP | MAPPING_ACCOUNTED | space->future;
    const uint64_t pages = to.n - from.n;
    if (!space_may_lock(space, pages, flags) || !brk_has_room(space, from, to) ||
        space_may_map(space, pages, flags) || space->mappings.count > MAPPINGS_MAX ||
        vm_may_promise(space->vm, pages))
        return -ENOMEM;
    const int error = brk_extend(space, from, to, flags);
    if (!error && flags & MAPPING_LOCKED)
        (void)space_populate_all(space, from, to);
    return error;
}

/* The heap must still be there to be given up. */
static int brk_shrink(struct space *space, vpn_t to, vpn_t from) {
    const struct mapping *m = mapping_first(space, to);
    if (!m || m->start.n >= from.n)
        return -EINVAL;
    return space_unmap_pages(space, to, from, POLICY_UNMAPPED);
}

uint64_t space_brk(struct space *space, uint64_t end) {
    if (end < space->brk_start || end > USER_END)
        return space->brk_end;
    const vpn_t from = vpn_of(page_round_up(space->brk_end)), to = vpn_of(page_round_up(end));
    int error = 0;
    if (end - space->brk_start + space->data > space->limits.data)
        error = -ENOMEM;
    else if (to.n > from.n)
        error = brk_grow(space, from, to);
    else if (to.n < from.n)
        error = brk_shrink(space, to, from);
    if (!error)
        space->brk_end = end;
    return space->brk_end;
}
