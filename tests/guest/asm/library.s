# What the assembly programs share: printing, and leaving. No libc; the registers that the System V ABI says
# are the caller's (rbx, rbp, r12-r15) survive.
    .intel_syntax noprefix
    .globl  print, print_number, print_hex, leave
    .text

# print(rdi = bytes, rsi = how many)
print:
    mov     rdx, rsi
    mov     rsi, rdi
    mov     edi, 1                  # standard output
    mov     eax, 1                  # write
    syscall
    ret

# print_number(rdi = unsigned): decimal, and a newline
print_number:
    mov     ecx, 10
    jmp     print_base

# print_hex(rdi = unsigned): hexadecimal without prefix, and a newline
print_hex:
    mov     ecx, 16

# rdi = number, rcx = base. The digits are made from the last to the first, on the stack.
print_base:
    push    rbp
    mov     rbp, rsp
    sub     rsp, 80
    mov     rax, rdi
    lea     rsi, [rbp - 1]
    mov     byte ptr [rsi], 10
    lea     r8, [rip + digits]
1:  xor     edx, edx
    div     rcx
    mov     dl, [r8 + rdx]
    dec     rsi
    mov     [rsi], dl
    test    rax, rax
    jnz     1b
    mov     rdi, rsi
    mov     rsi, rbp
    sub     rsi, rdi
    call    print
    mov     rsp, rbp
    pop     rbp
    ret

# leave(rdi = status)
leave:
    mov     eax, 60                 # exit
    syscall

    .section .rodata
digits:
    .ascii  "0123456789abcdef"
    .section .note.GNU-stack, "", @progbits
