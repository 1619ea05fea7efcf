/* Every kind of instruction, each faulting on a page that is not accessible: what the handler sees of the
 * registers, and what is in registers and memory afterwards, when the handler makes the page accessible and
 * returns, and when it jumps out. Output is compared with the processor's own. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, PAGES = 3, REGISTERS = 9, ARITHMETIC_FLAGS = 0xcc5, FAULTS_MAX = 4 };
static const char *const register_names[REGISTERS] = {"rax", "rbx", "rcx", "rdx", "rsi",
                                                      "rdi", "rbp", "r8",  "r9"};
static const int register_numbers[REGISTERS] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI,
                                                REG_RDI, REG_RBP, REG_R8,  REG_R9};
enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9 };

/* Read and written by the instructions under test. */
uint64_t in[REGISTERS], in_sp, out[REGISTERS], out_flags, host_sp;

/* A function that loads the registers from `in` (the stack pointer from in_sp unless it is 0), executes the
 * text, and saves them to `out`. */
#define CASE(name, text)                                                                                     \
    void case_##name(void);                                                                                  \
    __asm__(".text\n.balign 64\ncase_" #name ":\n"                                                           \
            "push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"                        \
            "mov %rsp, host_sp(%rip)\n mov in_sp(%rip), %r14\n test %r14, %r14\n cmovne %r14, %rsp\n"        \
            "lea in(%rip), %r15\n mov (%r15), %rax\n mov 8(%r15), %rbx\n mov 16(%r15), %rcx\n"               \
            "mov 24(%r15), %rdx\n mov 32(%r15), %rsi\n mov 40(%r15), %rdi\n mov 48(%r15), %rbp\n"            \
            "mov 56(%r15), %r8\n mov 64(%r15), %r9\n movq %r8, %xmm0\n movq %r9, %xmm1\n"                    \
            "pcmpeqd %xmm2, %xmm2\n pxor %xmm3, %xmm3\n cmp %r9, %r8\n"                                      \
            "1: " text "\n2:\n"                                                                              \
            "lea out(%rip), %r15\n mov %rax, (%r15)\n mov %rbx, 8(%r15)\n mov %rcx, 16(%r15)\n"              \
            "mov %rdx, 24(%r15)\n mov %rsi, 32(%r15)\n mov %rdi, 40(%r15)\n mov %rbp, 48(%r15)\n"            \
            "mov %r8, 56(%r15)\n mov %r9, 64(%r15)\n mov host_sp(%rip), %rsp\n"                              \
            "pushf\n pop %rax\n mov %rax, out_flags(%rip)\n cld\n"                                           \
            "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

CASE(push, "push %rax")
CASE(push_after, "lea -8(%rsp), %rsp; push %rax")
CASE(push_memory, "pushq (%rsi)")
CASE(push_flags, "pushf")
CASE(call, "call 2f")
CASE(call_memory, "call *(%rdi)")
CASE(jump_memory, "jmp *(%rdi)")
CASE(pop, "pop %rax")
CASE(pop_memory, "pop (%rdi)")
CASE(pop_memory_sp, "pop 8(%rsp)")
CASE(pop_sp, "pop %rsp")
CASE(ret, "ret")
CASE(leave, "leave")
CASE(exchange, "xchg %rdx, (%rdi)")
CASE(exchange_add, "xadd %rdx, (%rdi)")
CASE(compare_exchange, "cmpxchg %rdx, (%rdi)")
CASE(lock_compare_exchange, "lock cmpxchg %edx, (%rdi)")
CASE(compare_exchange8, "cmpxchg8b (%rdi)")
CASE(compare_exchange16, "lock cmpxchg16b (%rdi)")
CASE(lock_add, "lock addq $5, (%rdi)")
CASE(add, "addq $5, (%rdi)")
CASE(adc, "adcq %rdx, (%rdi)")
CASE(add_load, "add (%rdi), %rdx")
CASE(add_chain, "add $7, %rdx; sub %rcx, %r8; mov %r8, %rbx; add (%rdi), %rdx")
CASE(negate, "negl (%rdi)")
CASE(not, "notw (%rdi)")
CASE(shift, "shlq %cl, (%rdi)")
CASE(rotate, "rorb $3, (%rdi)")
CASE(shift_double, "shld $5, %rdx, (%rdi)")
CASE(increment, "incq (%rdi)")
CASE(set, "sete (%rdi)")
CASE(move_conditional, "cmove (%rdi), %rdx")
CASE(move_signed, "movslq (%rdi), %rdx")
CASE(move_immediate, "movl $0x12345678, (%rdi)")
CASE(compare, "cmpq $5, (%rdi)")
CASE(test, "testb $0x80, (%rdi)")
CASE(multiply, "imul $3, (%rdi), %rdx; test %rdx, %rdx")
CASE(multiply_wide, "mulq (%rdi); test %rdx, %rdx")
CASE(divide, "xor %edx, %edx; mov $1000, %eax; orb $3, (%rsi); divl (%rdi)")
CASE(bit_test, "btl $3, (%rdi)")
CASE(byte_swap, "movbe (%rdi), %rdx")
CASE(rep_movsb, "rep movsb")
CASE(rep_movsq, "rep movsq")
CASE(rep_stosb, "rep stosb")
CASE(rep_stosd, "rep stosl")
CASE(rep_stosb_down, "std; rep stosb")
CASE(rep_cmpsb, "repe cmpsb")
CASE(repne_cmpsb, "repne cmpsb")
CASE(rep_scasb, "repne scasb")
CASE(rep_lodsb, "rep lodsb")
CASE(movs, "movsq")
CASE(cmps, "cmpsw")
CASE(lods, "lodsq")
CASE(stos, "stosl")
CASE(scas, "scasb")
CASE(translate, "xlat")
CASE(store_vector, "movups %xmm0, (%rdi)")
CASE(load_vector, "movups (%rdi), %xmm0")
CASE(store_aligned, "movaps %xmm1, (%rdi)")
CASE(load_aligned, "movdqa (%rdi), %xmm0")
CASE(add_double, "addsd (%rdi), %xmm0")
CASE(convert, "cvtsi2sdq (%rdi), %xmm1")
CASE(move_half, "movhps %xmm0, (%rdi)")
CASE(store_masked, "maskmovdqu %xmm2, %xmm0")
CASE(store_wide, "vmovdqu %ymm0, (%rdi)")
CASE(load_wide, "vmovdqu (%rdi), %ymm1")
CASE(store_selected, "vpcmpeqd %ymm1, %ymm1, %ymm1; vpmaskmovd %ymm0, %ymm1, (%rdi)")
CASE(store_unselected, "vpxor %ymm1, %ymm1, %ymm1; vpmaskmovd %ymm0, %ymm1, (%rdi)")
CASE(gather,
     "vpcmpeqd %ymm3, %ymm3, %ymm3; vpxor %ymm4, %ymm4, %ymm4; vpgatherdd %ymm3, (%rdi,%ymm4,4), %ymm5")
CASE(store_x87, "fld1; fstpl (%rdi)")
CASE(store_x87_extended, "fld1; fstpt (%rdi)")
CASE(load_x87_extended, "fldt (%rdi); fstp %st(0)")
CASE(compare_integer, "fld1; ficoml (%rdi); fnstsw %ax; fstp %st(0)")
CASE(compare_short_pop, "fldpi; ficomps (%rdi); fnstsw %ax")
CASE(load_decimal, "movl $0x56789012, 100(%rsi); movl $0x34, 104(%rsi); movw $0x8000, 108(%rsi); fbld "
                   "100(%rsi); fistpll (%rdi)")
CASE(store_decimal, "pushq $-123456789; fildll (%rsp); pop %rcx; fbstp (%rdi)")
CASE(enter_nested, "lea 512(%rsi), %rbp; enter $32, $3; mov %rbp, %rax; sub %rsp, %rax")
CASE(return_far, "lea 2f(%rip), %rax; pushq $0x33; push %rax; lretq")
CASE(push_selector, "push %fs; push %gs; pop %gs; pop %rax")
CASE(load_selector,
     "mov $3, %eax; mov %ax, %gs; mov $0x2b, %eax; mov %ax, %es; movw $5, (%rsi); mov (%rsi), %ds")
CASE(store_integer, "fldpi; fistpll (%rdi)")
CASE(load_control, "fnstcw (%rsi); fldcw (%rsi); fnstcw (%rdi)")
CASE(store_mxcsr, "stmxcsr (%rdi); ldmxcsr (%rdi)")

CASE(divide_zero, "xor %ecx, %ecx; div %ecx")
CASE(divide_signed_overflow, "mov $0x80000000, %eax; cltd; mov $-1, %ecx; idiv %ecx")
CASE(divide_signed_zero, "xor %ecx, %ecx; cqto; idiv %rcx")
CASE(divide_signed_overflow64, "mov $1, %eax; shl $63, %rax; cqto; mov $-1, %rcx; idiv %rcx")
CASE(divide_overflow64, "mov $2, %edx; mov $2, %ecx; div %rcx")
CASE(divide_overflow8, "mov $0x7fff, %eax; mov $2, %ecx; div %cl")
CASE(divide_signed8, "mov $0xff80, %eax; mov $-1, %ecx; idiv %cl")
CASE(divide_overflow16, "mov $1, %edx; mov $1, %ecx; div %cx")
CASE(divide_fine,
     "mov $-1, %edx; mov $-100, %eax; mov $7, %ecx; idiv %ecx; cqto; idiv %rcx; mov $0x1ff, %eax; div %cl; "
     "mov $-1, %edx; mov $-100, %eax; idiv %cx; cmp %eax, %edx")
CASE(in, "in %dx, %al")
CASE(out, "out %al, $3")
CASE(ins, "insb")
CASE(rep_outs, "rep outsb")
CASE(halt, "hlt")
CASE(clear_interrupt, "cli")
CASE(breakpoint, "int3")
CASE(interrupt, "int $0x42")
CASE(undefined, "ud2")
CASE(undefined_long, ".byte 0x0f, 0xff, 0xff")
CASE(performance, "rdpmc")
CASE(control_register, "mov %cr0, %rax")
CASE(model_register, "wrmsr")
CASE(clear_task, "clts")
CASE(extended_control, "mov $5, %ecx; xgetbv")
CASE(not_canonical, "mov $1, %edi; shl $62, %rdi; mov (%rdi), %rax")
CASE(jump_nowhere, "mov $0x10, %edi; jmp *%rdi")
CASE(jump_no_execute, "jmp *%rdi")
CASE(step, "pushf; orl $0x100, (%rsp); popf; nop; nop")
CASE(misaligned_store, "movaps %xmm0, (%rdi)")
CASE(system_call, "mov $39, %eax; cmp %eax, %eax; syscall; xor %eax, %eax; xor %ecx, %ecx; mov %r11, %rdx")

static struct {
    const char *name;
    void (*run)(void);
    int position;       /* of rdi, relative to the page that is not accessible */
    int stack;          /* whether rsp is there, too */
    uint64_t change[4]; /* pairs of register and value */
    int n;
} cases[] = {
#define AT(name, position, ...)                                                                              \
    { #name, case_##name, position, 0, {__VA_ARGS__ }, sizeof((uint64_t[]){0, ##__VA_ARGS__}) / 8 - 1 }
#define STACK(name, position)                                                                                \
    { #name, case_##name, position, 1, {0 }, 0 }
#define BELOW 0x50000800UL
#define ABOVE 0x50002800UL
    STACK(push, 4096),
    STACK(push_after, 4096),
    STACK(push_flags, 4096),
    STACK(call, 4096),
    STACK(pop, 0),
    STACK(pop_memory_sp, -8),
    STACK(pop_sp, 0),
    STACK(ret, 8),
    STACK(push_memory, 4100),
    AT(push_memory, 0, RSI, 0x50001000),
    AT(call_memory, 100),
    AT(jump_memory, 100),
    AT(pop_memory, 64),
    AT(leave, 0, RBP, 0x50001010),
    AT(exchange, 64),
    AT(exchange_add, 64),
    AT(compare_exchange, 64),
    AT(lock_compare_exchange, 64),
    AT(lock_compare_exchange, -2),
    AT(compare_exchange8, -4),
    AT(compare_exchange16, 64),
    AT(compare_exchange16, -8),
    AT(lock_add, -3),
    AT(add, -3),
    AT(add, 4092),
    AT(adc, 8),
    AT(add_load, -3),
    AT(add_chain, 8),
    AT(negate, 16),
    AT(not, -1),
    AT(shift, 16, RCX, 3),
    AT(rotate, 16),
    AT(shift_double, -7),
    AT(increment, -1),
    AT(set, 8),
    AT(move_conditional, 8),
    AT(move_signed, -1),
    AT(move_immediate, -2),
    AT(compare, -1),
    AT(test, 0),
    AT(multiply, -4),
    AT(multiply_wide, 0),
    AT(divide, 16, RSI, 0x50000010),
    AT(bit_test, 16),
    AT(byte_swap, -4),
    AT(rep_movsb, -5, RSI, BELOW, RCX, 20),
    AT(rep_movsb, -2048, RSI, 0x50000ffb, RCX, 20),
    AT(rep_movsq, -13, RSI, BELOW, RCX, 5),
    AT(rep_stosb, -5, RCX, 20),
    AT(rep_stosd, 4090, RCX, 7),
    AT(rep_stosb_down, 4100, RCX, 20),
    AT(rep_cmpsb, -5, RSI, 0x50000ffb, RCX, 20),
    AT(repne_cmpsb, -5, RSI, 0x50000ffb, RCX, 20),
    AT(repne_cmpsb, -3000, RSI, 0x50000448, RCX, 20),
    AT(rep_scasb, -5, RCX, 20, RAX, 1),
    AT(rep_lodsb, 0, RSI, 0x50000ffb, RCX, 9),
    AT(movs, -3, RSI, BELOW),
    AT(cmps, 3, RSI, BELOW),
    AT(lods, 0, RSI, 0x50000ffd),
    AT(stos, -2),
    AT(scas, 0),
    AT(translate, 0, RBX, 0x50001000, RAX, 5),
    AT(store_vector, -7),
    AT(load_vector, -7),
    AT(store_aligned, 16),
    AT(load_aligned, 32),
    AT(add_double, -3),
    AT(convert, 0),
    AT(move_half, -4),
    AT(store_masked, -9),
    AT(store_wide, -9),
    AT(load_wide, 4090),
    AT(store_selected, 8),
    AT(store_unselected, -12),
    AT(gather, -4),
    AT(gather, 0),
    AT(store_x87, -6),
    AT(store_x87_extended, -6),
    AT(load_x87_extended, -6),
    AT(store_integer, 8),
    AT(compare_integer, -2),
    AT(compare_short_pop, 16),
    AT(load_decimal, -4),
    AT(store_decimal, -4),
    AT(enter_nested, 0, RSI, BELOW),
    AT(return_far, 0),
    AT(push_selector, 0),
    AT(load_selector, 0, RSI, BELOW),
    AT(load_control, -1, RSI, BELOW),
    AT(store_mxcsr, -2),
    AT(divide_zero, 0),
    AT(divide_signed_overflow, 0),
    AT(divide_signed_zero, 0),
    AT(divide_signed_overflow64, 0),
    AT(divide_overflow64, 0),
    AT(divide_overflow8, 0),
    AT(divide_signed8, 0),
    AT(divide_overflow16, 0),
    AT(divide_fine, 0),
    AT(in, 0),
    AT(out, 0),
    AT(ins, 0),
    AT(rep_outs, 0),
    AT(halt, 0),
    AT(clear_interrupt, 0),
    AT(breakpoint, 0),
    AT(interrupt, 0),
    AT(undefined, 0),
    AT(undefined_long, 0),
    AT(performance, 0),
    AT(control_register, 0),
    AT(model_register, 0),
    AT(clear_task, 0),
    AT(extended_control, 0),
    AT(not_canonical, 0),
    AT(jump_nowhere, 0),
    AT(jump_no_execute, -4096),
    AT(step, 0),
    AT(misaligned_store, -2040),
    AT(misaligned_store, 8),
    AT(system_call, 0),
};

static char *const base = (char *)0x50000000, *const page = (char *)0x50001000;
static char alternate[1 << 16];
static sigjmp_buf escape;
static volatile int faults, must_jump;
static void (*current)(void);

static unsigned hash(const void *data, size_t n) {
    unsigned h = 2166136261u;
    for (const unsigned char *p = data; n--; p++)
        h = (h ^ *p) * 16777619u;
    return h;
}

/* Offsets into the pages and the case are printed as such; other addresses differ from run to run. */
static void print_address(const char *name, uint64_t value) {
    if (value - (uint64_t)base < PAGES * PAGE)
        printf(" %s page%+ld", name, (long)(value - (uint64_t)page));
    else if (value - (uint64_t)current < 256)
        printf(" %s code", name);
    else if (value < 4096)
        printf(" %s %lx", name, value);
    else
        printf(" %s far", name);
}

static void handle(int signal, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    greg_t *g = c->uc_mcontext.gregs;
    printf(" | signal %d code %d", signal, info->si_code);
    print_address("addr", (uint64_t)info->si_addr);
    printf(" rip %+ld", (long)((uint64_t)g[REG_RIP] - (uint64_t)current));
    for (int i = 0; i < REGISTERS; i++)
        if ((uint64_t)g[register_numbers[i]] != in[i])
            printf(" %s%+ld", register_names[i], (long)((uint64_t)g[register_numbers[i]] - in[i]));
    if (in_sp)
        printf(" rsp%+ld", (long)((uint64_t)g[REG_RSP] - in_sp));
    printf(" flags %lx err %lx vectors %x", (unsigned long)g[REG_EFL] & (ARITHMETIC_FLAGS | 0x100),
           (unsigned long)g[REG_ERR], hash((char *)c->uc_mcontext.fpregs + 160, 256));
    if (must_jump || ++faults >= FAULTS_MAX || signal != SIGSEGV)
        siglongjmp(escape, 1);
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static void prepare(size_t i) {
    uint64_t at = (uint64_t)page + (uint64_t)(int64_t)cases[i].position;
    uint64_t start[REGISTERS] = {at, at, 16, 0x1122334455667788, (uint64_t)base, at, 77, 3, 4};
    memset(base, 0, PAGES * PAGE);
    for (int k = 0; k < PAGE; k++) {
        base[k] = (char)(k * 7);
        base[2 * PAGE + k] = (char)(k * 5);
    }
    memcpy(in, start, sizeof in);
    for (int k = 0; k + 1 < cases[i].n; k += 2)
        in[cases[i].change[k]] = cases[i].change[k + 1];
    in_sp = cases[i].stack ? at : 0;
    mprotect(page, PAGE, PROT_NONE);
    faults = 0;
    current = cases[i].run;
}

static void run(size_t i) {
    printf("%s %d %s:", cases[i].name, cases[i].position, must_jump ? "jump" : "repair");
    prepare(i);
    if (sigsetjmp(escape, 1) == 0) {
        cases[i].run();
        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
        printf(" | done");
        for (int k = 0; k < REGISTERS; k++)
            print_address(register_names[k], out[k]);
        printf(" flags %lx memory %x", out_flags & ARITHMETIC_FLAGS, hash(base, PAGES * PAGE));
    } else {
        __asm__ volatile("cld; fninit");
        mprotect(page, PAGE, PROT_READ | PROT_WRITE);
        printf(" | out memory %x", hash(base, PAGES * PAGE));
    }
    printf("\n");
}

int main(void) {
    mmap(base, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (must_jump = 0; must_jump < 2; must_jump++)
            run(i);
    return 0;
}
