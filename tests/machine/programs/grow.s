# Grows its heap by the pages that argv[1] tells (one digit), writes to each of them, and reads its data again;
# leaves with the number of pages that it got, or with 99 when brk() refused.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     rbx, [rsp + 16]         # argv[1]
    movzx   r12d, byte ptr [rbx]
    sub     r12d, '0'
    xor     edi, edi
    mov     eax, 12                 # brk
    syscall
    mov     r13, rax
    mov     r14d, r12d
    shl     r14d, 12
    add     r14, r13
    mov     rdi, r14
    mov     eax, 12
    syscall
    mov     edi, 99
    cmp     rax, r14
    jne     2f
    xor     edi, edi
1:  mov     byte ptr [r13], 1
    add     r13, 4096
    inc     edi
    cmp     r13, r14
    jne     1b
    mov     al, [data]
2:  mov     eax, 60                 # exit
    syscall
    .data
data:
    .byte   7
    .section .note.GNU-stack, "", @progbits
