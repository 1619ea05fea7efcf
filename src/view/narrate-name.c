/* See narrate-name.h. The numbers of signals and errors are Linux's for x86-64, written out because this file
 * is also compiled for a browser, whose C library has others. */
#include "view/narrate-name.h"

#include <string.h>

#include "base/base.h"
#include "view/plain.h"

enum { FILE_COLUMNS = 48 }; /* a longer name is cut */

void name_pid(struct text *t, uint32_t pid) {
    text_put(t, "PID ");
    text_number(t, pid);
}

void name_hex(struct text *t, uint64_t number) {
    char digits[16], *first = digits + sizeof digits;
    do
        *--first = "0123456789abcdef"[number % 16];
    while (number /= 16);
    text_put(t, "0x");
    text_bytes(t, first, (size_t)(digits + sizeof digits - first));
}

void name_frame(struct text *t, uint64_t frame) {
    text_put(t, "PP");
    text_number(t, frame);
}

void name_slot(struct text *t, uint64_t slot) {
    text_put(t, "swap page ");
    text_number(t, slot);
}

void name_access(struct text *t, unsigned access) {
    text_bytes(t,
               (char[]){access & ACCESS_READ ? 'r' : '-', access & ACCESS_WRITE ? 'w' : '-',
                        access & ACCESS_EXEC ? 'x' : '-'},
               3);
}

/* ---- pages ---- */

uint32_t name_owner(const struct narrator *n, uint64_t space) {
    const struct fold_space *s = fold_space(n->fold, space);
    return s ? s->owner : 0;
}

/* The symbolic number of a page: by a label, or as the picture has it. */
static bool symbol_of_vpn(const struct narrator *n, uint32_t pid, uint64_t vpn, uint64_t *ret_number) {
    if (n->numbers->real)
        return false;
    for (size_t i = n->fold->label_count; i > 0; i--) { /* the last word counts */
        const struct fold_label *label = &n->fold->labels[i - 1];
        if (label->what != EVENT_LABEL_VPN || label->args[0] != pid || label->args[1] != vpn)
            continue;
        *ret_number = label->args[2];
        return true;
    }
    return n->numbers->find && n->numbers->find(n->numbers->context, pid, vpn, ret_number);
}

static void put_symbol(struct text *t, uint64_t number) {
    text_put(t, "VPN");
    text_number(t, number);
}

static void put_real(struct text *t, uint64_t vpn) {
    text_put(t, "VPN ");
    name_hex(t, vpn);
}

void name_vpn(struct text *t, const struct narrator *n, uint32_t pid, uint64_t vpn) {
    uint64_t number;
    if (symbol_of_vpn(n, pid, vpn, &number))
        put_symbol(t, number);
    else
        put_real(t, vpn);
}

void name_vpns(struct text *t, const struct narrator *n, uint32_t pid, uint64_t first, uint64_t pages) {
    const char *joint = pages == 2 ? " and " : " to ";
    const uint64_t last = first + pages - 1;
    uint64_t a, b;
    if (pages < 2) {
        name_vpn(t, n, pid, first);
    } else if (symbol_of_vpn(n, pid, first, &a) && symbol_of_vpn(n, pid, last, &b)) {
        put_symbol(t, a);
        text_put(t, joint);
        put_symbol(t, b);
    } else { /* not one kind of number up to the other */
        put_real(t, first);
        text_put(t, joint);
        put_real(t, last);
    }
}

void name_page(struct text *t, const struct narrator *n, uint64_t space, uint64_t vpn) {
    const uint32_t pid = name_owner(n, space);
    name_pid(t, pid);
    text_put(t, "'s ");
    name_vpn(t, n, pid, vpn);
}

/* ---- files ---- */

static bool same_string(const struct narrator *n, uint64_t a, uint64_t b) {
    const struct trace_text *x = fold_string(n->fold, a), *y = fold_string(n->fold, b);
    return x && y && x->length == y->length && !memcmp(x->bytes, y->bytes, x->length);
}

static const struct trace_text *label_of_path(const struct narrator *n, uint64_t path) {
    for (size_t i = 0; i < n->fold->label_count; i++) {
        const struct fold_label *label = &n->fold->labels[i];
        if (label->what == EVENT_LABEL_FILE && same_string(n, label->args[0], path))
            return fold_string(n->fold, label->args[1]);
    }
    return NULL;
}

void name_path(struct text *t, const struct narrator *n, uint64_t string) {
    const struct trace_text *name = label_of_path(n, string);
    if (!name)
        name = fold_string(n->fold, string);
    const char *last = name ? memrchr(name->bytes, '/', name->length) : NULL;
    const char *from = last && last[1] ? last + 1 : name ? name->bytes : "";
    if (*from)
        plain_put(t, from, strlen(from), FILE_COLUMNS);
    else
        text_put(t, "a file without a name");
}

void name_object(struct text *t, const struct narrator *n, uint64_t object) {
    const struct fold_object *o = fold_object(n->fold, object);
    if (o)
        name_path(t, n, o->path);
    else
        text_put(t, "a file");
}

void name_content(struct text *t, const struct narrator *n, const struct fold_mapping *mapping,
                  uint64_t vpn) {
    if (mapping->object) {
        text_put(t, "page ");
        text_number(t, mapping->object_page + (vpn - mapping->first));
        text_put(t, " of ");
        name_object(t, n, mapping->object);
    } else {
        text_put(t, mapping->flags & EVENT_MAP_STACK  ? "the stack"
                    : mapping->flags & EVENT_MAP_HEAP ? "the heap"
                                                      : "memory of no file");
    }
}

void name_page_id(struct text *t, const struct narrator *n, uint64_t page) {
    const uint64_t generation = page >> 36 & 0x7ffffff;
    for (size_t i = 0; page_id_is_object((page_id_t){page}) && i < n->fold->objects.count; i++) {
        const struct fold_object *o = n->fold->objects.entries[i].value;
        if ((o->generation & 0x7ffffff) != generation)
            continue;
        text_put(t, "page ");
        text_number(t, page & 0xfffffffffULL);
        text_put(t, " of ");
        name_path(t, n, o->path);
        return;
    }
    text_put(t, "a page of no file");
}

/* ---- numbers that have names ---- */

void name_signal(struct text *t, uint64_t signal) {
    static const char *const names[] = {
        "",     "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
        "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS",
    };
    if (signal && signal < ARRAY_LENGTH(names)) {
        text_put(t, "SIG");
        text_put(t, names[signal]);
        return;
    }
    text_put(t, "signal ");
    text_number(t, signal);
}

void name_error(struct text *t, uint64_t error) {
    static const char *const names[] = {
        [1] = "EPERM",         [2] = "ENOENT",     [3] = "ESRCH",       [4] = "EINTR",
        [5] = "EIO",           [6] = "ENXIO",      [7] = "E2BIG",       [8] = "ENOEXEC",
        [9] = "EBADF",         [10] = "ECHILD",    [11] = "EAGAIN",     [12] = "ENOMEM",
        [13] = "EACCES",       [14] = "EFAULT",    [15] = "ENOTBLK",    [16] = "EBUSY",
        [17] = "EEXIST",       [18] = "EXDEV",     [19] = "ENODEV",     [20] = "ENOTDIR",
        [21] = "EISDIR",       [22] = "EINVAL",    [23] = "ENFILE",     [24] = "EMFILE",
        [25] = "ENOTTY",       [26] = "ETXTBSY",   [27] = "EFBIG",      [28] = "ENOSPC",
        [29] = "ESPIPE",       [30] = "EROFS",     [31] = "EMLINK",     [32] = "EPIPE",
        [33] = "EDOM",         [34] = "ERANGE",    [35] = "EDEADLK",    [36] = "ENAMETOOLONG",
        [38] = "ENOSYS",       [39] = "ENOTEMPTY", [40] = "ELOOP",      [61] = "ENODATA",
        [75] = "EOVERFLOW",    [88] = "ENOTSOCK",  [95] = "EOPNOTSUPP", [98] = "EADDRINUSE",
        [104] = "ECONNRESET",  [107] = "ENOTCONN", [110] = "ETIMEDOUT", [111] = "ECONNREFUSED",
        [115] = "EINPROGRESS",
    };
    if (error < ARRAY_LENGTH(names) && names[error]) {
        text_put(t, names[error]);
        return;
    }
    text_put(t, "error ");
    text_number(t, error);
}

void name_wait_status(struct text *t, uint64_t status) {
    if ((status & 0x7f) == 0) {
        text_put(t, "exits with status ");
        text_number(t, status >> 8 & 0xff);
        return;
    }
    text_put(t, "is ended by ");
    name_signal(t, status & 0x7f);
}
