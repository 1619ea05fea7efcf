/* Decisions made in advance (struct vm_choices): a list is used up number by number, one for each decision;
 * behind its end the machine decides as usual. */
#ifndef VM_CHOICE_H
#define VM_CHOICE_H

#include "vm/vm.h"

enum choice_list { CHOICE_FRAMES, CHOICE_SLOTS, CHOICE_VICTIMS, CHOICE_LISTS };

/* One of them. */
struct choice {
    enum choice_list list;
    size_t index;
    uint32_t number;
};

/* The next one of the list, which is used up by this: false when there is none. */
bool choice_next(struct vm *, enum choice_list, struct choice *ret_choice);
/* It cannot be followed: says so. `why` goes on after "it …". */
void choice_refuse(struct vm *, const struct choice *, const char *why);

#endif
