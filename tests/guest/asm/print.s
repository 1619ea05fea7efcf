# Prints by write, leaves with 0: the smallest program.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     eax, 1                  # write
    mov     edi, 1
    lea     rsi, [rip + text]
    lea     rdx, [rip + text_end]
    sub     rdx, rsi
    syscall
    mov     eax, 60                 # exit
    xor     edi, edi
    syscall

    .section .rodata
text:
    .ascii  "Hello from a machine of very few pages.\n"
text_end:
    .section .note.GNU-stack, "", @progbits
