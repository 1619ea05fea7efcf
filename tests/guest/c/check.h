/* What the guest programs share: a check that says where it failed and ends the process.
 *
 * A guest program's output must be the same on the host and in the machine: it prints no address, no pid and
 * no time, only what must be equal everywhere. */
#ifndef GUEST_CHECK_H
#define GUEST_CHECK_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("%s:%d: not so: %s (errno: %s)\n", __FILE_NAME__, __LINE__, #condition, strerror(errno)); \
            fflush(stdout);                                                                                  \
            _exit(99);                                                                                       \
        }                                                                                                    \
    } while (0)

/* The call must fail, and with this error. */
#define CHECK_ERROR(call, error)                                                                             \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        CHECK((long)(call) == -1 && errno == (error));                                                       \
    } while (0)

/* For what stands behind an access that must fault. */
static inline void not_reached(int line) {
    printf("line %d was reached\n", line);
    fflush(stdout);
    _exit(99);
}

/* A word that depends on where it stands and on who writes it. */
static inline uint64_t pattern(uint64_t index, uint64_t who) {
    uint64_t x = (index + 1) * 0x9e3779b97f4a7c15u ^ (who + 1) * 0xbf58476d1ce4e5b9u;
    return x ^ x >> 29;
}

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

#endif
