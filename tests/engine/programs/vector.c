/* Instructions of the levels v2 and v3 on random operands: results and flags,
 * compared with the processor's. */
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 40 };

static uint64_t state = 88172645463325252ULL;
static uint64_t h;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void mix(const void *data, size_t n) {
    for (const unsigned char *p = data; n--; p++)
        h = (h ^ *p) * 1099511628211ULL;
}

/* Half of them small numbers, as floats and doubles neither infinite nor too special. */
static void fill(double *d, float *f, uint64_t *u) {
    for (int i = 0; i < 4; i++) {
        u[i] = draw() >> draw() % 64;
        d[i] = (double)(int64_t)draw() / (double)(1ULL << draw() % 60);
        f[2 * i] = (float)(int32_t)draw() / 1000;
        f[2 * i + 1] = (float)(int32_t)draw() / 77777;
    }
}

/* One instruction on ymm0 (first operand), ymm1; the result, and what it leaves in ymm0, is mixed. */
#define VECTOR(text, operands)                                                                               \
    do {                                                                                                     \
        uint64_t result[8] = {0}, start = h;                                                                 \
        h = 14695981039346656037ULL;                                                                         \
        for (int round = 0; round < ROUNDS; round++) {                                                       \
            double d[8];                                                                                     \
            float f[16];                                                                                     \
            uint64_t u[8];                                                                                   \
            fill(d, f, u);                                                                                   \
            fill(d + 4, f + 8, u + 4);                                                                       \
            __asm__ volatile("vmovdqu (%1), %%ymm0\n vmovdqu 32(%1), %%ymm1\n vmovdqa %%ymm1, %%ymm2\n" text \
                             "\n vmovdqu %%ymm2, (%0)\n vmovdqu %%ymm0, 32(%0)\n vzeroupper"                 \
                             :                                                                               \
                             : "r"(result), "r"(operands)                                                    \
                             : "memory", "cc", "rax", "rcx", "rdx", "xmm0", "xmm1", "xmm2");                 \
            mix(result, sizeof result);                                                                      \
        }                                                                                                    \
        printf("%s %016lx\n", text, h);                                                                      \
        h = start;                                                                                           \
    } while (0)

/* One instruction on rax, rcx (and rdx): results and the flags that it defines. */
#define SCALAR(text, flags_mask)                                                                             \
    do {                                                                                                     \
        h = 14695981039346656037ULL;                                                                         \
        for (int round = 0; round < ROUNDS; round++) {                                                       \
            uint64_t a = draw() >> draw() % 64, c = draw() >> draw() % 64, d = draw(), flags;                \
            __asm__ volatile("cmp $1, %%rdx\n" text "\n pushf\n pop %3"                                      \
                             : "+a"(a), "+c"(c), "+d"(d), "=&r"(flags)                                       \
                             :                                                                               \
                             : "cc", "memory");                                                              \
            flags &= flags_mask;                                                                             \
            mix(&a, 8);                                                                                      \
            mix(&c, 8);                                                                                      \
            mix(&d, 8);                                                                                      \
            mix(&flags, 8);                                                                                  \
        }                                                                                                    \
        printf("%s %016lx\n", text, h);                                                                      \
    } while (0)

enum { CF = 1, PF = 4, ZF = 0x40, SF = 0x80, OF = 0x800, ALL = CF | PF | ZF | SF | OF };

static void scalars(void) {
    SCALAR("add %%rcx, %%rax", ALL);
    SCALAR("sbb %%ecx, %%eax", ALL);
    SCALAR("adc %%cl, %%al", ALL);
    SCALAR("imul %%rcx, %%rax", CF | OF);
    SCALAR("mul %%rcx", CF | OF);
    SCALAR("rcl $3, %%rax", CF);
    SCALAR("rcr %%cl, %%eax", 0);
    SCALAR("shld $7, %%rcx, %%rax", CF | ZF | SF | PF);
    SCALAR("sar $9, %%rax", CF | ZF | SF | PF);
    SCALAR("bsf %%rcx, %%rax", ZF);
    SCALAR("bsr %%rcx, %%rax", ZF);
    SCALAR("btc %%rcx, %%rax", CF);
    SCALAR("bts %%rcx, %%rax", CF | ZF);
    SCALAR("btr %%ecx, %%eax; setc %%dl", CF | ZF);
    SCALAR("bt %%cx, %%ax; adc $0, %%rdx", 0);
    SCALAR("btc $5, %%rax", CF | ZF);
    SCALAR("push $77; bts %%rcx, %%rax; mov -280(%%rsp), %%edx; bts %%rcx, %%rax; xor -280(%%rsp), %%edx; "
           "pop %%rcx",
           CF);
    SCALAR("xchg %%cx, %%ax", ALL);
    SCALAR("mov %%cs, %%eax; mov %%ss, %%cx; mov %%ds, %%rdx", ALL);
    SCALAR("pushfw; pop %%cx; and $0xc5, %%ecx", ALL);
    SCALAR("popcnt %%rcx, %%rax", ALL);
    SCALAR("lzcnt %%rcx, %%rax", CF | ZF);
    SCALAR("tzcnt %%ecx, %%eax", CF | ZF);
    SCALAR("andn %%rcx, %%rax, %%rdx", ZF | SF | OF | CF);
    SCALAR("blsr %%rcx, %%rax", ZF | SF | OF | CF);
    SCALAR("blsi %%rcx, %%rax", ZF | SF | OF | CF);
    SCALAR("blsmsk %%rcx, %%rax", SF | OF | CF);
    SCALAR("bextr %%rcx, %%rax, %%rdx", ZF | CF | OF);
    SCALAR("bzhi %%rcx, %%rax, %%rdx", ZF | SF | OF | CF);
    SCALAR("pdep %%rcx, %%rax, %%rdx", ALL);
    SCALAR("pext %%rcx, %%rax, %%rdx", ALL);
    SCALAR("mulx %%rcx, %%rax, %%rcx", ALL);
    SCALAR("rorx $17, %%rcx, %%rax", ALL);
    SCALAR("sarx %%rcx, %%rax, %%rdx", ALL);
    SCALAR("shlx %%rcx, %%rax, %%rdx", ALL);
    SCALAR("shrx %%rcx, %%rax, %%rdx", ALL);
    SCALAR("crc32q %%rcx, %%rax", ALL);
    SCALAR("crc32b %%cl, %%eax", ALL);
    SCALAR("bswap %%rax", ALL);
    SCALAR("cmpxchg %%rcx, %%rdx", ALL);
    SCALAR("cwtl; cltq; cqto", ALL);
    SCALAR("push %%rcx; movbe (%%rsp), %%rax; movbe %%eax, (%%rsp); pop %%rcx", ALL);
    SCALAR("push %%rcx; movbe (%%rsp), %%ax; pop %%rcx", ALL);
    SCALAR("lahf; add %%rcx, %%rdx; sahf", CF | PF | ZF | SF);
    SCALAR("cmc; setc %%al; stc; rcr %%rcx", CF);
    SCALAR("movq %%rax, %%xmm0; movq %%rcx, %%xmm1; aesenc %%xmm1, %%xmm0; movq %%xmm0, %%rax", ALL);
    SCALAR("movq %%rax, %%xmm0; movq %%rcx, %%xmm1; pclmulqdq $0, %%xmm1, %%xmm0; movq %%xmm0, %%rax", ALL);
    SCALAR("movq %%rax, %%xmm0; movq %%rcx, %%xmm1; mov %%edx, %%ecx; pcmpistri $0x0c, %%xmm1, %%xmm0", ALL);
    SCALAR("movq %%rax, %%xmm0; movq %%rcx, %%xmm1; pcmpistrm $0x44, %%xmm1, %%xmm0; movq %%xmm0, %%rdx",
           ALL);
}

static void vectors(void) {
    VECTOR("vpaddb %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpsubusw %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpmaddubsw %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpmulhrsw %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpmuludq %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpsadbw %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpshufb %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpermd %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpermq $0x4b, %%ymm0, %%ymm2", u);
    VECTOR("vperm2i128 $0x21, %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpalignr $5, %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpackuswb %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpblendvb %%ymm0, %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpsllvd %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpsravd %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpcmpgtq %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpmovmskb %%ymm0, %%eax; vmovd %%eax, %%xmm2", u);
    VECTOR("vpbroadcastw %%xmm0, %%ymm2", u);
    VECTOR("vpmovzxbq %%xmm0, %%ymm2", u);
    VECTOR("vinserti128 $1, %%xmm1, %%ymm0, %%ymm2", u);
    VECTOR("vextracti128 $1, %%ymm0, %%xmm2", u);
    VECTOR("vaddpd %%ymm1, %%ymm0, %%ymm2", d);
    VECTOR("vdivpd %%ymm1, %%ymm0, %%ymm2", d);
    VECTOR("vsqrtsd %%xmm1, %%xmm0, %%xmm2", d);
    VECTOR("vhaddpd %%ymm1, %%ymm0, %%ymm2", d);
    VECTOR("vaddsubps %%ymm1, %%ymm0, %%ymm2", f);
    VECTOR("vmulps %%ymm1, %%ymm0, %%ymm2", f);
    VECTOR("vcmpltps %%ymm1, %%ymm0, %%ymm2", f);
    VECTOR("vroundpd $1, %%ymm0, %%ymm2", d);
    VECTOR("vcvtpd2ps %%ymm0, %%xmm2", d);
    VECTOR("vcvttpd2dq %%ymm0, %%xmm2", d);
    VECTOR("vcvtsd2si %%xmm0, %%rax; vmovq %%rax, %%xmm2", d);
    VECTOR("vdpps $0xf1, %%ymm1, %%ymm0, %%ymm2", f);
    VECTOR("vfmadd132pd %%ymm1, %%ymm0, %%ymm2", d);
    VECTOR("vfmadd213sd %%xmm1, %%xmm0, %%xmm2", d);
    VECTOR("vfmsub231ps %%ymm1, %%ymm0, %%ymm2", f);
    VECTOR("vfnmadd231ss %%xmm1, %%xmm0, %%xmm2", f);
    VECTOR("vfmaddsub213pd %%ymm1, %%ymm0, %%ymm2", d);
    VECTOR("vcvtps2ph $0, %%ymm0, %%xmm2", f);
    VECTOR("vcvtph2ps %%xmm0, %%ymm2", u);
    VECTOR("vptest %%ymm1, %%ymm0; setc %%al; movzbl %%al, %%eax; vmovd %%eax, %%xmm2", u);
    VECTOR("vmpsadbw $2, %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vpunpckhwd %%ymm1, %%ymm0, %%ymm2", u);
    VECTOR("vzeroupper", u);
    VECTOR("psrldq $3, %%xmm0; pinsrw $5, %%ecx, %%xmm0; pextrq $1, %%xmm0, %%rax", u);
}

int main(void) {
    scalars();
    vectors();
    return 0;
}
