/* What a file of references holds, in words for people. */
#ifndef UI_REFERENCES_H
#define UI_REFERENCES_H

#include "refs/refs.h"

/* Reads the source to its end and prints what it holds. 0, or -errno when it cannot be
 * read (refs_message()). */
int references_print(struct refs_source *);

#endif
