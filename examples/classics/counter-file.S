/* counter.bin: a page of zeros. A file made by the assembler, as numbers.bin of the lecture is. */
        .data
        .zero   4096
        .section .note.GNU-stack, "", @progbits
