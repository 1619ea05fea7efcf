# Two processes that loop in the functions of one shared object, argv[1], without ld.so: the program maps the
# object's file read-only and executable, forks, and parent and child call into the same page. The object's
# text lies in its first page (ld -z noseparate-code), its ELF header says where. The parent waits for the child, whose exit
# status carries what it has computed.
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
    mov     r8d, eax
    xor     edi, edi
    mov     esi, 4096
    mov     edx, 5                  # PROT_READ | PROT_EXEC
    mov     r10d, 2                 # MAP_PRIVATE
    xor     r9d, r9d
    mov     eax, 9                  # mmap
    syscall
    cmp     rax, -4096
    ja      failed
    mov     rbx, rax
    add     rbx, [rax + 24]         # e_entry: sum_up
    mov     eax, 57                 # fork
    syscall
    test    rax, rax
    js      failed
    jz      child

    mov     r12d, 300               # the parent counts up, again and again
1:  mov     edi, 1000
    call    rbx
    dec     r12d
    jnz     1b
    mov     r13, rax
    sub     rsp, 16
    mov     edi, -1
    mov     rsi, rsp
    xor     edx, edx
    xor     r10d, r10d
    mov     eax, 61                 # wait4
    syscall
    mov     rdi, r13
    call    print_number            # 500500
    movzx   edi, byte ptr [rsp + 1]
    call    print_number            # 5050 & 255
    xor     edi, edi
    call    leave

child:
    add     rbx, 32                 # sum_down
    mov     r12d, 3000
2:  mov     edi, 100
    call    rbx
    dec     r12d
    jnz     2b
    movzx   edi, al
    call    leave
failed:
    mov     edi, 1
    call    leave
    .section .note.GNU-stack, "", @progbits
