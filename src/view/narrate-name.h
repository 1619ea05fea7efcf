/* How narration names things. Inside narrate*.c only. Each appends to the text. */
#ifndef VIEW_NARRATE_NAME_H
#define VIEW_NARRATE_NAME_H

#include "trace/fold.h"
#include "trace/text.h"
#include "view/narrate.h"

struct narrator {
    const struct fold *fold;
    const struct narrate_numbers *numbers;
};

void name_pid(struct text *, uint32_t pid);
void name_hex(struct text *, uint64_t);
void name_frame(struct text *, uint64_t frame);
void name_slot(struct text *, uint64_t slot);
void name_access(struct text *, unsigned access); /* "rw-" */

/* The pid of the process that an address space belongs to; 0: it is not there. */
uint32_t name_owner(const struct narrator *, uint64_t space);
/* "VPN4" where it has a symbolic number, else "VPN 0x406". */
void name_vpn(struct text *, const struct narrator *, uint32_t pid, uint64_t vpn);
/* "VPN6", "VPN6 and VPN7", "VPN6 to VPN9". */
void name_vpns(struct text *, const struct narrator *, uint32_t pid, uint64_t first, uint64_t pages);
/* "PID 7's VPN6". */
void name_page(struct text *, const struct narrator *, uint64_t space, uint64_t vpn);
/* A path as a label calls it, else its last part. */
void name_path(struct text *, const struct narrator *, uint64_t string);
void name_object(struct text *, const struct narrator *, uint64_t object);
/* "page 6 of mypgm": what a mapping has at a page; "the heap", "the stack" or "memory
 * of no file" otherwise. */
void name_content(struct text *, const struct narrator *, const struct fold_mapping *, uint64_t vpn);
/* A page by its identity: "page 3 of bash"; "a page of no file". */
void name_page_id(struct text *, const struct narrator *, uint64_t page);

void name_signal(struct text *, uint64_t signal);      /* "SIGSEGV" */
void name_error(struct text *, uint64_t error);        /* "ENOMEM"; of Linux, on every host */
void name_wait_status(struct text *, uint64_t status); /* "exits with status 0", "is ended by SIGSEGV" */

/* narrate-call.c: "brk(0x501000)". */
void name_call(struct text *, const struct event *enter);
/* Whether the call's result is an address. */
bool name_call_gives_address(unsigned number);

#endif
