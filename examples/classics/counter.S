/* counter: adds 1 to a shared counter a thousand times, with a break after every hundredth, then prints it. By
 * then the other process, whose turns lie between, has added its thousand too. The counter is the first word of
 * counter.bin, mapped shared. The addition is one locked instruction: with a load, an addition and a store, two
 * processes that take turns could lose some. */
#include "../lecture/calls.h"
        .intel_syntax noprefix
        .globl  _start
        .text
_start:
        mov     edi, AT_FDCWD
        lea     rsi, [name]
        mov     edx, O_RDWR
        mov     eax, SYS_openat
        syscall
        test    eax, eax
        js      failed
        mov     r8d, eax
        mov     edi, 0x410000
        mov     esi, 4096
        mov     edx, PROT_READ | PROT_WRITE
        mov     r10d, MAP_SHARED | MAP_FIXED
        xor     r9d, r9d
        mov     eax, SYS_mmap
        syscall
        cmp     rax, -4096
        ja      failed

        mov     r12, rax
        mov     r13d, 10
1:      mov     r14d, 100
2:      lock inc QWORD PTR [r12]
        dec     r14d
        jnz     2b
        mov     eax, SYS_sched_yield
        syscall
        dec     r13d
        jnz     1b

        mov     rax, [r12]                      // in decimal, from the last digit to the first
        lea     rsi, [rsp - 1]
        mov     BYTE PTR [rsi], 10              // a newline
        mov     ecx, 10
3:      xor     edx, edx
        div     rcx
        add     dl, '0'
        dec     rsi
        mov     [rsi], dl
        test    rax, rax
        jnz     3b
        mov     edi, 1                          // standard output
        mov     rdx, rsp
        sub     rdx, rsi
        mov     eax, SYS_write
        syscall
        xor     edi, edi
        mov     eax, SYS_exit
        syscall
failed:
        mov     edi, 1
        mov     eax, SYS_exit
        syscall
name:
        .asciz  "counter.bin"
        .section .note.GNU-stack, "", @progbits
