/* thrashing: 4000 visits to 16 pages of memory, chosen by a linear congruential generator (Knuth's MMIX), with
 * a little work at each. With a frame for each page it faults once a page; with fewer, it spends its time
 * waiting. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PAGES, 16
        .equ    VISITS, 4000
        .text
_start:
        mov     ebx, VISITS
        mov     r12, 1
        movabs  r13, 6364136223846793005
        movabs  r14, 1442695040888963407
1:      imul    r12, r13
        add     r12, r14
        mov     rax, r12
        shr     rax, 64 - 4                     // 0 … 15
        shl     rax, 12
        lea     rdi, [pages + rax]
        mov     ecx, 40
2:      add     QWORD PTR [rdi + rcx * 8], rcx
        dec     ecx
        jnz     2b
        dec     ebx
        jnz     1b
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .bss
        .balign 4096
pages:
        .zero   PAGES * 4096
        .section .note.GNU-stack, "", @progbits
