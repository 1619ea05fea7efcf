# Reads the file argv[1], an array of 64-bit numbers, into bss, and prints their sum and how many there are.
# It adds them up three times, forwards, backwards and forwards, so that a machine with fewer frames than the
# array has pages must fetch them again; the passes must agree.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     rsi, [rsp + 16]         # argv[1]
    mov     edi, -100               # AT_FDCWD
    xor     edx, edx                # O_RDONLY
    mov     eax, 257                # openat
    syscall
    test    eax, eax
    js      failed
    mov     r12d, eax
    lea     rbx, [rip + numbers]
    mov     r13d, offset CAPACITY
1:  mov     edi, r12d               # until the end of the file or of the array
    mov     rsi, rbx
    mov     rdx, r13
    xor     eax, eax                # read
    syscall
    test    rax, rax
    js      failed
    jz      2f
    add     rbx, rax
    sub     r13, rax
    jnz     1b
2:  lea     rsi, [rip + numbers]    # rsi .. rbx: what was read
    xor     r14d, r14d
3:  cmp     rsi, rbx
    jae     4f
    add     r14, [rsi]
    add     rsi, 8
    jmp     3b
4:  lea     rdi, [rip + numbers]
    mov     rsi, rbx
    xor     r15d, r15d
5:  cmp     rsi, rdi
    jbe     6f
    sub     rsi, 8
    add     r15, [rsi]
    jmp     5b
6:  cmp     r14, r15
    jne     failed
    lea     rsi, [rip + numbers]
7:  cmp     rsi, rbx
    jae     8f
    sub     r15, [rsi]
    add     rsi, 8
    jmp     7b
8:  test    r15, r15
    jnz     failed
    mov     rdi, r14
    call    print_number
    lea     rdi, [rip + numbers]
    sub     rbx, rdi
    shr     rbx, 3
    mov     rdi, rbx
    call    print_number
    xor     edi, edi
    call    leave
failed:
    mov     edi, 1
    call    leave

    .equ    CAPACITY, 16 * 4096
    .bss
    .balign 4096
numbers:
    .skip   CAPACITY
    .section .note.GNU-stack, "", @progbits
