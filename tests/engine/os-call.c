/* The test system's system calls and its loader of static ELF files. */
#include <asm/prctl.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os.h"

#define STACK_TOP  0x7ffffffff000ULL
#define STACK_SIZE 0x200000ULL

static int64_t call_brk(struct os *os, uint64_t to) {
    uint64_t end = page_round_up(os->brk), wanted = page_round_up(to);
    if (to < os->brk_start)
        return (int64_t)os->brk;
    if (wanted > end)
        os_map(os, end, wanted - end, ACCESS_READ | ACCESS_WRITE);
    else
        os_unmap(os, wanted, end - wanted);
    os->brk = to;
    return (int64_t)to;
}

static int64_t call_mmap(struct os *os, uint64_t address, uint64_t length, unsigned protection,
                         uint64_t flags) {
    if (!(flags & MAP_FIXED)) {
        address = os->mmap_next;
        os->mmap_next += page_round_up(length) + PAGE_SIZE;
    }
    os_map(os, address, length, protection);
    return (int64_t)address;
}

static int64_t call_write(struct os *os, uint64_t from, uint64_t length) {
    if (os->output_length + length > OS_OUTPUT || !os_read(os, from, os->output + os->output_length, length))
        return -EFAULT;
    os->output_length += length;
    return (int64_t)length;
}

static int64_t call_sigaction(struct os *os, uint64_t signal, uint64_t new, uint64_t old) {
    if (signal >= OS_SIGNALS)
        return -EINVAL;
    if (old && !os_write(os, old, &os->action[signal], sizeof os->action[signal]))
        return -EFAULT;
    return new && !os_read(os, new, &os->action[signal], sizeof os->action[signal]) ? -EFAULT : 0;
}

static int64_t call_sigprocmask(struct os *os, uint64_t how, uint64_t new, uint64_t old) {
    uint64_t set = 0, mask = os->signal_mask;
    if (new && !os_read(os, new, &set, sizeof set))
        return -EFAULT;
    if (new)
        os->signal_mask = how == 0 ? mask | set : how == 1 ? mask & ~set : set;
    return old && !os_write(os, old, &mask, sizeof mask) ? -EFAULT : 0;
}

static int64_t call_sigaltstack(struct os *os, uint64_t new) {
    uint64_t stack[3] = {0};
    if (new && !os_read(os, new, stack, sizeof stack))
        return -EFAULT;
    if (new) {
        os->alternate = stack[0];
        os->alternate_size = stack[2];
    }
    return 0;
}

static int64_t call_arch_prctl(struct os *os, uint64_t code, uint64_t value) {
    struct cpu_registers r;
    if (code != ARCH_SET_FS)
        return -EINVAL;
    engine_soft.get_registers(os->engine, os->cpu, &r);
    r.fs_base = value;
    engine_soft.set_registers(os->engine, os->cpu, &r);
    return 0;
}

static int64_t call(struct os *os, uint64_t number, const uint64_t a[4]) {
    switch (number) {
    case SYS_write: return call_write(os, a[1], a[2]);
    case SYS_brk: return call_brk(os, a[0]);
    case SYS_mmap: return call_mmap(os, a[0], a[1], (unsigned)a[2], a[3]);
    case SYS_munmap: os_unmap(os, a[0], a[1]); return 0;
    case SYS_mprotect: os_protect(os, a[0], a[1], (unsigned)a[2]); return 0;
    case SYS_rt_sigaction: return call_sigaction(os, a[0], a[1], a[2]);
    case SYS_rt_sigprocmask: return call_sigprocmask(os, a[0], a[1], a[2]);
    case SYS_sigaltstack: return call_sigaltstack(os, a[0]);
    case SYS_arch_prctl: return call_arch_prctl(os, a[0], a[1]);
    case SYS_getrandom: return (int64_t)a[1];
    case SYS_set_tid_address:
    case SYS_getpid:
    case SYS_gettid: return 1;
    case SYS_set_robust_list:
    case SYS_prlimit64:
    case SYS_madvise: return 0;
    case SYS_exit:
    case SYS_exit_group:
        os->exited = true;
        os->status = (int)(a[0] & 0xff);
        return 0;
    }
    return -ENOSYS;
}

void os_syscall(struct os *os) {
    struct cpu_registers r;
    engine_soft.get_registers(os->engine, os->cpu, &r);
    uint64_t arguments[4] = {r.general[CPU_RDI], r.general[CPU_RSI], r.general[CPU_RDX], r.general[CPU_R10]};
    if (r.general[CPU_RAX] == SYS_rt_sigreturn)
        os_sigreturn(os);
    else
        engine_soft.set_register(os->engine, os->cpu, CPU_RAX,
                                 (uint64_t)call(os, r.general[CPU_RAX], arguments));
}

/* ---- loading ---- */

static uint8_t *read_file(const char *file) {
    FILE *f = fopen(file, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(file);
        exit(2);
    }
    size_t length = (size_t)ftell(f);
    uint8_t *bytes = malloc(length);
    rewind(f);
    if (!bytes || fread(bytes, 1, length, f) != length) {
        perror(file);
        exit(2);
    }
    fclose(f);
    return bytes;
}

static uint64_t load_segments(struct os *os, const uint8_t *file) {
    const Elf64_Ehdr *header = (const void *)file;
    const Elf64_Phdr *p = (const void *)(file + header->e_phoff);
    uint64_t headers = 0;
    for (int i = 0; i < header->e_phnum; i++, p++) {
        if (p->p_type != PT_LOAD)
            continue;
        unsigned access = (p->p_flags & PF_R ? ACCESS_READ : 0U) | (p->p_flags & PF_W ? ACCESS_WRITE : 0U) |
                          (p->p_flags & PF_X ? ACCESS_EXEC : 0U);
        uint64_t start = page_round_down(p->p_vaddr), end = page_round_up(p->p_vaddr + p->p_memsz);
        os_map(os, start, end - start, access);
        os_write(os, p->p_vaddr, file + p->p_offset, p->p_filesz);
        if (p->p_offset == 0)
            headers = p->p_vaddr + header->e_phoff;
        os->brk_start = os->brk = end > os->brk ? end : os->brk;
    }
    return headers;
}

void os_load(struct os *os, const char *name, int argc, char **argv) {
    uint8_t *file = read_file(name);
    const Elf64_Ehdr *header = (const void *)file;
    uint64_t headers = load_segments(os, file), sp = STACK_TOP - 64, words[64], n = 0;
    os_map(os, STACK_TOP - STACK_SIZE, STACK_SIZE, ACCESS_READ | ACCESS_WRITE);
    words[n++] = (uint64_t)argc;
    for (int i = 0; i < argc; i++) {
        sp -= strlen(argv[i]) + 1;
        os_write(os, sp, argv[i], strlen(argv[i]) + 1);
        words[n++] = sp;
    }
    const uint64_t rest[] = {0,         0,
                             AT_PHDR,   headers,
                             AT_PHENT,  sizeof(Elf64_Phdr),
                             AT_PHNUM,  header->e_phnum,
                             AT_PAGESZ, PAGE_SIZE,
                             AT_RANDOM, STACK_TOP - 64,
                             AT_NULL,   0};
    memcpy(words + n, rest, sizeof rest);
    n += sizeof rest / sizeof *rest;
    sp = (sp - n * 8) & ~15ULL;
    os_write(os, sp, words, n * 8);
    struct cpu_registers r = {.general[CPU_RSP] = sp, .rip = header->e_entry, .rflags = 0x202};
    engine_soft.set_registers(os->engine, os->cpu, &r);
    free(file);
}
