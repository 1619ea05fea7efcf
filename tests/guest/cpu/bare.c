#include "bare.h"

#include <signal.h>
#include <sys/syscall.h>

enum { BUFFER = 1 << 16, STACK = 1 << 16, SA_RESTORER_BIT = 0x04000000 };

static char buffer[BUFFER];
static size_t buffered;
static uint8_t stack[STACK] __attribute__((aligned(64)));

/* What the compiler may call. */
void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *to, int c, size_t n) {
    for (volatile char *p = to; n--;)
        *p++ = (char)c;
    return to;
}

void *memcpy(void *to, const void *from, size_t n) {
    volatile char *p = to;
    for (const char *q = from; n--;)
        *p++ = *q++;
    return to;
}

long bare_call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

void bare_flush(void) {
    for (size_t done = 0; done < buffered;) {
        long n = bare_call(SYS_write, 1, (long)(buffer + done), (long)(buffered - done), 0, 0, 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    buffered = 0;
}

void bare_exit(int status) {
    bare_flush();
    for (;;)
        bare_call(SYS_exit_group, status, 0, 0, 0, 0, 0);
}

void bare_print(const char *text) {
    for (; *text; text++) {
        if (buffered == BUFFER)
            bare_flush();
        buffer[buffered++] = *text;
    }
}

void bare_print_hex(uint64_t value, unsigned digits) {
    char text[17], *p = text + sizeof text - 1;
    *p = '\0';
    do {
        *--p = "0123456789abcdef"[value & 15];
        value >>= 4;
        digits -= digits > 0;
    } while ((value || digits) && p > text);
    bare_print(p);
}

uint64_t bare_number(const char *text) {
    uint64_t value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

__attribute__((naked)) static void restorer(void) {
    __asm__ volatile("mov $15, %eax; syscall");
}

void bare_catch(void (*handler)(int, void *, void *)) {
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct {
        void (*handler)(int, void *, void *);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {handler, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTORER_BIT, restorer, 0};
    bare_call(SYS_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        bare_call(SYS_rt_sigaction, signals[i], (long)&action, 0, 8, 0, 0);
}

__attribute__((naked, used)) void _start(void) {
    __asm__ volatile("xor %ebp, %ebp; mov (%rsp), %rdi; lea 8(%rsp), %rsi; and $-16, %rsp; call bare_main;"
                     "mov %eax, %edi; call bare_exit");
}
