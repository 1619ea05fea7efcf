/* Mappings that grow down. The page fault below one extends it, as far as the limit on stacks and a gap of
 * 256 pages to the next mapping allow (Linux: expand_downwards). */
#include "base/base.h"
#include "vm/merge.h"
#include "vm/space.h"

vpn_t mapping_guarded_start(const struct mapping *m) {
    if (!(m->flags & MAPPING_GROWS_DOWN))
        return m->start;
    return (vpn_t){m->start.n - min_u64(m->start.n, STACK_GUARD_PAGES)};
}

/* Whether the mapping below keeps its distance. A page without any permission is a guard by itself. */
static bool stack_has_room(struct mapping *stack, vpn_t start) {
    const struct mapping *below = mapping_previous(stack);
    if (!below)
        return true;
    const bool guard = (below->flags & MAPPING_GROWS_DOWN) || !(below->flags & MAPPING_ACCESS);
    return below->end.n + (guard ? 0 : STACK_GUARD_PAGES) <= start.n;
}

struct mapping *space_grow_stack(struct space *space, vpn_t vpn) {
    struct mapping *stack = mapping_first(space, vpn);
    if (!stack || !(stack->flags & MAPPING_GROWS_DOWN) || vpn.n < MAP_LOWEST_PAGE ||
        !stack_has_room(stack, vpn))
        return NULL;
    const uint64_t more = stack->start.n - vpn.n;
    mapping_filled(stack); /* as on Linux, whatever happens next */
    if (more > stack->object_page || space_may_map(space, more, stack->flags) ||
        (stack->end.n - vpn.n) << PAGE_SHIFT > space->limits.stack ||
        !space_may_lock(space, more, stack->flags) || vm_may_promise(space->vm, more))
        return NULL;
    mapping_extend(stack, vpn, stack->end);
    space_emit_map_range(space, stack, vpn, (vpn_t){vpn.n + more});
    return stack;
}
