/* What Thimble prints when it is asked about itself. */
#ifndef UI_GUIDE_H
#define UI_GUIDE_H

#include <stdio.h>

#include "policy/policy.h"

void guide_print(FILE *to);          /* how to begin, with three examples */
void guide_print_version(FILE *to);  /* one line, and the licence */
void guide_print_policies(FILE *to); /* each replacement policy of Thimble's own */
/* What it does and needs, and its parameters. */
void guide_print_policy(FILE *to, const struct policy_ops *);

#endif
