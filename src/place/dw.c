#include "place/dw.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static int dw_find(struct dw *dw) {
    const struct {
        const char *name;
        void *function;
    } wanted[] = {
#define X(name) {#name, &dw->name},
        DW_FUNCTIONS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
        void *symbol = dlsym(dw->library, wanted[i].name); /* libelf's as well, which it brings along */
        if (!symbol)
            return -ENOSYS;
        memcpy(wanted[i].function, &symbol, sizeof symbol); /* a pointer to a function, as POSIX has it */
    }
    return 0;
}

int dw_load(struct dw *ret_dw) {
    struct dw dw = {.library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL)};
    if (!dw.library || dw_find(&dw))
        return -ENOSYS;
    dw.cxx_library = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
    void *demangle = dw.cxx_library ? dlsym(dw.cxx_library, "__cxa_demangle") : NULL;
    memcpy(&dw.demangle, &demangle, sizeof demangle);
    *ret_dw = dw;
    return 0;
}

/* A line of a table has no room for a function's arguments, nor for what stands behind them: " const", " &",
 * the compiler's " [clone .cold]". */
static void strip_arguments(char *name) {
    const char *last = strrchr(name, ')');
    size_t at = last ? (size_t)(last - name) + 1 : 0;
    int depth = 0;
    if (at == 0 || strchr(name + at, '>') ||
        strstr(name + at, "::")) /* of something else than the function */
        return;
    do {
        at--;
        depth += name[at] == ')' ? 1 : name[at] == '(' ? -1 : 0;
    } while (at > 0 && depth > 0);
    if (at > 0)
        name[at] = '\0';
}

char *dw_demangle(const struct dw *dw, const char *symbol) {
    int status = -1;
    char *name = dw->demangle && !strncmp(symbol, "_Z", 2) ? dw->demangle(symbol, NULL, NULL, &status) : NULL;
    if (!name || status != 0) {
        free(name);
        return strndup(symbol, strcspn(symbol, "@"));
    }
    strip_arguments(name);
    return name;
}
