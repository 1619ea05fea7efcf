/* Copies of directories: what a build wrote is where each test begins. */
#ifndef GRADE_COPY_H
#define GRADE_COPY_H

/* Copies files, links and directories below `from` into the new directory `to`; FIFOs and sockets are left
 * out. 0 or -errno; what was copied by then is there. */
int copy_tree(const char *from, const char *to);
/* Removes the directory and all below it, as far as it can be. */
void copy_remove(const char *directory);

#endif
