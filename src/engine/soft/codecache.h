/* The code cache: translated blocks, kept by what the translated bytes *are* and where they are mapped.
 *
 *   identity of the content ──► code pages, one for each page number that it is executed at
 *                                 │  token: a number that is never used again
 *                                 └► blocks, by offset in the page
 *
 * Translations are shared by all page tables that map the same content at the same address. Nothing is ever
 * unlinked from code that jumps to a block: a block begins by comparing its token with the fetch TLB, so a
 * code page is retired by forgetting its token. The memory of retired pages and blocks comes back when the
 * cache is full and everything is flushed.
 *
 * Invariants: at most one code page that is not retired exists for (page number, identity); every byte that a
 * block was translated from is marked in its page's `translated`. */
#ifndef ENGINE_SOFT_CODECACHE_H
#define ENGINE_SOFT_CODECACHE_H

#include <stddef.h>

#include "hw/types.h"

enum {
    CODE_BYTES = 512 << 20, /* so much that something else is full first, whether or not code is traced */
    CODE_PAGES = 1 << 15,
    CODE_BLOCKS = 1 << 20,
    CODE_THUNK_BYTES = 16 << 20,
    CODE_BLOCK_BYTES = 256 << 10, /* no block's code is larger */
    CODE_ROOM = 4,                /* blocks and pages that fit where there is room */
    CODE_ID_HEADS = 1 << 12,
    CODE_OFFSET_HEADS = 1 << 5,
};

enum block_kind {
    BLOCK_NORMAL, /* instructions up to a jump, the end of the page or one that needs the slow path */
    BLOCK_SLOW,   /* begins with an instruction that always needs the slow path: no code */
    BLOCK_SINGLE, /* one instruction, for the slow path */
};

struct block {
    const void *code; /* host code; NULL for BLOCK_SLOW, and for an instruction that is not translated */
    uint32_t next;    /* in the page's list: index, 0 is none */
    uint32_t second; /* BLOCK_SINGLE: the token of the next page if the instruction extends into it, else 0 */
    uint16_t offset; /* of its first byte in the page */
    uint8_t kind;
    uint8_t instructions; /* BLOCK_NORMAL: how many */
    /* BLOCK_SINGLE: */
    uint8_t skipped;  /* bytes of the instruction's beginning that the translation has left out: encoding.h */
    bool is_overlong; /* it has too many bytes to be executed; no code */
};

struct code_page {
    vpn_t vpn;
    page_id_t id;
    uint32_t token;                     /* 0 iff retired */
    uint32_t next;                      /* in the identity's list: index, 0 is none */
    uint32_t blocks[CODE_OFFSET_HEADS]; /* lists of blocks by offset */
    uint8_t translated[PAGE_SIZE / 8];  /* a bit for each byte */
};

struct codecache {
    uint8_t *code;
    size_t used;
    uint8_t *thunks; /* below 2 GiB, like the program's own code, which they jump to */
    size_t thunks_used;
    struct code_page *pages; /* 0 is not used */
    uint32_t n_pages;
    struct block *blocks; /* 0 is not used */
    uint32_t n_blocks;
    uint32_t last_token;
    uint32_t heads[CODE_ID_HEADS]; /* lists of code pages by identity */
};

int codecache_create(struct codecache *ret_cache); /* 0 or -ENOMEM */
void codecache_destroy(struct codecache *);

/* Whether a few code pages and blocks certainly fit. */
bool codecache_has_room(const struct codecache *);
/* Forgets everything. Tokens go on from where they are. */
void codecache_flush(struct codecache *);

/* The code page; made if it does not exist. Needs room. */
struct code_page *codecache_page(struct codecache *, vpn_t, page_id_t);
/* The first code page of this content, or NULL; and the next one after `p`. */
struct code_page *codecache_first(const struct codecache *, page_id_t);
struct code_page *codecache_next(const struct codecache *, const struct code_page *p);
/* The code page at this page number that comes after `p` (NULL: the first one), whatever its content. Looks
 * at all there are. */
struct code_page *codecache_next_at(const struct codecache *, vpn_t, const struct code_page *p);
/* No block of the page will be entered again. The caller clears its token from the fetch TLB. */
void codecache_retire(struct codecache *, struct code_page *);

/* The page's block of that kind (BLOCK_NORMAL finds BLOCK_SLOW, too) at that offset, or NULL. */
struct block *codecache_block(const struct codecache *, const struct code_page *, unsigned offset,
                              enum block_kind);
/* Adds a block without code. Needs room. */
struct block *codecache_add(struct codecache *, struct code_page *, unsigned offset, enum block_kind);
/* Where the code of the next block goes (CODE_BLOCK_BYTES fit), and that `length` bytes of it were used. */
uint8_t *codecache_free_code(const struct codecache *);
void codecache_use_code(struct codecache *, size_t length);

/* Marks bytes as translated; the range may reach past the page's end and is cut there. */
void code_page_mark(struct code_page *, unsigned offset, unsigned length);
/* Whether any byte of the range, cut at the page's end, is marked. */
bool code_page_overlaps(const struct code_page *, unsigned offset, unsigned length);

#endif
