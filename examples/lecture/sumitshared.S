/* sumitshared.so: a shared object of four pages; its code is in page 1. */
        .intel_syntax noprefix
        .globl  sumit, sumit_without_stack
        .text
// int sumit(int n): 1 + 2 + … + n
sumit:
        xor     eax, eax
1:      add     eax, edi
        dec     edi
        jnz     1b
        ret
// The same for callers without a stack: returns to the address in r11.
        .balign 16
sumit_without_stack:
        xor     eax, eax
1:      add     eax, edi
        dec     edi
        jnz     1b
        jmp     r11
        .section .note.GNU-stack, "", @progbits
