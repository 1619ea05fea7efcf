# Calls sum_up and sum_down by name and prints what they give. Linked twice: statically, and against the
# shared object, which ld.so then maps.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     r12d, 100
1:  mov     edi, 4000
    call    sum_up@plt
    mov     r13, rax
    mov     edi, 4000
    call    sum_down@plt
    cmp     r13, rax
    jne     2f
    dec     r12d
    jnz     1b
    mov     rdi, r13                # 8002000
    call    print_number
    xor     edi, edi
    call    leave
2:  mov     edi, 1
    call    leave
    .section .note.GNU-stack, "", @progbits
