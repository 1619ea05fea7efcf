# Shows where text, read-only data, data, bss and the stack of a statically linked program lie, then stops in
# a read of standard input, so that one can look at /proc/PID/maps. The stack's address is not the same
# everywhere: only that it is above all the others is printed.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    lea     rdi, [rip + _start]
    call    print_hex
    lea     rdi, [rip + constant]
    call    print_hex
    lea     rdi, [rip + variable]
    call    print_hex
    lea     rdi, [rip + array]
    call    print_hex
    lea     rax, [rip + array]
    xor     edi, edi
    cmp     rsp, rax
    seta    dil
    call    print_number
    mov     rax, [rip + constant]   # touch them all
    mov     [rip + array + 4096], rax
    add     [rip + variable], rax
    xor     eax, eax                # read: here it stops
    xor     edi, edi
    lea     rsi, [rip + array]
    mov     edx, 64
    syscall
    mov     rdi, rax                # how many bytes came
    call    print_number
    mov     rdi, [rip + variable]
    add     rdi, [rip + array + 4096]
    call    print_number
    xor     edi, edi
    call    leave

    .section .rodata
    .balign 8
constant:
    .quad   1000
    .data
    .balign 8
variable:
    .quad   337
    .bss
    .balign 4096
array:
    .skip   3 * 4096
    .section .note.GNU-stack, "", @progbits
