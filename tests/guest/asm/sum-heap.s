# Reads the file argv[1], an array of 64-bit numbers, into a heap that grows by brk as the file is read, a
# page at a time; prints the sum and how many there are. Adds up twice: the passes must agree.
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
    xor     edi, edi
    mov     eax, 12                 # brk(0): where the heap begins
    syscall
    mov     rbp, rax                # first byte of the heap
    mov     rbx, rax                # end of what was read
    mov     r13, rax                # end of the heap
1:  cmp     rbx, r13
    jb      2f
    lea     rdi, [r13 + 4096]       # full: one page more
    mov     eax, 12
    syscall
    lea     rcx, [r13 + 4096]
    cmp     rax, rcx
    jne     failed
    mov     r13, rax
2:  mov     edi, r12d
    mov     rsi, rbx
    mov     rdx, r13
    sub     rdx, rbx
    xor     eax, eax                # read
    syscall
    test    rax, rax
    js      failed
    jz      3f
    add     rbx, rax
    jmp     1b
3:  mov     rsi, rbp
    xor     r14d, r14d
    xor     r15d, r15d
4:  cmp     rsi, rbx
    jae     5f
    add     r14, [rsi]
    add     rsi, 8
    jmp     4b
5:  mov     rsi, rbx
6:  cmp     rsi, rbp
    jbe     7f
    sub     rsi, 8
    add     r15, [rsi]
    jmp     6b
7:  cmp     r14, r15
    jne     failed
    mov     rdi, r14
    call    print_number
    sub     rbx, rbp
    shr     rbx, 3
    mov     rdi, rbx
    call    print_number
    xor     edi, edi
    call    leave
failed:
    mov     edi, 1
    call    leave
    .section .note.GNU-stack, "", @progbits
