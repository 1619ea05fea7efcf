# Moves the end of the heap up and down. Pages given back and taken again must read as zeros, pages kept must
# keep what was written, and a break below the heap's beginning must be refused. Prints a line a step.
    .intel_syntax noprefix
    .globl  _start
    .equ    PAGES, 24
    .text
_start:
    xor     edi, edi
    call    set_break
    mov     rbx, rax                # where the heap begins
    lea     rdi, [rbx + PAGES * 4096]
    call    set_break
    call    report                  # "grown"
    xor     ecx, ecx                # page i gets i + 1 in its first and last words
1:  mov     rsi, rcx
    shl     rsi, 12
    lea     rdx, [rcx + 1]
    mov     [rbx + rsi], rdx
    mov     [rbx + rsi + 4088], rdx
    inc     rcx
    cmp     rcx, PAGES
    jb      1b
    call    sum                     # both words of all pages
    lea     rdi, [rbx + 8 * 4096]   # down to 8 pages
    call    set_break
    call    report
    lea     rdi, [rbx + PAGES * 4096]
    call    set_break               # up again: pages 8 … are zeros now
    call    report
    call    sum
    lea     rdi, [rbx - 4096]       # not possible: the break stays
    call    set_break
    call    report
    lea     rdi, [rbx + 100]        # in the middle of a page
    call    set_break
    sub     rax, rbx
    mov     rdi, rax
    call    print_number
    mov     rdi, [rbx]              # that page is still there
    call    print_number
    mov     rdi, rbx                # all of it goes
    call    set_break
    call    report
    mov     rax, [rbx]              # … so this is a wild address
    mov     edi, 1
    call    leave

set_break:                          # rdi = wanted; rax = what it is
    mov     eax, 12
    syscall
    ret

report:                             # rax = the break: the number of pages of the heap
    sub     rax, rbx
    shr     rax, 12
    mov     rdi, rax
    jmp     print_number

sum:
    xor     edi, edi
    xor     ecx, ecx
1:  mov     rsi, rcx
    shl     rsi, 12
    add     rdi, [rbx + rsi]
    add     rdi, [rbx + rsi + 4088]
    inc     rcx
    cmp     rcx, PAGES
    jb      1b
    jmp     print_number
    .section .note.GNU-stack, "", @progbits
