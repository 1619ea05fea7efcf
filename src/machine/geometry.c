/* Checks a configuration before anything is built from it, so that a mistake is one clear sentence.
 *
 * It decides which page-table format, policy and number of frames a machine has; it builds nothing. */
#include "machine/geometry.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TLB_ENTRIES_MIN = 16, TLB_ENTRIES_MAX = 65536 };

__attribute__((format(printf, 2, 3))) static int refuse(char **ret_message, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(ret_message, format, arguments) < 0)
        *ret_message = NULL;
    va_end(arguments);
    return *ret_message ? -EINVAL : -ENOMEM;
}

static int format_resolve(const struct machine_config *config, const struct page_table_ops **ret_format,
                          char **ret_message) {
    uint64_t frames = config->frames ? config->frames : (uint64_t)config->available + config->reserved;
    const char *name = config->page_table;
    if (!name)
        name = frames >= GEOMETRY_RADIX_FRAMES ? page_table_x86_64.name : page_table_array.name;
    *ret_format = page_table_find(name);
    if (*ret_format)
        return 0;
    char names[256] = "";
    for (const struct page_table_ops *const *f = page_table_formats; *f; f++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", (*f)->name);
    }
    return refuse(ret_message, "unknown page-table format '%s': there are %s", name, names);
}

/* Decisions made in advance, and references that are recorded, know nothing of pages
 * that nobody asked for. */
static int prefetch_resolve(const struct machine_config *config, struct geometry *geometry,
                            char **ret_message) {
    const struct vm_choices *choices = &config->choices;
    if (!config->prefetch)
        return 0;
    const int error =
        prefetcher_parse(config->prefetch, geometry->policy, &geometry->prefetcher, ret_message);
    if (error || geometry->prefetcher.count == 0)
        return error;
    if (choices->frame_count || choices->slot_count || choices->victim_count)
        return refuse(ret_message, "--prefetch %s: a machine file with choices decides which pages come",
                      config->prefetch);
    return 0;
}

static int policy_resolve(const struct machine_config *config, struct geometry *geometry,
                          char **ret_message) {
    return policy_load(config->policy, &geometry->policy, &geometry->policy_parameters, ret_message);
}

/* The format that needs least, when it would do with this many frames and the chosen one does not. */
static const struct page_table_ops *smaller_format(const struct page_table_ops *chosen, uint32_t frames,
                                                   uint32_t reserved) {
    const struct page_table_ops *best = NULL;
    for (const struct page_table_ops *const *f = page_table_formats; *f; f++)
        if (*f != chosen && vm_minimum_frames(*f, reserved) <= frames)
            best = *f;
    return best;
}

static int too_few_frames(uint32_t frames, uint32_t reserved, const struct page_table_ops *format,
                          char **ret_message) {
    uint32_t needed = vm_minimum_frames(format, reserved);
    /* Text and stack are far apart: one root, and two tables of every level below it. */
    uint32_t tables = format->levels > 1 ? 1 + 2 * (format->levels - 1) : 0;
    uint32_t pages = needed - reserved - tables;
    char parts[96], advice[96] = "";
    if (tables)
        snprintf(parts, sizeof parts, "%u reserved, %u page tables, %u for the program", reserved, tables,
                 pages);
    else
        snprintf(parts, sizeof parts, "%u reserved, %u for the program", reserved, pages);
    const struct page_table_ops *other = smaller_format(format, frames, reserved);
    if (other)
        snprintf(advice, sizeof advice, "; try --page-table %s, which needs %u", other->name,
                 vm_minimum_frames(other, reserved));
    return refuse(ret_message,
                  "%u frames are too few for the %s page-table format: at least %u are needed (%s)%s", frames,
                  format->name, needed, parts, advice);
}

static int frames_check(const struct machine_config *config, const struct page_table_ops *format,
                        char **ret_message) {
    uint32_t pages = vm_minimum_frames(&page_table_array, 0);
    if (config->frames && config->frames <= config->reserved)
        return refuse(ret_message, "%u frames are too few when %u are reserved: nothing is left for pages",
                      config->frames, config->reserved);
    if (config->frames && config->frames < vm_minimum_frames(format, config->reserved))
        return too_few_frames(config->frames, config->reserved, format, ret_message);
    if (!config->frames && config->available < pages)
        return refuse(ret_message, "%u frames for pages are too few: a program's first pages need %u",
                      config->available, pages);
    uint64_t frames = config->frames ? config->frames : (uint64_t)config->available + config->reserved;
    uint64_t host_frames = (uint64_t)sysconf(_SC_PHYS_PAGES) * ((uint64_t)sysconf(_SC_PAGESIZE) / PAGE_SIZE);
    if (frames > host_frames)
        return refuse(ret_message,
                      "%llu frames (%.1f GiB) are more than this host has memory (%.1f GiB): choose fewer",
                      (unsigned long long)frames, (double)frames * PAGE_SIZE / (1 << 30),
                      (double)host_frames * PAGE_SIZE / (1 << 30));
    return 0;
}

static int cpu_check(const struct machine_config *config, char **ret_message) {
    unsigned entries = config->tlb_entries;
    if (entries < TLB_ENTRIES_MIN || entries > TLB_ENTRIES_MAX || (entries & (entries - 1)))
        return refuse(ret_message, "a TLB of %u entries cannot be built: give a power of two from %d to %d",
                      entries, TLB_ENTRIES_MIN, TLB_ENTRIES_MAX);
    return 0;
}

int geometry_resolve(const struct machine_config *config, struct geometry *ret_geometry, char **ret_message) {
    struct geometry geometry = {0};
    int error = format_resolve(config, &geometry.format, ret_message);
    if (!error)
        error = policy_resolve(config, &geometry, ret_message);
    if (!error)
        error = prefetch_resolve(config, &geometry, ret_message);
    if (!error)
        error = frames_check(config, geometry.format, ret_message);
    if (!error)
        error = cpu_check(config, ret_message);
    if (error)
        geometry_release(&geometry);
    else
        *ret_geometry = geometry;
    return error;
}

void geometry_release(struct geometry *geometry) {
    policy_unload(geometry->policy);
    geometry->policy = NULL;
}
