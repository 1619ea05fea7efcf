# Says "r" and waits for a byte of standard input; with an argument it loops for ever instead.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     rbx, [rsp]              # argc
    mov     edi, 1
    lea     rsi, ready[rip]
    mov     edx, 1
    mov     eax, 1                  # write
    syscall
1:  cmp     rbx, 1
    ja      1b
    xor     edi, edi
    lea     rsi, room[rip]
    mov     edx, 1
    xor     eax, eax                # read
    syscall
    mov     edi, eax
    mov     eax, 60                 # exit
    syscall
    .section .rodata
ready:
    .ascii  "r"
    .bss
room:
    .byte   0
    .section .note.GNU-stack, "", @progbits
