/* Decisions made in advance (struct vm_choices): a list is used up number by number, one for each decision;
 * behind its end the machine decides as usual. */
#ifndef VM_CHOICE_H
#define VM_CHOICE_H

#include "vm/vm.h"

enum choice_list { CHOICE_FRAMES, CHOICE_SLOTS, CHOICE_VICTIMS, CHOICE_LISTS };

/* A list of the configuration, and how much of it is used up. */
struct choices {
    const char *name;
    const uint32_t *numbers;
    size_t count, used;
};

/* One of them. */
struct choice {
    enum choice_list list;
    size_t index;
    uint32_t number;
};

/* Takes the lists over from the configuration. */
void choices_init(struct vm *);
/* The next one of the list, which is used up by this: false when there is none. */
bool choice_next(struct vm *, enum choice_list, struct choice *ret_choice);
/* It cannot be followed: says so. `why` goes on after "it …". */
void choice_refuse(struct vm *, const struct choice *, const char *why);

#endif
