/* myfunc.so: a shared object of four pages with one function, in its page 1. Position-independent: it works
 * wherever it is mapped. */
        .intel_syntax noprefix
        .globl  myfunc, myfunc_without_stack
        .text
// int myfunc(int x): x + 1
myfunc:
        lea     eax, [rdi + 1]
        ret
// The same for callers without a stack: returns to the address in r11.
        .balign 16
myfunc_without_stack:
        lea     eax, [rdi + 1]
        jmp     r11
        .section .note.GNU-stack, "", @progbits
