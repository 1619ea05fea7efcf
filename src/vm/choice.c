#include "vm/choice.h"

#include "vm/state.h"

void choices_init(struct vm *vm) {
    const struct vm_choices *c = &vm->config.choices;
    vm->choices[CHOICE_FRAMES] = (struct choices){"frames", c->frames, c->frame_count, 0};
    vm->choices[CHOICE_SLOTS] = (struct choices){"slots", c->slots, c->slot_count, 0};
    vm->choices[CHOICE_VICTIMS] = (struct choices){"victims", c->victims, c->victim_count, 0};
}

bool choice_next(struct vm *vm, enum choice_list list, struct choice *ret_choice) {
    struct choices *choices = &vm->choices[list];
    if (choices->used == choices->count)
        return false;
    const size_t index = choices->used++;
    *ret_choice = (struct choice){.list = list, .index = index, .number = choices->numbers[index]};
    return true;
}

void choice_refuse(struct vm *vm, const struct choice *c, const char *why) {
    const struct vm_config *config = &vm->config;
    config->choice_refused(config->context, vm->choices[c->list].name, c->index, c->number, why);
}
