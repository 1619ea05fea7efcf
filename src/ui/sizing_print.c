/* What `thimble size` says, for people. */
#include <inttypes.h>
#include <math.h>

#include "base/base.h"
#include "ui/size.h"
#include "ui/sizing.h"

enum { PAGES_WIDTH = 10 };

bool sizing_tables_are_counted(const struct sizing *s) {
    return s->rerun_count > 0 && s->reruns[0].started;
}

uint32_t sizing_page_tables(const struct sizing *s) {
    return sizing_tables_are_counted(s) ? s->reruns[0].found.peak.page_tables : s->answer.page_tables;
}

uint64_t sizing_bytes(const struct sizing *s) {
    const uint64_t pages = (uint64_t)s->answer.points[s->answer.chosen].frames + sizing_page_tables(s);
    return pages * s->config.page_size;
}

uint32_t sizing_anonymous(const struct sizing *s) {
    return min_u32(s->answer.floor.anonymous, s->answer.points[s->answer.chosen].frames);
}

uint32_t sizing_floor(const struct sizing *s) {
    const uint32_t alive = s->answer.alive > max_u32(s->config.least, 1) ? s->answer.alive : 0;
    return s->config.no_swap ? max_u32(s->answer.floor.floor, alive) : alive;
}

const char *sizing_cpu_is(const struct sizing *s) {
    return s->cpu_given ? "given" : s->cpu_assumed ? "assumed" : "native";
}

bool sizing_has_answer(const struct sizing *s) {
    return s->answer.chosen < s->answer.count;
}

double sizing_phase_slowdown(const struct sizing *s, const struct phase *p) {
    const struct answer_config *c = &s->config;
    const struct simulation_result *r = &p->counted;
    const struct phase *last = &s->phases[s->phase_count - 1];
    const double share = (double)p->instructions / (double)(last->start + last->instructions);
    const double stall =
        cost_stall(&c->disk, c->page_size, r->misses - r->cold_anonymous, r->to_swap + r->to_file);
    return cost_slowdown(c->cpu_seconds * share, stall,
                         cost_stall(&c->disk, c->page_size, r->cold - r->cold_anonymous, 0));
}

/* Rounded up to so many digits, so that what is more than was asked for is seen to be; but for the last bits
 * of a quotient. */
static double rounded_up(double slowdown, int digits) {
    const double unit = pow(10, digits), rest = 1e-6;
    return ceil(slowdown * unit - rest) / unit;
}

/* One size with what there is to say about it. */
static void print_size(const struct sizing *s, FILE *to, const char *name, uint32_t pages, const char *what) {
    char number[SIZE_TEXT], size[SIZE_TEXT];
    fprintf(to, "  %-8s %*s pages %10s   %s\n", name, PAGES_WIDTH, number_format(pages, number),
            size_format((uint64_t)pages * s->config.page_size, size), what);
}

static void print_knees(const struct sizing *s, FILE *to) {
    for (size_t i = 0; i < s->knee_count; i++) {
        const struct answer_point *p = &s->answer.points[s->knees[i]];
        if (p->frames == s->answer.floor.all)
            continue; /* it has a line of its own */
        char what[96], misses[SIZE_TEXT];
        snprintf(what, sizeof what, "%s misses, slowdown %.2f", number_format(p->misses, misses),
                 rounded_up(p->slowdown, 2));
        print_size(s, to, "knee", p->frames, what);
    }
}

static void print_curve(const struct sizing *s, FILE *to) {
    const struct floor_result *f = &s->answer.floor;
    if (sizing_floor(s))
        print_size(s, to, "floor", sizing_floor(s), "with less, the program is killed for want of memory");
    print_knees(s, to);
    print_size(s, to, "all", f->all, "from here on there are cold misses only");
}

static void print_stall(const struct sizing *s, FILE *to) {
    const struct answer_point *p = &s->answer.points[s->answer.chosen];
    char warm[SIZE_TEXT], cold[SIZE_TEXT], writes[SIZE_TEXT];
    fprintf(
        to,
        "             %s misses beside %s cold ones, %s pages written; %.3f s of stall (%.3f s of it cold)\n"
        "             on top of %.3f s of computing (%s): slowdown %.3f\n",
        number_format(p->misses - p->cold, warm), number_format(p->cold, cold),
        number_format(p->writes, writes), p->stall,
        cost_stall(&s->config.disk, s->config.page_size, p->reads + p->cold - p->misses, 0),
        s->config.cpu_seconds,
        s->cpu_given     ? "given"
        : s->cpu_assumed ? "assumed, 3,000,000,000 instructions a second"
                         : "measured natively",
        rounded_up(p->slowdown, 3));
}

static void print_split(const struct sizing *s, FILE *to) {
    const struct answer_point *p = &s->answer.points[s->answer.chosen];
    char anonymous[SIZE_TEXT], files[SIZE_TEXT], tables[SIZE_TEXT], size[SIZE_TEXT];
    const uint32_t held = sizing_anonymous(s);
    fprintf(to, "             %s anonymous, %s for pages of files", number_format(held, anonymous),
            number_format(p->frames - held, files));
    if (sizing_page_tables(s))
        fprintf(to, ", and %s page tables%s", number_format(sizing_page_tables(s), tables),
                sizing_tables_are_counted(s) ? "" : " (estimated)");
    fprintf(to, ": %s in all%s\n", size_format(sizing_bytes(s), size),
            sizing_page_tables(s) ? "" : " (page tables come on top: where pages are is not known)");
}

static void print_rerun(const struct sizing *s, const struct sizing_rerun *r, FILE *to) {
    char pages[SIZE_TEXT], misses[SIZE_TEXT];
    fprintf(to, "  rerun      with %s pages: ", number_format(r->pages, pages));
    if (!r->started)
        fputs("it could not be started\n", to);
    else if (r->found.oom_kills)
        fprintf(to, "%" PRIu64 " %s killed for want of memory%s\n", r->found.oom_kills,
                r->found.oom_kills == 1 ? "process was" : "processes were",
                r->predicted ? ", as predicted" : "");
    else if (!r->found.finished)
        fprintf(to, "%s misses until it was stopped, behind as many instructions as were recorded\n",
                number_format(r->found.tally.misses, misses));
    else if (!r->compared)
        fprintf(to, "%s misses, those of the warm-up among them\n",
                number_format(r->found.tally.misses, misses));
    else
        fprintf(to, "%s misses, %s; slowdown %.3f\n", number_format(r->found.tally.misses, misses),
                r->predicted ? "as predicted"
                             : "NOT as predicted: another size is another run of this program",
                rounded_up(r->slowdown, 3));
}

/* Docker takes no less than 6 MiB, and means memory and swap together by --memory-swap. */
static void print_lines(const struct sizing *s, FILE *to) {
    enum { LEAST = 6, MIB_SHIFT = 20 };
    const uint64_t bytes = sizing_bytes(s);
    const uint64_t mib = max_u64((bytes + (1 << MIB_SHIFT) - 1) >> MIB_SHIFT, LEAST);
    const uint64_t swap = (s->swap_pages * s->config.page_size + (1 << MIB_SHIFT) - 1) >> MIB_SHIFT;
    char both[SIZE_TEXT];
    snprintf(both, sizeof both, "%" PRIu64 "m", mib + swap);
    if (s->swap_unlimited)
        snprintf(both, sizeof both, "-1");
    fprintf(to,
            "\n"
            "    --memory=%" PRIu64 "m --memory-swap=%s%s\n"
            "    memory.max=%" PRIu64 "\n"
            "    MemoryMax=%" PRIu64 "\n"
            "\n"
            "  Not in it, though a cgroup counts it: socket buffers, slab (inodes, dentries), kernel stacks "
            "(16 KiB a\n"
            "  thread), and what read() and write() leave in the page cache, which can be dropped.\n",
            mib, both,
            bytes > (uint64_t)LEAST << MIB_SHIFT ? "" : "      (the least that Docker takes is 6m)", bytes,
            bytes);
}

static void print_phases(const struct sizing *s, FILE *to) {
    char start[SIZE_TEXT], references[SIZE_TEXT], misses[SIZE_TEXT], cold[SIZE_TEXT];
    if (s->phase_count == 0)
        return;
    fprintf(to, "\n  %20s %16s %12s %12s %10s\n", "from instruction", "references", "misses", "cold",
            "slowdown");
    for (size_t i = 0; i < s->phase_count; i++) {
        const struct phase *p = &s->phases[i];
        fprintf(to, "  %20s %16s %12s %12s %10.3f\n", number_format(p->start, start),
                number_format(p->counted.references, references), number_format(p->counted.misses, misses),
                number_format(p->counted.cold, cold), rounded_up(sizing_phase_slowdown(s, p), 3));
    }
}

static void print_answer(const struct sizing *s, FILE *to) {
    const struct answer_point *p = &s->answer.points[s->answer.chosen];
    char what[96];
    fprintf(to, "\n");
    snprintf(what, sizeof what, "the answer, for a slowdown of at most %g", s->slowdown);
    print_size(s, to, "give it", p->frames, what);
    print_split(s, to);
    print_stall(s, to);
    for (size_t i = 0; i < s->rerun_count; i++)
        print_rerun(s, &s->reruns[i], to);
    print_phases(s, to);
    print_lines(s, to);
}

void sizing_print(const struct sizing *s, const struct subject *subject, FILE *to) {
    char references[SIZE_TEXT], pages[SIZE_TEXT];
    fprintf(to, "%s: %s references to %s pages\n", subject->title,
            number_format(s->totals.references, references), number_format(s->totals.pages, pages));
    fprintf(to, "  policy %s, disk %s, swap %s; numbers of misses are %s%s\n\n", s->policy, s->disk,
            s->swap ? s->swap : "none", result_label_name(s->label), s->condition ? ":" : "");
    if (s->condition)
        fprintf(to, "  %s\n\n", s->condition);
    if (subject->recorded.exit_status)
        fprintf(to, "  The program ended with status %d: what follows is what that takes.\n\n",
                subject->recorded.exit_status);
    if (!s->kinds_known)
        fputs("  Which pages are files' is not known: all are taken for anonymous ones, which stay without "
              "swap.\n\n",
              to);
    print_curve(s, to);
    if (sizing_has_answer(s))
        print_answer(s, to);
    else
        fprintf(to,
                "\n  no size up to that keeps the slowdown at %g or below: the misses that remain are "
                "written pages\n",
                s->slowdown);
}
