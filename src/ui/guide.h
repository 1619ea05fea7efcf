/* What Thimble prints when it is asked about itself. */
#ifndef UI_GUIDE_H
#define UI_GUIDE_H

#include <stdio.h>

void guide_print(FILE *to);          /* how to begin, with three examples */
void guide_print_version(FILE *to);  /* one line, and the licence */
void guide_print_policies(FILE *to); /* each replacement policy, a line each */

#endif
