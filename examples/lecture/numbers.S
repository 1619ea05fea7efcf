/* numbers.bin: the numbers 0, 1, 2 … as 64-bit words, four pages of them. A file made by the assembler: only
 * its contents are kept (ld --oformat binary). */
        .data
        .set    number, 0
        .rept   4 * 512
        .quad   number
        .set    number, number + 1
        .endr
        .section .note.GNU-stack, "", @progbits
