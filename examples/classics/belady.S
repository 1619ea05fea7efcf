/* belady: touches five pages in the order of the example of Belady, Nelson and Shedler (1969):
 *
 *     1 2 3 4 1 2 5 1 2 3 4 5
 *
 * Under first in, first out that is nine page faults in three frames, and ten in four. Nothing else may touch
 * memory, so the pages are pages of code: each jumps to the one that the next digit of r8 names, and the stack
 * is given back first. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PAGE, 4096

// Goes on with the next page.
        .macro  next_page
        mov     eax, r8d
        and     eax, 15                         // its number, 0: there is none
        jz      9f
        shr     r8, 4
        shl     eax, 12
        lea     rax, [_start - PAGE + rax]
        jmp     rax
9:      xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .endm

        .text
_start:                                         // page 1
        test    r8, r8
        jnz     1f                              // not the first time: registers are zero at the start
        mov     rdi, rsp
        and     rdi, -PAGE
        mov     esi, PAGE
        mov     eax, SYS_munmap                 // the stack's only page
        syscall
        movabs  r8, 0x54321521432               // 2 3 4 1 2 5 1 2 3 4 5, from the lowest digit up
1:      next_page

        .balign PAGE
        next_page                               // page 2
        .balign PAGE
        next_page
        .balign PAGE
        next_page
        .balign PAGE
        next_page                               // page 5
        .section .note.GNU-stack, "", @progbits
