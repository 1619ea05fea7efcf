/* Records of libCacheSim's oracleGeneral format: 24 bytes, packed, little-endian.
 *
 *     0  uint32  time         seconds
 *     4  uint64  object       the page
 *    12  uint32  size         bytes
 *    16  int64   next         the number, from 1, of the record in which the object comes again; -1: none
 *
 * Source: libCacheSim, libCacheSim/traceReader/customizedReader/oracle/oracleGeneralBin.h and
 * bin/traceUtils/traceConvOracleGeneral.cpp (github.com/1a1a11a/libCacheSim). */
#ifndef REFS_ORACLE_H
#define REFS_ORACLE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

enum { ORACLE_RECORD = 24 };
/* Beside a file, what it cannot hold: a native file of the same string. */
#define ORACLE_SIDE ".side"

struct oracle_record {
    uint64_t object;
    int64_t next;
    uint32_t time, size;
};

static inline struct oracle_record oracle_get(const uint8_t *from) {
    uint32_t time, size;
    uint64_t object, next;
    memcpy(&time, from, 4);
    memcpy(&object, from + 4, 8);
    memcpy(&size, from + 12, 4);
    memcpy(&next, from + 16, 8);
    return (struct oracle_record){le64toh(object), (int64_t)le64toh(next), le32toh(time), le32toh(size)};
}

static inline void oracle_put(uint8_t *to, const struct oracle_record *r) {
    const uint32_t time = htole32(r->time), size = htole32(r->size);
    const uint64_t object = htole64(r->object), next = htole64((uint64_t)r->next);
    memcpy(to, &time, 4);
    memcpy(to + 4, &object, 8);
    memcpy(to + 12, &size, 4);
    memcpy(to + 16, &next, 8);
}

#endif
