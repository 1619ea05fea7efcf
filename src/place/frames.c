/* See frames.h. */
#include "place/frames.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* "insert table.c:42", "insert (libc.so.6)", "table.c:42"; malloc'd, NULL: no memory. */
static char *code_text(const struct dw *dw, const char *symbol, const char *file, int line,
                       const struct module *module) {
    char *text = NULL, *function = symbol ? dw_demangle(dw, symbol) : NULL;
    int length = -1;
    if (symbol && !function)
        return NULL;
    if (file) {
        const char *slash = strrchr(file, '/');
        length = asprintf(&text, "%s %s:%d", function ? function : module_name(module),
                          slash ? slash + 1 : file, line);
    } else {
        length = asprintf(&text, "%s (%s)", function, module_name(module));
    }
    free(function);
    return length < 0 ? NULL : text;
}

static char *address_text(const struct module *module, uint64_t address) {
    char *text = NULL;
    return asprintf(&text, "%s+0x%" PRIx64, module_name(module), address) < 0 ? NULL : text;
}

/* A function of which a part was split off and put back is inlined into itself,
 * under another of its names. */
static bool is_itself(struct module *module, const struct module_inlined *inlined,
                      const struct module_symbol *symbol) {
    const struct module_symbol *named = symbol ? module_symbol_named(module, inlined->name) : NULL;
    return named && named->address == symbol->address;
}

/* Each function at the line where it is or calls the next inner one. */
static bool list_code(const struct naming *n, struct key key, struct frame_list *list) {
    struct module_inlined inlined[MODULE_INLINED_MOST];
    struct module *module = locator_module(n->locator, key_module(key));
    const uint64_t address = key_value(key);
    const struct module_symbol *symbol = module_symbol_at(module, address);
    const char *file = NULL;
    int line = 0;
    const bool has_line =
        n->lines && key_kind(key) == KEY_CODE && module_line(module, address, &file, &line) && line > 0;
    size_t inner = has_line ? module_inlined(module, address, inlined) : 0;
    while (inner && is_itself(module, &inlined[inner - 1], symbol))
        inner--;
    if (!has_line)
        file = NULL;
    list->names = calloc(inner + 1, sizeof *list->names);
    for (size_t i = 0; list->names && i <= inner; i++) {
        const char *name = i < inner ? inlined[i].name : symbol ? symbol->name : NULL;
        list->names[i] =
            name || file ? code_text(n->dw, name, file, line, module) : address_text(module, address);
        if (!list->names[i])
            return false;
        list->count++;
        file = i < inner ? inlined[i].file : NULL;
        line = i < inner ? inlined[i].line : 0;
    }
    return list->names != NULL;
}

static bool list_name(const struct naming *n, struct key key, struct frame_list *list) {
    list->names = calloc(1, sizeof *list->names);
    if (list->names && (list->names[0] = strdup(texts_get(n->names, (uint32_t)key_value(key)))))
        list->count = 1;
    return list->count == 1;
}

static void list_free(struct frame_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->names[i]);
    free(list->names);
}

const struct frame_list *frames_get(struct frames *f, struct key key) {
    uint64_t number = 0;
    if (map_get(&f->numbers, key.v, &number))
        return &f->lists[number - 1];
    if (array_reserve(&f->lists, &f->capacity, f->count + 1ULL, sizeof *f->lists) ||
        map_put(&f->numbers, key.v, f->count + 1))
        return NULL;
    struct frame_list *list = &f->lists[f->count++];
    *list = (struct frame_list){0};
    return (key_kind(key) == KEY_NAME ? list_name : list_code)(f->naming, key, list) ? list : NULL;
}

void frames_free(struct frames *f) {
    for (uint32_t i = 0; i < f->count; i++)
        list_free(&f->lists[i]);
    free(f->lists);
    map_free(&f->numbers);
    *f = (struct frames){0};
}
