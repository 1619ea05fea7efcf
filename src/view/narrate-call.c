/* System calls in narration: the calls about memory and processes with their arguments decoded, all others by
 * name. An event carries five arguments; the sixth (mmap's offset) is not known. */
#include <string.h>

#include "base/base.h"
#include "trace/syscall-name.h"
#include "view/narrate-name.h"

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_ADDRESS, /* NULL or hexadecimal */
    ARGUMENT_NUMBER,
    ARGUMENT_SIGNED, /* 32 bits: descriptors, pids, statuses */
    ARGUMENT_PROT,
    ARGUMENT_MAP,
    ARGUMENT_REMAP,
    ARGUMENT_ADVICE,
    ARGUMENT_SYNC,
    ARGUMENT_CLONE,
    ARGUMENT_SIGNAL,
};

struct call {
    const char *name;
    enum argument arguments[5];
};

static const struct call calls[] = {
    {"brk", {ARGUMENT_ADDRESS}},
    {"mmap", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_PROT, ARGUMENT_MAP, ARGUMENT_SIGNED}},
    {"munmap", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"mprotect", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_PROT}},
    {"mremap", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_NUMBER, ARGUMENT_REMAP}},
    {"madvise", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_ADVICE}},
    {"msync", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_SYNC}},
    {"mincore", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER, ARGUMENT_ADDRESS}},
    {"mlock", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"munlock", {ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"read", {ARGUMENT_SIGNED, ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"write", {ARGUMENT_SIGNED, ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"clone", {ARGUMENT_CLONE, ARGUMENT_ADDRESS}},
    {"execve", {ARGUMENT_ADDRESS, ARGUMENT_ADDRESS, ARGUMENT_ADDRESS}},
    {"exit", {ARGUMENT_SIGNED}},
    {"exit_group", {ARGUMENT_SIGNED}},
    {"wait4", {ARGUMENT_SIGNED, ARGUMENT_ADDRESS, ARGUMENT_NUMBER}},
    {"kill", {ARGUMENT_SIGNED, ARGUMENT_SIGNAL}},
    {"close", {ARGUMENT_SIGNED}},
};

struct flag {
    uint64_t bit;
    const char *name;
};

/* "A|B"; what has no name follows in hexadecimal; `none` when nothing is set. */
static void put_flags(struct text *t, uint64_t value, const struct flag *flags, size_t count,
                      const char *none) {
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if ((value & flags[i].bit) != flags[i].bit)
            continue;
        text_put(t, first ? "" : "|");
        text_put(t, flags[i].name);
        value &= ~flags[i].bit;
        first = false;
    }
    if (value) {
        text_put(t, first ? "" : "|");
        name_hex(t, value);
    } else if (first) {
        text_put(t, none);
    }
}

static void put_prot(struct text *t, uint64_t value) {
    static const struct flag flags[] = {{1, "PROT_READ"}, {2, "PROT_WRITE"}, {4, "PROT_EXEC"}};
    put_flags(t, value, flags, ARRAY_LENGTH(flags), "PROT_NONE");
}

static void put_map(struct text *t, uint64_t value) {
    static const struct flag flags[] = {
        {3, "MAP_SHARED_VALIDATE"}, {1, "MAP_SHARED"},       {2, "MAP_PRIVATE"},
        {0x10, "MAP_FIXED"},        {0x20, "MAP_ANONYMOUS"}, {0x100, "MAP_GROWSDOWN"},
        {0x800, "MAP_DENYWRITE"},   {0x2000, "MAP_LOCKED"},  {0x4000, "MAP_NORESERVE"},
        {0x8000, "MAP_POPULATE"},   {0x20000, "MAP_STACK"},  {0x100000, "MAP_FIXED_NOREPLACE"},
    };
    put_flags(t, value, flags, ARRAY_LENGTH(flags), "0");
}

static void put_remap(struct text *t, uint64_t value) {
    static const struct flag flags[] = {{1, "MREMAP_MAYMOVE"}, {2, "MREMAP_FIXED"}, {4, "MREMAP_DONTUNMAP"}};
    put_flags(t, value, flags, ARRAY_LENGTH(flags), "0");
}

static void put_sync(struct text *t, uint64_t value) {
    static const struct flag flags[] = {{1, "MS_ASYNC"}, {2, "MS_INVALIDATE"}, {4, "MS_SYNC"}};
    put_flags(t, value, flags, ARRAY_LENGTH(flags), "0");
}

static void put_clone(struct text *t, uint64_t value) {
    static const struct flag flags[] = {
        {0x100, "CLONE_VM"},
        {0x200, "CLONE_FS"},
        {0x400, "CLONE_FILES"},
        {0x800, "CLONE_SIGHAND"},
        {0x4000, "CLONE_VFORK"},
        {0x10000, "CLONE_THREAD"},
        {0x40000, "CLONE_SYSVSEM"},
        {0x80000, "CLONE_SETTLS"},
        {0x100000, "CLONE_PARENT_SETTID"},
        {0x200000, "CLONE_CHILD_CLEARTID"},
        {0x1000000, "CLONE_CHILD_SETTID"},
    };
    const uint64_t signal = value & 0xff;
    put_flags(t, value & ~0xffULL, flags, ARRAY_LENGTH(flags), signal ? "" : "0");
    if (!signal)
        return;
    if (value != signal)
        text_put(t, "|");
    name_signal(t, signal);
}

static void put_advice(struct text *t, uint64_t value) {
    static const char *const names[] = {
        [0] = "NORMAL",      [1] = "RANDOM",      [2] = "SEQUENTIAL",  [3] = "WILLNEED", [4] = "DONTNEED",
        [8] = "FREE",        [9] = "REMOVE",      [10] = "DONTFORK",   [11] = "DOFORK",  [14] = "HUGEPAGE",
        [15] = "NOHUGEPAGE", [18] = "WIPEONFORK", [19] = "KEEPONFORK", [20] = "COLD",    [21] = "PAGEOUT",
    };
    if (value < ARRAY_LENGTH(names) && names[value]) {
        text_put(t, "MADV_");
        text_put(t, names[value]);
    } else {
        text_number(t, value);
    }
}

static void put_argument(struct text *t, enum argument type, uint64_t value) {
    switch (type) {
    case ARGUMENT_ADDRESS:
        if (value)
            name_hex(t, value);
        else
            text_put(t, "NULL");
        return;
    case ARGUMENT_NUMBER: text_number(t, value); return;
    case ARGUMENT_SIGNED: text_signed(t, (int32_t)value); return;
    case ARGUMENT_PROT: put_prot(t, value); return;
    case ARGUMENT_MAP: put_map(t, value); return;
    case ARGUMENT_REMAP: put_remap(t, value); return;
    case ARGUMENT_ADVICE: put_advice(t, value); return;
    case ARGUMENT_SYNC: put_sync(t, value); return;
    case ARGUMENT_CLONE: put_clone(t, value); return;
    case ARGUMENT_SIGNAL: name_signal(t, value); return;
    case ARGUMENT_NONE: return;
    }
}

void name_call(struct text *t, const struct event *e) {
    const char *name = syscall_name(e->flags);
    uint64_t number;
    if (!syscall_number(name, strlen(name), &number)) {
        text_put(t, "system call ");
        text_number(t, e->flags);
        return;
    }
    text_put(t, name);
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++) {
        if (strcmp(calls[i].name, name))
            continue;
        text_put(t, "(");
        for (size_t j = 0; j < 5 && calls[i].arguments[j]; j++) {
            text_put(t, j ? ", " : "");
            put_argument(t, calls[i].arguments[j], e->args[j]);
        }
        text_put(t, ")");
    }
}

bool name_call_gives_address(unsigned number) {
    const char *name = syscall_name(number);
    return !strcmp(name, "brk") || !strcmp(name, "mmap") || !strcmp(name, "mremap");
}
