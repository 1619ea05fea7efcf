# Maps the text file argv[1] shared and writable and changes every 'a' in it to 'A'. Prints how many there
# were. The file itself must have changed when the program has ended.
    .intel_syntax noprefix
    .globl  _start
    .text
_start:
    mov     rsi, [rsp + 16]         # argv[1]
    mov     edi, -100               # AT_FDCWD
    mov     edx, 2                  # O_RDWR
    mov     eax, 257                # openat
    syscall
    test    eax, eax
    js      failed
    mov     r12d, eax
    mov     edi, eax
    xor     esi, esi
    mov     edx, 2                  # SEEK_END
    mov     eax, 8                  # lseek: the length
    syscall
    mov     r13, rax
    xor     edi, edi
    mov     rsi, r13
    mov     edx, 3                  # PROT_READ | PROT_WRITE
    mov     r10d, 1                 # MAP_SHARED
    mov     r8d, r12d
    xor     r9d, r9d
    mov     eax, 9                  # mmap
    syscall
    cmp     rax, -4096
    ja      failed
    mov     rbx, rax
    xor     ecx, ecx
    xor     edi, edi
1:  cmp     rcx, r13
    jae     2f
    cmp     byte ptr [rbx + rcx], 'a'
    jne     3f
    mov     byte ptr [rbx + rcx], 'A'
    inc     rdi
3:  inc     rcx
    jmp     1b
2:  call    print_number
    xor     edi, edi
    call    leave
failed:
    mov     edi, 1
    call    leave
    .section .note.GNU-stack, "", @progbits
