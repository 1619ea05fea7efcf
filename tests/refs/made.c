#include "made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/rng.h"
#include "hw/types.h"
#include "policy/policy.h"

static const char *const arguments[] = {"sort", "-o", "a b\xff", ""};
const struct refs_header made_header = {
    .thimble = "0.1.0",
    .cpu = "x86-64-v3",
    .arguments = arguments,
    .argument_count = ARRAY_LENGTH(arguments),
    .seed = 42,
    .page_size = PAGE_SIZE,
    .deterministic = true,
    .reduced_to = 3,
};
const char *const made_conditions[] = {"sysinfo", "/proc/meminfo", NULL};

const char *made_object_name(uint32_t object) {
    static const char *const names[] = {"/bin/sort", "[shared memory]", "", "/tmp/a\nb"};
    return names[object % ARRAY_LENGTH(names)];
}

/* Room for one more: twice as much whenever `count` comes to a power of two. */
static void *room_for_one(void *array, size_t count, size_t size) {
    return count & (count - 1) ? array : reallocarray(array, count ? 2 * count : 1, size);
}

static void add_page(struct made *m, struct rng *rng) {
    const bool file = m->objects && rng_below(rng, 2);
    m->pages = room_for_one(m->pages, m->page_count, sizeof *m->pages);
    m->pages[m->page_count++] = (struct refs_page){
        .name = rng_next(rng),
        .vpn = rng_below(rng, 1ULL << 35),
        .index = file ? rng_below(rng, 1000) : 0,
        .object = file ? 1 + (uint32_t)rng_below(rng, m->objects) : 0,
        .space = (uint16_t)rng_below(rng, 3),
        .flags = REFS_PAGE_KNOWN | (file ? REFS_PAGE_FILE : REFS_PAGE_HEAP),
    };
}

static void add_mark(struct made *m, struct rng *rng, uint64_t instruction) {
    static const char *const texts[] = {"", "/bin/sh", "heap of things", ""};
    m->marks = room_for_one(m->marks, m->mark_count, sizeof *m->marks);
    m->marks[m->mark_count++] = (struct refs_mark){
        .instruction = instruction,
        .a = rng_next(rng),
        .b = rng_below(rng, 9),
        .c = rng_below(rng, 9),
        .d = rng_below(rng, 9),
        .text = texts[rng_below(rng, ARRAY_LENGTH(texts))],
        .space = (uint16_t)rng_below(rng, 3),
        .type = (uint8_t)rng_below(rng, REFS_MARK_TYPES),
        .flags = (uint8_t)rng_below(rng, 256),
    };
}

/* A page that lives: walks, loops, jumps, new ones. */
static uint32_t choose_page(struct made *m, struct rng *rng, const bool *dead, uint32_t last, size_t i) {
    uint32_t page = last;
    switch (rng_below(rng, 8)) {
    case 0: page = (uint32_t)rng_below(rng, m->page_count + 1); break;
    case 1: page = m->page_count; break;
    case 2: page = last + 1; break;
    default: page = (uint32_t)(i % 7); break;
    }
    while (page < m->page_count && dead[page])
        page++;
    if (page >= m->page_count) {
        page = m->page_count;
        add_page(m, rng);
    }
    return page;
}

struct made made_random(uint64_t seed, size_t count) {
    struct rng rng = (struct rng){seed};
    struct made m = {.items = calloc(count, sizeof *m.items), .count = count};
    bool *dead = calloc(count + 2, sizeof *dead);
    uint64_t instruction = 0;
    uint32_t last = 0;
    m.objects = 4;
    for (size_t i = 0; i < count; i++) {
        struct refs_item *item = &m.items[i];
        const uint64_t dice = rng_below(&rng, 200);
        instruction += dice > 190 ? rng_next(&rng) >> rng_below(&rng, 64) : dice % 5;
        *item = (struct refs_item){.instruction = instruction, .space = (uint16_t)(i / 100 % 3)};
        if (dice == 0) {
            item->kind = REFS_MARK;
            item->page = m.mark_count;
            add_mark(&m, &rng, instruction);
            item->space = m.marks[item->page].space;
            continue;
        }
        item->page = last = choose_page(&m, &rng, dead, last, i);
        item->kind = dice < 5 ? (uint8_t)dice : REFS_REFERENCE;
        if (item->kind == REFS_REFERENCE)
            item->flags = (uint8_t[]){ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC}[i % 3];
        else if (item->kind == REFS_DIES)
            item->flags = i % 2 ? POLICY_UNMAPPED : POLICY_EXITED;
        if (item->kind == REFS_DIES)
            dead[item->page] = true;
    }
    free(dead);
    return m;
}

void made_free(struct made *m) {
    free(m->items);
    free(m->pages);
    free(m->marks);
}

char *made_path(void) {
    char *path = strdup("/tmp/thimble-refs-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    return path;
}

void made_remove(char *path) {
    unlink(path);
    free(path);
}

/* Objects at once, pages and marks when they are needed. */
/* Item i and those behind it that can be words: how many these are. */
static size_t write_words(struct refs_writer *w, const struct made *m, size_t i, uint32_t pages) {
    size_t room, count = 0;
    uint64_t *words = refs_writer_room(w, &room);
    for (; count < room && i + count + 1 < m->count; count++) {
        const struct refs_item *item = &m->items[i + count + 1];
        const uint64_t step = item->instruction - item[-1].instruction;
        if (item->kind != REFS_REFERENCE || m->items[i].kind != REFS_REFERENCE || item->page >= pages ||
            item->space != m->items[i].space || step >= UINT16_MAX)
            break;
        words[count] = item->page | step << 32 | (uint64_t)item->flags << 56;
    }
    assert_int_equal(refs_writer_filled(w, &m->items[i], count, m->items[i + count].instruction), 0);
    return count;
}

void made_write(const struct made *m, const char *path) {
    struct refs_writer *w;
    char *message = NULL;
    uint32_t pages = 0, number;
    assert_int_equal(refs_writer_create(path, &made_header, &w, &message), 0);
    for (uint32_t i = 1; i <= m->objects; i++) {
        assert_int_equal(refs_writer_object(w, made_object_name(i), &number), 0);
        assert_int_equal(number, i);
    }
    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i].kind == REFS_MARK) {
            assert_int_equal(refs_writer_mark(w, &m->marks[m->items[i].page]), 0);
            continue;
        }
        for (; pages <= m->items[i].page; pages++) {
            assert_int_equal(refs_writer_page(w, &m->pages[pages], &number), 0);
            assert_int_equal(number, pages);
        }
        if (i % 3) {
            assert_int_equal(refs_writer_add(w, &m->items[i], 1), 0);
            continue;
        }
        i += write_words(w, m, i, pages);
    }
    refs_writer_halves(w, made_halves, MADE_HALVES);
    assert_int_equal(refs_writer_finish(w, MADE_INSTRUCTIONS, MADE_DROPPED, true, made_conditions), 0);
}

static void compare_mark(const struct refs_mark *a, const struct refs_mark *b) {
    assert_true(a->instruction == b->instruction && a->a == b->a && a->b == b->b && a->c == b->c &&
                a->d == b->d && a->space == b->space && a->type == b->type && a->flags == b->flags);
    assert_string_equal(a->text, b->text);
}

size_t made_compare(const struct made *m, struct refs_source *s, int *ret_error) {
    const struct refs_item *items;
    size_t done = 0;
    long got;
    while ((got = refs_next(s, &items)) > 0) {
        assert_true(done + (size_t)got <= m->count);
        assert_memory_equal(items, m->items + done, (size_t)got * sizeof *items);
        for (long i = 0; i < got; i++) {
            if (items[i].kind == REFS_MARK)
                compare_mark(refs_mark(s, items[i].page), &m->marks[items[i].page]);
            else
                assert_memory_equal(refs_page(s, items[i].page), &m->pages[items[i].page],
                                    sizeof(struct refs_page));
        }
        done += (size_t)got;
    }
    *ret_error = (int)got;
    return done;
}

unsigned char *made_bytes(const char *path, size_t *ret_length) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *ret_length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(*ret_length + 1);
    assert_int_equal(fread(bytes, 1, *ret_length, file), *ret_length);
    fclose(file);
    return bytes;
}

void made_put_bytes(const char *path, const void *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}
