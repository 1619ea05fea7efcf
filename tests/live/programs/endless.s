# Writes to 64 pages in turn, for ever: more than the machine has, so that it faults for ever.
        .globl  _start
        .text
_start: mov     $pages, %rbx
next:   incq    (%rbx)
        add     $4096, %rbx
        cmp     $pages + 64 * 4096, %rbx
        jne     next
        jmp     _start
        .bss
        .balign 4096
pages:  .skip   64 * 4096
