/* A spec: what is asked of each submission. Read from a JSON file (docs/GRADING.md has every key) or put
 * together from options; read-only afterwards. */
#ifndef GRADE_SPEC_H
#define GRADE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can be limited, by the names that a spec uses. */
enum spec_limit {
    SPEC_FAULTS,
    SPEC_MAJOR_FAULTS,
    SPEC_MISSES,
    SPEC_EVICTIONS,
    SPEC_SWAP_INS,
    SPEC_SWAP_OUTS,
    SPEC_FRAMES,
    SPEC_INSTRUCTIONS,
    SPEC_PROCESSES,
    SPEC_OUTPUT,       /* bytes */
    SPEC_MILLISECONDS, /* "seconds" */
    SPEC_DISK,         /* bytes of scratch files, on the host */
    SPEC_LIMITS
};
#define SPEC_UNLIMITED UINT64_MAX

struct spec_limits {
    uint64_t most[SPEC_LIMITS]; /* SPEC_UNLIMITED: none */
    bool asked[SPEC_LIMITS];    /* given by the spec: a criterion; else only to protect the grader */
};

/* What is judged. Each limit that is asked for is a criterion as well, in this order. */
enum { CRITERION_STATUS, CRITERION_OUTPUT, CRITERION_LIMITS, CRITERIA = CRITERION_LIMITS + SPEC_LIMITS };
const char *spec_criterion_name(unsigned criterion);

struct spec_machine {
    uint64_t frames, seed;
    const char *policy, *swap, *page_table; /* as thimble run takes them; NULL: its default */
    bool deterministic;
};

enum spec_compare { SPEC_EXACT, SPEC_TRAILING_SPACE, SPEC_PATTERN };
enum spec_visibility { SPEC_VISIBLE, SPEC_HIDDEN, SPEC_AFTER_DUE_DATE, SPEC_AFTER_PUBLISHED };

struct spec_text { /* bytes, not ended by a NUL */
    char *bytes;
    size_t length;
};

struct spec_test {
    char *name;
    char **command; /* NULL at its end */
    struct spec_text input;
    struct spec_machine machine;
    struct spec_limits limits;
    bool any_status;
    int status;
    bool has_output;
    struct spec_text output;
    enum spec_compare compare;
    enum spec_visibility visibility;
    bool points_apart;     /* each criterion has its own; else `points` is for all of them together */
    double points;         /* in all */
    double each[CRITERIA]; /* iff points_apart */
};

struct spec {
    char *name;
    char **build; /* a command; NULL: nothing is built */
    struct spec_limits build_limits;
    struct spec_test *tests;
    size_t test_count;
    const char *files; /* how the submission's folder is seen: "overlay", "read-only" or "host" */
    char **allow;      /* further "PATH:HOW", absolute; NULL at its end */
    char **environment;
    void *json; /* what strings point into */
};

/* 0; -EINVAL or -errno with *ret_message (malloc'd): the file and the place in it. */
int spec_read(const char *path, struct spec *ret_spec, char **ret_message);
/* A spec of one test without anything asked. 0 or -ENOMEM. */
int spec_create_single(struct spec *ret_spec);
void spec_free(struct spec *);

/* Whether the test is judged by that criterion, and what it is worth (0 when points are given together). */
bool spec_has_criterion(const struct spec_test *, unsigned criterion);
double spec_max_points(const struct spec *);
/* Bytes of this computer that grading one submission may be expected to take. */
uint64_t spec_memory(const struct spec *);
const char *spec_visibility_name(enum spec_visibility);

/* The limits that protect the grader when nothing else is said. */
void spec_default_limits(struct spec_limits *, bool of_build);

#endif
