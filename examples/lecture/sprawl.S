/* sprawl: reserves three large regions of its address space and uses a little of each: two pages of 64 TiB,
 * two of 1 GiB, two of 16 MiB. For pictures 010 and 011. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
_start:
        mov     r12d, 46                        // 2^46 bytes
        call    use
        mov     r12d, 30
        call    use
        mov     r12d, 24
        call    use
        mov     ebp, 3
again:
        mov     eax, SYS_sched_yield
        syscall
        dec     ebp
        jnz     again
        xor     edi, edi
        mov     eax, SYS_exit
        syscall

// Maps 2^r12d bytes wherever there is room; touches the first page and the last.
use:
        xor     edi, edi
        mov     ecx, r12d
        mov     esi, 1
        shl     rsi, cl
        mov     r13, rsi
        mov     edx, PROT_READ | PROT_WRITE
        mov     r10d, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        mov     r8, -1
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        mov     QWORD PTR [rax], r12
        mov     QWORD PTR [rax + r13 - 8], r12
        mov     eax, SYS_sched_yield
        syscall
        ret
        .section .note.GNU-stack, "", @progbits
