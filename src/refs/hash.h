/* The hash of a reference string: equal for equal strings, whatever file they come from.
 *
 * It is XXH3's 128 bits (seed 0), in its canonical order of bytes, over little-endian numbers of 4 bytes: one
 * for each reference, page | (whether it was written) << 31; three for each other item but marks, 0x7fffffff
 * (which is no page's number), kind | flags << 8, page. That is all that a policy's result can depend on:
 * which page, whether it was written, what died. Instructions, address spaces and what the pages are do not
 * count, since no other format holds them all. */
#ifndef REFS_HASH_H
#define REFS_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "refs/refs.h"

struct refs_hash;

struct refs_hash *refs_hash_create(void); /* NULL: no memory */
void refs_hash_destroy(struct refs_hash *);
void refs_hash_reset(struct refs_hash *);
void refs_hash_add(struct refs_hash *, const struct refs_item *, size_t count);
/* The same of items as words (refs/codec.h): page, 16 bits that do not count, kind, flags. */
void refs_hash_words(struct refs_hash *, const uint64_t *words, size_t count);
void refs_hash_get(const struct refs_hash *, uint8_t ret_hash[16]);

#endif
