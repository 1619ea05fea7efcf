/* What a TLB miss calls: a few bytes of code for each access, which say what it is and go on to the miss
 * handler. So translated code passes the address and nothing else, and a hit does not pay for a description
 * of the access that only a miss needs. */
#include <string.h>

#include "engine/soft/translate.h"

enum { THUNK_BYTES = 16 };

/* mov $info, %esi; mov $logged, %ecx; jmp area_miss */
struct __attribute__((packed)) thunk {
    uint8_t mov;
    uint32_t info;
    uint8_t mov_logged;
    uint32_t logged;
    uint8_t jmp;
    int32_t relative;
};
_Static_assert(sizeof(struct thunk) <= THUNK_BYTES, "");

void *thunk_make(struct codecache *cache, uint32_t info, uint32_t logged) {
    uint8_t *at = cache->thunks + cache->thunks_used;
    int64_t distance = (int64_t)area_miss - (int64_t)(at + sizeof(struct thunk));
    struct thunk t = {.mov = 0xbe,
                      .info = info,
                      .mov_logged = 0xb9,
                      .logged = logged,
                      .jmp = 0xe9,
                      .relative = (int32_t)distance};
    memcpy(at, &t, sizeof t);
    cache->thunks_used += THUNK_BYTES;
    return at;
}
