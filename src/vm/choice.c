#include "vm/choice.h"

#include "vm/state.h"

/* A list of the configuration and how much of it is used up. */
struct choice_source {
    const char *name;
    const uint32_t *numbers;
    size_t count;
};

static struct choice_source choice_source(const struct vm *vm, enum choice_list list) {
    const struct vm_choices *c = &vm->config.choices;
    switch (list) {
    case CHOICE_FRAMES: return (struct choice_source){"frames", c->frames, c->frame_count};
    case CHOICE_SLOTS: return (struct choice_source){"slots", c->slots, c->slot_count};
    case CHOICE_VICTIMS: return (struct choice_source){"victims", c->victims, c->victim_count};
    case CHOICE_LISTS: break;
    }
    return (struct choice_source){0};
}

bool choice_next(struct vm *vm, enum choice_list list, struct choice *ret_choice) {
    const struct choice_source source = choice_source(vm, list);
    const size_t index = vm->choices_used[list];
    if (index >= source.count)
        return false;
    vm->choices_used[list]++;
    *ret_choice = (struct choice){.list = list, .index = index, .number = source.numbers[index]};
    return true;
}

void choice_refuse(struct vm *vm, const struct choice *c, const char *why) {
    const struct vm_config *config = &vm->config;
    config->choice_refused(config->context, choice_source(vm, c->list).name, c->index, c->number, why);
}
