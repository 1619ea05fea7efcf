/* mypgm2 of picture 022: maps the same file as mypgm and touches the same page. It needs no stack and gives
 * its own back, as the picture has none. Its code lies in page 3 of its file. */
#include "calls.h"
        .intel_syntax noprefix
        .globl  _start
        .equ    PLACE, 0x410000
        .text
        .zero   2 * 4096                        // pages 1 and 2
_start:
        mov     rdi, rsp
        and     rdi, -4096
        mov     esi, 4096
        mov     eax, SYS_munmap                 // the stack's only page
        syscall

        mov     edi, AT_FDCWD
        lea     rsi, [name]
        mov     edx, O_RDWR
        mov     eax, SYS_openat
        syscall
        test    eax, eax
        js      failed

        mov     r8d, eax
        mov     edi, PLACE
        mov     esi, 4 * 4096
        mov     edx, PROT_READ | PROT_WRITE
        mov     r10d, MAP_SHARED | MAP_FIXED
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        cmp     rax, PLACE
        jne     failed

        mov     rbx, QWORD PTR [PLACE + 4096]   // page 1 is in memory already
        mov     eax, SYS_sched_yield
        syscall
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
failed:
        mov     edi, 1
        mov     eax, SYS_exit
        syscall
name:
        .asciz  "numbers.bin"
        .section .note.GNU-stack, "", @progbits
