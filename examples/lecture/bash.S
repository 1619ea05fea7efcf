/* bash: plays /bin/bash in pictures 007-018. What it executes lies in page 3 of its file, at 0x403000: a real
 * shell's text has many pages, of which few are ever needed. It asks for a heap and writes into it. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
        .zero   2 * 4096                        // pages 1 and 2: the rest of a shell
_start:
        mov     eax, SYS_sched_yield
        syscall

        xor     edi, edi                        // brk(0): where the heap would begin
        mov     eax, SYS_brk
        syscall
        mov     rbx, rax
        lea     rdi, [rbx + 4096]               // one page of it
        mov     eax, SYS_brk
        syscall
        mov     QWORD PTR [rbx], 7              // the first touch
        mov     eax, SYS_sched_yield
        syscall

        xor     edi, edi
        mov     eax, SYS_exit
        syscall
        .section .note.GNU-stack, "", @progbits
