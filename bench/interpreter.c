/* Speed comparison: a program of branches and calls: bytecode interpreter, sort of strings, hash table.
 *
 *   interpreter ROUNDS     prints a checksum; the times in README.md are those of 5 rounds
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { PUSH, ADD, SUB, DUP, JNZ, LD, ST, XOR, SHL, SHR, HALT };
static int64_t run(const uint8_t *pc0, int64_t n) {
    int64_t st[64], *sp = st, loc[8] = {0};
    const uint8_t *pc = pc0;
    loc[0] = n;
    loc[1] = 88172645;
    for (;;)
        switch (*pc++) {
        case PUSH: *sp++ = (int8_t)*pc++; break;
        case ADD:
            sp--;
            sp[-1] += *sp;
            break;
        case SUB:
            sp--;
            sp[-1] -= *sp;
            break;
        case DUP:
            *sp = sp[-1];
            sp++;
            break;
        case JNZ: {
            int8_t d = *pc++;
            if (*--sp)
                pc += d;
            break;
        }
        case LD: *sp++ = loc[*pc++]; break;
        case ST: loc[*pc++] = *--sp; break;
        case XOR:
            sp--;
            sp[-1] ^= *sp;
            break;
        case SHL: sp[-1] <<= *pc++; break;
        case SHR: sp[-1] = (uint64_t)sp[-1] >> *pc++; break;
        case HALT: return loc[1];
        }
}
static char strs[50000][24];
static char *ps[50000];
static int cs(const void *a, const void *b) {
    return strcmp(*(char **)a, *(char **)b);
}
static struct e {
    struct e *n;
    char *s;
    int c;
} * H[4096];
int main(int c, char **v) {
    int k = c > 1 ? atoi(v[1]) : 1;
    uint64_t h = 0;
    static const uint8_t prog[] = {LD, 1, DUP, SHL, 13,   XOR, DUP, SHR, 7,  XOR, DUP, SHL,          17,  XOR,
                                   ST, 1, LD,  0,   PUSH, 1,   SUB, DUP, ST, 0,   JNZ, (uint8_t)-26, HALT};
    for (int r = 0; r < k; r++) {
        h ^= run(prog, 300000);
        uint32_t x = r + 1;
        for (int i = 0; i < 50000; i++) {
            x = x * 1103515245 + 12345;
            sprintf(strs[i], "k%u-%u", (x >> 8) % 20000, (x >> 5) % 7);
            ps[i] = strs[i];
        }
        qsort(ps, 50000, sizeof *ps, cs);
        for (int i = 0; i < 50000; i++) {
            char *s = ps[i];
            uint32_t q = 5381;
            for (char *t = s; *t; t++)
                q = q * 33 ^ *t;
            struct e **b = &H[q & 4095], *e;
            for (e = *b; e; e = e->n)
                if (!strcmp(e->s, s)) {
                    e->c++;
                    break;
                }
            if (!e) {
                e = malloc(sizeof *e);
                e->s = strdup(s);
                e->c = 1;
                e->n = *b;
                *b = e;
            }
            h += q ^ e->c;
        }
    }
    printf("%lx\n", h);
    return 0;
}
