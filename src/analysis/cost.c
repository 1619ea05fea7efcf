/* See cost.h. Where the figures of the three disks come from stands in docs/COST-MODEL.md. */
#include "analysis/cost.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/message.h"

static const struct {
    const char *name;
    struct cost_disk disk;
} disks[] = {
    {"ssd", {.latency = 100e-6, .bandwidth = 500e6, .depth = 32, .writes = 1}},
    {"nvme", {.latency = 70e-6, .bandwidth = 2e9, .depth = 64, .writes = 1}},
    {"hdd", {.latency = 12.7e-3, .bandwidth = 160e6, .depth = 1, .writes = 1}},
};

/* ---- reading a description ---- */

struct unit {
    const char *name;
    double factor;
};

static const struct unit seconds[] = {{"s", 1},     {"ms", 1e-3}, {"us", 1e-6},
                                      {"µs", 1e-6}, {"ns", 1e-9}, {NULL, 0}};
static const struct unit bytes[] = {
    {"", 1}, {"K", 1024.}, {"M", 1024. * 1024}, {"G", 1024. * 1024 * 1024}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

/* One thing that can be said about a disk. */
struct property {
    const char *name;
    const struct unit *units;
    double least, most;
    const char *advice;
    size_t offset; /* of the double in struct cost_disk */
};

static const struct property properties[] = {
    {"latency", seconds, 0, 10, "a time with its unit, as in 100us or 8ms",
     offsetof(struct cost_disk, latency)},
    {"bandwidth", bytes, 1, 1e15, "bytes a second, as in 500M", offsetof(struct cost_disk, bandwidth)},
    {"depth", plain, 1, 65536, "a number from 1 to 65536", offsetof(struct cost_disk, depth)},
    {"writes", plain, 0, 1, "a number from 0 to 1", offsetof(struct cost_disk, writes)},
};

static bool number_with_unit(const char *text, const struct unit *units, double *ret_value) {
    char *rest;
    if (!isdigit((unsigned char)*text)) /* no sign, no "inf" */
        return false;
    const double number = strtod(text, &rest);
    for (; units->name; units++)
        if (!strcmp(rest, units->name)) {
            *ret_value = number * units->factor;
            return isfinite(*ret_value);
        }
    return false;
}

static int take_property(const char *word, struct cost_disk *disk, char **ret_message) {
    const char *equals = strchr(word, '=');
    for (size_t i = 0; equals && i < ARRAY_LENGTH(properties); i++) {
        const struct property *p = &properties[i];
        double value;
        if (strlen(p->name) != (size_t)(equals - word) || memcmp(p->name, word, (size_t)(equals - word)))
            continue;
        if (!number_with_unit(equals + 1, p->units, &value) || value < p->least || value > p->most)
            return message_fail(-EINVAL, ret_message, "'%s' of a disk cannot be '%s': give %s", p->name,
                                equals + 1, p->advice);
        *(double *)(void *)((char *)disk + p->offset) = value;
        return 0;
    }
    return message_fail(-EINVAL, ret_message,
                        "'%s' says nothing about a disk: there are ssd, nvme, hdd, latency=TIME, "
                        "bandwidth=BYTES, depth=N and writes=0..1",
                        word);
}

static bool take_name(const char *word, struct cost_disk *disk) {
    for (size_t i = 0; i < ARRAY_LENGTH(disks); i++)
        if (!strcmp(word, disks[i].name)) {
            *disk = disks[i].disk;
            return true;
        }
    return false;
}

int cost_disk_parse(const char *text, struct cost_disk *ret_disk, char **ret_message) {
    struct cost_disk disk = disks[0].disk;
    char *copy = strdup(text), *rest = copy;
    int error = copy ? 0 : -ENOMEM;
    for (bool first = true; !error && rest; first = false) {
        const char *word = strsep(&rest, ",");
        if (!first || !take_name(word, &disk))
            error = take_property(word, &disk, ret_message);
    }
    free(copy);
    if (!error)
        *ret_disk = disk;
    return error;
}

/* ---- the model ---- */

double cost_of_read(const struct cost_disk *d, uint32_t page_size) {
    return d->latency + page_size / d->bandwidth;
}

double cost_of_write(const struct cost_disk *d, uint32_t page_size) {
    return d->writes * (d->latency / d->depth + page_size / d->bandwidth);
}

double cost_stall(const struct cost_disk *d, uint32_t page_size, uint64_t reads, uint64_t writes) {
    return (double)reads * cost_of_read(d, page_size) + (double)writes * cost_of_write(d, page_size);
}

double cost_slowdown(double cpu, double stall, double stall_unlimited) {
    const double alone = cpu + stall_unlimited;
    return alone > 0 ? (cpu + stall) / alone : 1;
}
