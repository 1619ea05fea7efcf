/* What misses cost: a model of one disk, by which numbers of misses become time.
 *
 * A read waits for the disk's latency and for the page's bytes. Writing pages out is not waited for as such,
 * but keeps the disk busy; a read that comes behind a write waits until the disk is free again: for the
 * page's bytes, and for its share of the latency where the disk works on few requests at a time. That every
 * read waits for the write-back of its own eviction is the worst case, and what is assumed unless
 * `writes` says otherwise. docs/COST-MODEL.md explains the model and what it leaves out. */
#ifndef ANALYSIS_COST_H
#define ANALYSIS_COST_H

#include <stdint.h>

struct cost_disk {
    double latency;   /* of a request, seconds */
    double bandwidth; /* bytes a second */
    double depth;     /* requests that the disk works on at a time, ≥ 1 */
    double writes;    /* how much of a write a read waits for: 0 (never) … 1 (the whole of it) */
};

/* "ssd", "nvme", "hdd", or "KEY=VALUE,…" of latency (s, ms, us), bandwidth (bytes a second; K, M, G), depth
 * and writes; what is not said is the ssd's. A name may stand in front: "hdd,writes=0". 0, or -EINVAL with
 * *ret_message (malloc'd). */
int cost_disk_parse(const char *text, struct cost_disk *ret_disk, char **ret_message);

/* Seconds. */
double cost_of_read(const struct cost_disk *, uint32_t page_size);
double cost_of_write(const struct cost_disk *, uint32_t page_size); /* that the next read waits */
/* For so many pages read and written back. */
double cost_stall(const struct cost_disk *, uint32_t page_size, uint64_t reads, uint64_t writes);
/* How many times as long a program takes that computes for `cpu` seconds. 1 where that makes no sense. */
double cost_slowdown(double cpu, double stall, double stall_unlimited);

#endif
