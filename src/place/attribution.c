/* See attribution.h. While the machine runs, only keys are counted; names are found at the end (naming.c).
 *
 *   FAULT ─ … VICTIM (who is driven out, by this fault) … SWAP_OUT … SWAP_IN or FILE_READ (which page comes
 *   back) … FRAME (what page the frame is now) … ─ FAULT_DONE
 *
 * Where a fault is, is found when the first of these must be counted, and at most once a fault. What happens
 * outside any fault (write-back at the end of a mapping, mlock) is the thread's that is in a system call, or
 * the machine's. */
#include "place/attribution.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/host_clock.h"
#include "place/allocation.h"
#include "place/counts.h"
#include "place/locate.h"
#include "place/naming.h"
#include "place/texts.h"
#include "place/unwind.h"
#include "trace/counter.h"
#include "trace/sink.h"

struct fault_now {
    bool under_way, located;
    uint32_t space;
    uint64_t address;
    uint64_t source, filled; /* identities: of the page that was read, and of what the frame holds now */
};

struct attribution_table {
    struct counts counts;
    bool of_code;
    const char *name, *title;
    uint32_t now; /* key of the fault under way; valid iff it is located */
};

struct attribution {
    struct trace_sink sink;
    struct attribution_config config;
    struct machine *machine;
    struct dw dw;
    struct locator *locator;
    struct unwinder *unwinder;
    struct allocations *allocations; /* NULL unless by allocation */
    struct texts names;
    struct stacks stacks;
    struct tally_counter counter;
    struct attribution_table tables[PLACE_TABLES];
    size_t table_count;
    struct fault_now fault;
    bool is_warming_up;
    uint64_t warm_until; /* of the host's monotonic clock, ns */
    int error;           /* the first -ENOMEM: what was counted is not to be believed */
};

static void note_error(struct attribution *a, int error) {
    if (error && !a->error)
        a->error = error;
}

/* ---- keys ---- */

static struct key key_of_text(struct attribution *a, const char *text) {
    uint32_t number = 0;
    note_error(a, texts_add(&a->names, text, &number));
    return key_make(KEY_NAME, 0, number);
}

static struct key key_of_mapping(struct attribution *a, const struct location *at) {
    char text[LOCATION_TEXT];
    return key_of_text(a, location_mapping(a->locator, at, text));
}

static struct key key_of_symbol(struct attribution *a, const struct location *at) {
    const struct module_symbol *symbol =
        at->has_address ? module_symbol_at(locator_module(a->locator, at->module), at->address) : NULL;
    return symbol ? key_make(KEY_SYMBOL, at->module, symbol->address) : (struct key){0};
}

static struct key key_of_data(struct attribution *a, uint32_t space, uint64_t address) {
    struct location at;
    struct key key = {0};
    char text[LOCATION_TEXT];
    locate(a->locator, space, address, &at);
    switch (a->config.by) {
    case PLACE_BY_FILE: return key_of_text(a, location_file(a->locator, &at, text));
    case PLACE_BY_SYMBOL: key = key_of_symbol(a, &at); break;
    case PLACE_BY_ALLOCATION: key = allocations_find(a->allocations, space, address, &at); break;
    case PLACE_BY_MAPPING:
    case PLACE_BY_LINE:
    case PLACE_BY_KINDS: break;
    }
    return key.v ? key : key_of_mapping(a, &at);
}

/* The instruction at which the thread is. */
static struct key key_of_code(struct attribution *a) {
    struct probe_worker worker;
    struct location at;
    struct key key = {0};
    machine_probe_worker(a->machine, &worker);
    if (worker.work == PROBE_MACHINE)
        return key_of_text(a, "[kernel]");
    if (a->config.call_stacks)
        return unwind_stack(a->unwinder, &worker, a->config.by == PLACE_BY_SYMBOL);
    locate(a->locator, worker.space, worker.registers.rip - (worker.work == PROBE_CALL), &at);
    if (a->config.by == PLACE_BY_SYMBOL)
        key = key_of_symbol(a, &at);
    if (!key.v && at.has_address)
        key = key_make(KEY_CODE, at.module, at.address);
    return key.v ? key : key_of_mapping(a, &at);
}

static uint32_t table_number(struct attribution *a, struct attribution_table *t, struct key key) {
    uint32_t number = 0;
    note_error(a, counts_key(&t->counts, key, &number));
    return number;
}

/* Of the fault under way; outside one, of whoever is at work. */
static uint32_t table_now(struct attribution *a, struct attribution_table *t) {
    struct fault_now *f = &a->fault;
    if (!f->under_way)
        return table_number(a, t, t->of_code ? key_of_code(a) : key_of_text(a, "[kernel]"));
    if (!f->located)
        for (size_t i = 0; i < a->table_count; i++)
            a->tables[i].now =
                table_number(a, &a->tables[i],
                             a->tables[i].of_code ? key_of_code(a) : key_of_data(a, f->space, f->address));
    f->located = true;
    return t->now;
}

/* The place that a transfer of the page counts for: in a table of data the page's own. */
static uint32_t table_of_page(struct attribution *a, struct attribution_table *t, uint64_t page) {
    uint32_t place;
    return !t->of_code && counts_page_place(&t->counts, page, &place) ? place : table_now(a, t);
}

/* ---- events ---- */

static uint64_t object_page(const struct attribution *a, const struct event *e) {
    uint64_t generation = 0;
    (void)map_get(&a->counter.objects, e->args[1], &generation);
    return page_id_of_object((uint32_t)generation, e->args[2]).n;
}

static void take_victim(struct attribution *a, uint64_t page) {
    for (size_t i = 0; i < a->table_count; i++) {
        struct attribution_table *t = &a->tables[i];
        const uint32_t evictor = table_now(a, t);
        note_error(a, counts_page_evicted(&t->counts, page, table_of_page(a, t, page), evictor));
    }
}

static void take_written(struct attribution *a, uint64_t page, bool to_swap) {
    for (size_t i = 0; i < a->table_count; i++) {
        struct attribution_table *t = &a->tables[i];
        struct place_counts *counts = &t->counts.of[table_of_page(a, t, page)];
        counts->swap_out += to_swap;
        counts->file_out += !to_swap;
    }
}

static void take_read(struct attribution *a, uint64_t page, bool from_swap) {
    a->fault.source = page;
    for (size_t i = 0; i < a->table_count; i++) {
        struct attribution_table *t = &a->tables[i];
        const uint32_t place = a->fault.under_way ? table_now(a, t) : table_of_page(a, t, page);
        t->counts.of[place].swap_in += from_swap;
        t->counts.of[place].file_in += !from_swap;
    }
}

static void take_fault_done(struct attribution *a, const struct event *e) {
    const bool miss = e->flags < EVENT_FAULT_KINDS && e->args[4];
    for (size_t i = 0; miss && i < a->table_count; i++) {
        struct attribution_table *t = &a->tables[i];
        const uint32_t place = table_now(a, t);
        t->counts.of[place].misses++;
        t->counts.of[place].refaults += a->counter.refault;
        if (a->counter.refault)
            note_error(a, counts_page_back(&t->counts, a->fault.source, place));
        note_error(a, counts_page_filled(&t->counts, a->fault.filled, place));
    }
    a->fault.under_way = false;
}

static bool warm_up_is_over(const struct attribution *a, uint64_t instruction) {
    return instruction >= a->config.warm_up_instructions &&
           (!a->warm_until || host_nanoseconds(CLOCK_MONOTONIC) >= a->warm_until);
}

/* Between two faults: what was counted up to now is not to be told if it was the warm-up. */
static void end_warm_up(struct attribution *a, uint64_t instruction) {
    if (!warm_up_is_over(a, instruction))
        return;
    a->is_warming_up = false;
    for (size_t i = 0; i < a->table_count; i++)
        counts_restart(&a->tables[i].counts);
}

static void take_fault(struct attribution *a, const struct event *e) {
    if (unlikely(a->is_warming_up))
        end_warm_up(a, e->instruction);
    a->fault = (struct fault_now){
        .under_way = true,
        .space = (uint32_t)e->args[0],
        .address = e->args[1],
    };
}

static void attribution_receive(struct trace_sink *sink, const struct event *e) {
    struct attribution *a = container_of(sink, struct attribution, sink);
    note_error(a, tally_counter_add(&a->counter, e));
    if (a->allocations)
        note_error(a, allocations_receive(a->allocations, e));
    /* The others say nothing of pages that come and go. */
    if (e->kind == EVENT_FAULT)
        take_fault(a, e);
    else if (e->kind == EVENT_FAULT_DONE)
        take_fault_done(a, e);
    else if (e->kind == EVENT_VICTIM)
        take_victim(a, e->args[1]);
    else if (e->kind == EVENT_SWAP_OUT)
        take_written(a, e->args[2], true);
    else if (e->kind == EVENT_WRITE_BACK)
        take_written(a, object_page(a, e), false);
    else if (e->kind == EVENT_SWAP_IN)
        take_read(a, e->args[2], true);
    else if (e->kind == EVENT_FILE_READ)
        take_read(a, object_page(a, e), false);
    else if (e->kind == EVENT_FRAME && (e->flags == EVENT_FRAME_ANONYMOUS || e->flags == EVENT_FRAME_CACHE))
        a->fault.filled = e->args[1];
}

/* ---- life ---- */

static void add_table(struct attribution *a, const char *name, const char *title, bool of_code) {
    a->tables[a->table_count++] =
        (struct attribution_table){.name = name, .title = title, .of_code = of_code};
}

static void add_tables(struct attribution *a) {
    switch (a->config.by) {
    case PLACE_BY_MAPPING: add_table(a, "mapping", "what was touched: mappings", false); break;
    case PLACE_BY_FILE: add_table(a, "file", "what was touched: files", false); break;
    case PLACE_BY_SYMBOL:
        add_table(a, "function", "who touched it: functions", true);
        add_table(a, "object", "what was touched: objects of the program", false);
        break;
    case PLACE_BY_LINE: add_table(a, "line", "who touched it: source lines", true); break;
    case PLACE_BY_ALLOCATION:
        add_table(a, "allocation", "what was touched: allocations, by who made them", false);
        break;
    case PLACE_BY_KINDS: break;
    }
}

int attribution_create(struct machine *machine, const struct attribution_config *config,
                       struct attribution **ret_attribution) {
    struct attribution *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    a->config = *config;
    a->machine = machine;
    a->sink.receive = attribution_receive;
    add_tables(a);
    int error = dw_load(&a->dw);
    if (!error)
        error = locator_create(machine, &a->dw, &a->locator);
    if (!error)
        error =
            unwinder_create(machine, a->locator, &a->dw, &a->stacks, &a->names, config->depth, &a->unwinder);
    if (!error && config->by == PLACE_BY_ALLOCATION)
        error = allocations_create(machine, a->locator, a->unwinder, &a->stacks, &a->allocations);
    if (error) {
        attribution_destroy(a);
        return error;
    }
    a->is_warming_up = config->warm_up || config->warm_up_instructions;
    a->warm_until = config->warm_up ? host_nanoseconds(CLOCK_MONOTONIC) + config->warm_up : 0;
    machine_add_sink(machine, &a->sink);
    *ret_attribution = a;
    return 0;
}

void attribution_destroy(struct attribution *a) {
    for (size_t i = 0; i < a->table_count; i++)
        counts_free(&a->tables[i].counts);
    if (a->allocations)
        allocations_destroy(a->allocations);
    if (a->unwinder)
        unwinder_destroy(a->unwinder);
    if (a->locator)
        locator_destroy(a->locator);
    tally_counter_free(&a->counter);
    stacks_free(&a->stacks);
    texts_free(&a->names);
    free(a);
}

int attribution_report(struct attribution *a, struct place_report *ret_report) {
    struct place_report report = {.by = a->config.by};
    const struct naming naming = {&a->dw, a->locator, &a->names, &a->stacks,
                                  a->config.by == PLACE_BY_LINE || a->config.by == PLACE_BY_ALLOCATION};
    struct machine_summary summary;
    machine_get_summary(a->machine, &summary);
    if (a->is_warming_up)
        end_warm_up(a, summary.engine.instructions);
    int error = a->error ? a->error : a->is_warming_up ? -ERANGE : 0;
    for (size_t i = 0; !error && i < a->table_count; i++) {
        struct place_table *table = &report.tables[report.table_count++];
        table->name = a->tables[i].name;
        table->title = a->tables[i].title;
        error = naming_table(&naming, &a->tables[i].counts, table);
    }
    if (!error && report.table_count)
        for (size_t i = 0; i < report.tables[0].row_count; i++)
            place_counts_add(&report.totals, &report.tables[0].rows[i].counts);
    if (!error && a->allocations)
        error = allocations_notes(a->allocations, &report);
    if (error)
        place_report_free(&report);
    else
        *ret_report = report;
    return error;
}
