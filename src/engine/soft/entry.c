/* How a block begins.
 *
 *   -16  not_now:    addl $n, counter(%rbp)           back to what it was
 *                    jmp  *0(%rbp)                    area_event
 *    -9  not_here:   jmp  *AREA_FETCH_FAILED(%rbp)    area_fetch_failed
 *     0  entry:      cmpl $token, fetch_token[vpn](%rbp)
 *    10              jne  not_here
 *    12  library's:  subl $n, counter(%rbp)           with two prefixes that say nothing
 *    18              js   not_now
 *    20              ...
 *
 * At 12 the library has put a check of its own, which counts blocks: it is overwritten. Prefixes fill what is
 * left of it, as a nop would be one more instruction for the host. */
#include <assert.h>
#include <string.h>

#include "engine/soft/translate.h"

enum { ENTRY = 16, LIBRARY_CHECK_BYTES = 8 };

struct __attribute__((packed)) entry {
    uint8_t not_now[3], n_back, event[3];
    uint8_t not_here[2];
    uint32_t fetch_failed;
    uint8_t pad[3];
    uint8_t compare[2];
    uint32_t token_at, token;
    uint8_t jne[2];
    uint8_t subtract[5], n;
    uint8_t js[2], end[];
};
_Static_assert(offsetof(struct entry, compare) == ENTRY, "the entry is aligned like the block");
_Static_assert(sizeof(struct entry) == ENTRY_BYTES + LIBRARY_CHECK_BYTES, "");

/* The displacement of a short jump that ends at `end`. */
#define SHORT_JUMP(target, end) (uint8_t)(offsetof(struct entry, target) - offsetof(struct entry, end))

const void *entry_write(uint8_t *block, const struct translation *t) {
    __attribute__((unused)) /* without assertions */
    static const uint8_t library_check[LIBRARY_CHECK_BYTES] = {0xff, 0x4d, AREA_COUNTER, 0x79,
                                                               0x03, 0xff, 0x65,         0};
    size_t token_at = offsetof(struct area, fetch_token) + vpn_of(t->pc).n % FETCH_ENTRIES * sizeof(uint32_t);
    struct entry e = {
        .not_now = {0x83, 0x45, AREA_COUNTER},
        .n_back = (uint8_t)t->instructions,
        .event = {0xff, 0x65, 0},
        .not_here = {0xff, 0xa5},
        .fetch_failed = AREA_FETCH_FAILED,
        .pad = {0xcc, 0xcc, 0xcc},
        .compare = {0x81, 0xbd},
        .token_at = (uint32_t)token_at,
        .token = t->token,
        .jne = {0x75, SHORT_JUMP(not_here, subtract)},
        .subtract = {0x3e, 0x3e, 0x83, 0x6d, AREA_COUNTER},
        .n = (uint8_t)t->instructions,
        .js = {0x78, SHORT_JUMP(not_now, end)},
    };
    assert(memcmp(block + ENTRY_BYTES, library_check, sizeof library_check) == 0);
    memcpy(block, &e, sizeof e);
    return block + ENTRY;
}
