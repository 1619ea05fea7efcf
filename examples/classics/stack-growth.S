/* stack-growth: pushes until its stack has grown by 48 pages. The kernel has mapped 128 KiB below the first
 * page at the start; further down the mapping itself has to grow. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PAGES, 48
        .text
_start:
        and     rsp, -4096                      // the lowest byte of the stack's first page
        mov     ebx, PAGES
1:      push    rbx                             // the highest bytes of the page below
        sub     rsp, 4096 - 8
        dec     ebx
        jnz     1b
        mov     eax, SYS_sched_yield
        syscall
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .section .note.GNU-stack, "", @progbits
