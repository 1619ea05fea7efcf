/* The computer, and the world of running programs that the kernel makes of it: a context for each process,
 * which owns its page table. */
#include <string.h>

#include "base/base.h"
#include "view/svg-draw.h"

enum { WIDTH = SLIDE_WIDTH, HEIGHT = SLIDE_HEIGHT, MACHINE_TOP = 452, TABLE_X = 820, NARROW = 780 };

/* ---- the hardware ---- */

static void draw_document(struct drawing *d, struct box b, size_t file) {
    const struct picture_file *f = &d->picture->files[file];
    const struct picture_disk place = {.source = SOURCE_FILE, .file = (uint32_t)file};
    draw_surface(d, b, &place);
    const char *slash = strrchr(f->name, '/');
    pen_text(&d->pen, box_inset(b, 4), pen_size(&d->pen, 12), draw_ink(d, &place), 0,
             slash && slash[1] ? slash + 1 : f->name);
}

/* The executables that are on the disk, as many as have room. */
static void draw_storage(struct drawing *d, struct box disk) {
    enum { CAP = 34, LINE = 26 };
    const int rows = (disk.height - CAP - 14) / LINE, columns = disk.width > 140 ? 2 : 1;
    const size_t room = rows > 0 ? (size_t)(rows * columns) : 0,
                 files = min_size(d->picture->file_count, room);
    const int width = (disk.width - 20) / columns - 6;
    pen_cylinder(&d->pen, disk, d->pen.shades->paper.fill);
    for (size_t i = 0; i < files; i++) {
        const int column = (int)i % columns, row = (int)i / columns;
        draw_document(
            d, (struct box){disk.x + 12 + column * (width + 6), disk.y + CAP + row * LINE, width, LINE - 4},
            i);
    }
    if (!files)
        pen_text(&d->pen, disk, pen_size(&d->pen, 15), d->pen.shades->paper.ink, 0, "Storage Devices");
}

static void draw_devices(struct drawing *d, struct box b) {
    const int half = b.width / 2 - 18, height = b.height - 44;
    const struct box network = {b.x + 12, b.y + 12, half, height},
                     disk = {box_right(b) - half - 12, b.y + 8, half, height + 6};
    pen_rounded(&d->pen, b, 12, d->pen.shades->cpu.fill, 1);
    pen_rounded(&d->pen, network, 8, d->pen.shades->paper.fill, 1);
    pen_paragraph(&d->pen, (struct box){network.x + 6, network.y + height / 2 - 24, network.width - 12, 50},
                  pen_size(&d->pen, 15), d->pen.shades->paper.ink, 0, "Communication Devices");
    draw_storage(d, disk);
    pen_text(&d->pen, (struct box){b.x, box_bottom(b) - 31, b.width, 28}, pen_size(&d->pen, 20),
             d->pen.shades->cpu.ink, 0, "I/O Devices");
}

static void draw_computer(struct drawing *d, struct box b) {
    const int third = (b.width - 60) / 10;
    struct box devices = {b.x + 20, b.y + 16, third * 5, b.height - 66};
    struct box memory = {box_right(devices) + 14, devices.y, third * 5 / 2, devices.height};
    struct box cpu = {box_right(memory) + 14, devices.y, box_right(b) - box_right(memory) - 34,
                      devices.height};
    pen_rounded(&d->pen, b, 8, d->pen.shades->free.fill, 1);
    draw_devices(d, devices);
    pen_rounded(&d->pen, memory, 8, d->pen.shades->cpu.fill, 1);
    pen_paragraph(&d->pen,
                  (struct box){memory.x + 8, memory.y + memory.height / 2 - 36, memory.width - 16, 70},
                  pen_size(&d->pen, 26), d->pen.shades->cpu.ink, 0, "Main Memory");
    pen_ellipse(&d->pen, cpu, d->pen.shades->cpu.fill, 1);
    pen_text(&d->pen, cpu, pen_size(&d->pen, 28), d->pen.shades->cpu.ink, 0, "CPU");
    pen_text(&d->pen, (struct box){b.x, box_bottom(b) - 44, b.width, 36}, pen_size(&d->pen, 22),
             d->pen.shades->paper.ink, PEN_BOLD, "The Computer – The Hardware – The Machine");
}

/* ---- running programs ---- */

static size_t file_of(const struct picture *p, const char *name) {
    for (size_t i = 0; i < p->file_count; i++)
        if (strcmp(p->files[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static struct box context_box(const struct drawing *d, struct box kernel, size_t i) {
    const int count = (int)d->picture->process_count, room = kernel.width * 78 / 100;
    const int width = count && room / count < 180 ? room / count : 180;
    const int left = box_middle(kernel) - width * count / 2;
    return (struct box){left + (int)i * width, kernel.y + kernel.height / 2 - 44, width - 6, 70};
}

static struct box memory_of_context(struct box context) {
    return (struct box){context.x + context.width / 2 - 6, context.y + 8, context.width / 2, 32};
}

static void draw_context(struct drawing *d, struct box b, size_t process) {
    const struct picture_process *p = &d->picture->processes[process];
    const size_t file = file_of(d->picture, p->name);
    struct box memory = memory_of_context(b);
    struct picture_disk place = {.source = file == SIZE_MAX ? SOURCE_OS : SOURCE_FILE,
                                 .file = (uint32_t)file};
    chain_process(d, "process", process);
    pen_rect(&d->pen, b, d->pen.shades->paper.fill, 1);
    struct box cpu = {b.x + 4, b.y + 8, b.width / 2 - 14, 32};
    pen_ellipse(&d->pen, cpu, d->pen.shades->cpu.fill, 1);
    pen_text(&d->pen, box_inset(cpu, 4), pen_size(&d->pen, 14), d->pen.shades->cpu.ink, 0, "CPU");
    draw_surface(d, memory, &place);
    pen_text(&d->pen, box_inset(memory, 3), pen_size(&d->pen, 14), draw_ink(d, &place), 0, "Memory");
    pen_textf(&d->pen, (struct box){b.x, b.y + 44, b.width, 22}, pen_size(&d->pen, 15),
              d->pen.shades->paper.ink, 0, "Context %u", (uint64_t)process);
    chain_end(d);
}

static void draw_program(struct drawing *d, struct box b, size_t process) {
    const struct picture_process *p = &d->picture->processes[process];
    chain_process(d, "process", process);
    pen_ellipse(&d->pen, b, d->pen.shades->area.fill, 2);
    pen_text(&d->pen, (struct box){b.x + 14, b.y + 14, b.width - 28, 24}, pen_size(&d->pen, 17),
             d->pen.shades->area.ink, 0, *p->name ? p->name : "(no program)");
    pen_textf(&d->pen, (struct box){b.x + 14, b.y + 38, b.width - 28, 22}, pen_size(&d->pen, 16),
              d->pen.shades->area.ink, 0, "pid:%d", (int)p->pid);
    chain_end(d);
    if (d->marks && (p->changed))
        pen_ring(&d->pen, box_inset(b, -5));
}

static struct box kernel_box(int width) {
    return (struct box){40, 244, width - 80, 176};
}

static void draw_system(struct drawing *d, int width) {
    const struct picture *p = d->picture;
    const struct box kernel = kernel_box(width);
    pen_write(&d->pen,
              "<rect x='10' y='10' width='%d' height='%d' fill='%s' fill-opacity='0.5' stroke='%s' "
              "stroke-dasharray='6 4'/>\n",
              width - 20, MACHINE_TOP - 16, d->pen.shades->area.fill, d->pen.shades->faint);
    pen_ellipse(&d->pen, kernel, d->pen.shades->area.fill, 2);
    pen_text(&d->pen, (struct box){kernel.x, box_bottom(kernel) - 52, kernel.width, 30},
             pen_size(&d->pen, 24), d->pen.shades->area.ink, 0, "UNIX Kernel");
    pen_text(&d->pen, (struct box){20, 18, width - 40, 32}, pen_size(&d->pen, 22), d->pen.shades->paper.ink,
             PEN_BOLD, "The world of running programs");
    for (size_t i = 0; i < p->process_count; i++) {
        const struct box context = context_box(d, kernel, i);
        const struct box program = {box_middle(context) - context.width / 2, 96, context.width, 74};
        struct route up = {.count = 0};
        route_add(&up, box_middle(context), context.y);
        route_add(&up, box_middle(context), box_bottom(program));
        draw_context(d, context, i);
        draw_program(d, program, i);
        pen_arrow(&d->pen, &up, true, false);
    }
    if (p->hidden_processes)
        pen_textf(&d->pen, (struct box){width - 240, 60, 210, 20}, pen_size(&d->pen, 14),
                  d->pen.shades->faint, PEN_RIGHT, "and %u more processes", (uint64_t)p->hidden_processes);
    draw_computer(d, (struct box){10, MACHINE_TOP + 4, width - 20, HEIGHT - MACHINE_TOP - 46});
}

/* ---- contexts: one page table is looked into ---- */

static void draw_hanging(struct drawing *d, struct box column, const struct picture_cell *c) {
    const struct picture *p = d->picture;
    const uint64_t number = pte_pfn(c->entry).n;
    if (c->pages != 1 || !pte_is_present(c->entry) || p->frames_per_cell != 1 || number >= p->frame_count)
        return;
    const struct box frame = {column.x + 1, box_bottom(column) + 40, column.width - 2, 54};
    struct route down = {.count = 0};
    route_add(&down, box_middle(column), box_bottom(column) - TABLE_ROW / 2);
    route_add(&down, box_middle(column), frame.y);
    pen_arrow(&d->pen, &down, false, false);
    pen_dot(&d->pen, down.points[0]);
    draw_frame(d, frame, (size_t)number);
}

/* Returns its width. */
static int draw_owned_table(struct drawing *d, size_t process) {
    const struct picture_process *p = &d->picture->processes[process];
    const int cells = p->cell_count ? (int)p->cell_count : 1;
    const int width = (WIDTH - 20 - TABLE_X) / cells > 34 ? (WIDTH - 20 - TABLE_X) / cells : 34;
    const struct box table = {TABLE_X, 60, width * cells, TABLE_HEADER + 2 * TABLE_ROW};
    struct route owns = {.count = 0};
    const struct box memory = memory_of_context(context_box(d, kernel_box(NARROW), process));
    route_add(&owns, box_middle(memory), memory.y);
    route_add(&owns, box_middle(memory), 206);
    route_add(&owns, NARROW + 12, 206);
    route_add(&owns, NARROW + 12, table.y + TABLE_HEADER / 2);
    route_add(&owns, table.x, table.y + TABLE_HEADER / 2);
    pen_arrow(&d->pen, &owns, true, false);
    draw_table(d, table, width, process, 0, p->cell_count);
    for (size_t i = 0; i < p->cell_count; i++)
        if (!d->blank || !blank_entry(d->blank, process, i))
            draw_hanging(d, (struct box){table.x + (int)i * width, table.y, width, table.height},
                         &p->cells[i]);
    return table.width;
}

static const char contexts_text[] = "For each process the kernel keeps a context: the saved CPU registers, "
                                    "and a page table. To run a process the kernel "
                                    "loads the CPU's page-table register with that table, loads the saved "
                                    "registers, and releases the CPU in user mode.";

/* What this step is, or what such a picture means. */
static void draw_explanation(struct drawing *d) {
    const bool has_caption = draw_caption_height(d, WIDTH) != 0;
    pen_paragraph(&d->pen, (struct box){TABLE_X, 300, WIDTH - TABLE_X - 30, 0}, pen_size(&d->pen, 18),
                  d->pen.shades->paper.ink, PEN_LEFT, has_caption ? d->picture->narration : contexts_text);
}

static struct box svg_contexts(struct drawing *d) {
    const struct picture *p = d->picture;
    draw_system(d, NARROW);
    int right = WIDTH;
    if (p->process_count) {
        const size_t owner = p->has_register ? p->register_process : p->process_count - 1;
        const int end = TABLE_X + draw_owned_table(d, owner) + 20;
        right = end > right ? end : right;
        draw_explanation(d);
    }
    const int height = right * 9 / 16 > HEIGHT ? right * 9 / 16 : HEIGHT;
    return (struct box){0, 0, right, height};
}

struct box svg_system(struct drawing *d) {
    if (d->picture->kind == PICTURE_CONTEXTS)
        return svg_contexts(d);
    if (d->picture->kind == PICTURE_COMPUTER)
        draw_computer(d, (struct box){140, 180, WIDTH - 280, 340});
    else
        draw_system(d, WIDTH);
    return draw_slide(d);
}
