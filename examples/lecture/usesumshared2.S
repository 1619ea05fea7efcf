/* usesumshared2dynamic of picture 026: uses the same function, from page 3 of its file and without a stack,
 * which the picture has none of and which it gives back. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    LIBRARY, 0x500000
        .section .interp, "a"
        .asciz  "ld.so"
        .text
        .zero   2 * 4096                        // pages 1 and 2
_start:
        mov     rdi, rsp
        and     rdi, -4096
        mov     esi, 4096
        mov     eax, SYS_munmap                 // the stack's only page
        syscall
        mov     eax, SYS_sched_yield
        syscall

        mov     edi, 10
        lea     r11, [1f]
        mov     eax, LIBRARY + 4096 + 16        // sumit_without_stack(10)
        jmp     rax
1:      mov     ebx, eax
        mov     eax, SYS_sched_yield
        syscall
        xor     edi, edi
        cmp     ebx, 55
        setne   dil
        mov     eax, SYS_exit
        syscall
        .section .note.GNU-stack, "", @progbits
