/* Where an address is: in which mapping of which address space, and, for memory that shows a file, where in
 * the file. Looked up at the moment when it is asked: mappings come and go. */
#ifndef PLACE_LOCATE_H
#define PLACE_LOCATE_H

#include "machine/probe.h"
#include "place/module.h"

/* The files that were met, by number from 1. */
struct locator;

struct location {
    bool mapped;
    struct mapping_view view; /* valid iff mapped; its object is not to be used later */
    uint32_t module;          /* 0: it shows no file */
    bool in_bss;              /* the file's zeros, which are in no file */
    bool has_address;
    uint64_t address; /* the module's; valid iff has_address */
};

int locator_create(struct machine *, const struct dw *, struct locator **ret_locator); /* 0 or -ENOMEM */
void locator_destroy(struct locator *);
void locate(struct locator *, uint32_t space, uint64_t address, struct location *ret_location);
struct module *locator_module(const struct locator *, uint32_t number);

/* "[heap]", "/usr/bin/gcc r-xp" … and without permissions. Into `to`, which is returned. */
enum { LOCATION_TEXT = 4352 };
char *location_mapping(const struct locator *, const struct location *, char to[LOCATION_TEXT]);
char *location_file(const struct locator *, const struct location *, char to[LOCATION_TEXT]);

#endif
