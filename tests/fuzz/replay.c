/* Gives a fuzz target its corpus, with any compiler: the ordinary tests' share of fuzzing.
 *
 *     replay FOLDER [VARIANTS]    each input of the folder, then so many damaged ones of each
 *     replay FOLDER --write TO    the inputs as libFuzzer wants them: a file of bytes each
 *
 * An input is a file NAME.hex of hexadecimal digits, or NAME.txt, which is taken as it is. In the first,
 * blanks mean nothing, and what stands behind '#' is for people: what it shows, or which mistake it once
 * found. */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "input.h"

enum { INPUT_MAX = 1 << 16, SPARE = 64 };

struct bytes {
    uint8_t at[INPUT_MAX + SPARE];
    size_t length;
};

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name);
    return length > strlen(end) && strcmp(name + length - strlen(end), end) == 0;
}

static void skip_comment(FILE *stream) {
    for (int c; (c = getc(stream)) != EOF && c != '\n';)
        ;
}

static bool read_hex(FILE *stream, struct bytes *b) {
    static const char digits[] = "0123456789abcdef";
    size_t half = 0;
    for (int c; (c = getc(stream)) != EOF;) {
        const char *digit = c ? strchr(digits, tolower(c)) : NULL;
        if (c == '#') {
            skip_comment(stream);
        } else if (digit && b->length < INPUT_MAX) {
            b->at[b->length] = (uint8_t)(b->at[b->length] << 4 | (digit - digits));
            b->length += half++ & 1;
        } else if (!isspace(c)) {
            return false;
        }
    }
    return half % 2 == 0;
}

static bool read_input(const char *path, struct bytes *b) {
    FILE *stream = fopen(path, "rb");
    bool good = stream != NULL;
    memset(b, 0, sizeof *b);
    if (good && ends_with(path, ".hex"))
        good = read_hex(stream, b);
    else if (good)
        b->length = fread(b->at, 1, INPUT_MAX, stream);
    if (stream)
        fclose(stream);
    return good;
}

/* From a buffer of just that size, so that a sanitizer sees a read beyond it. */
static void feed(const struct bytes *b) {
    uint8_t *exact = malloc(b->length + !b->length);
    if (!exact)
        abort();
    memcpy(exact, b->at, b->length);
    LLVMFuzzerTestOneInput(exact, b->length);
    free(exact);
}

static void damage(struct rng *rng, struct bytes *b) {
    static const uint8_t interesting[] = {0, 1, 2, 0x10, 0x7f, 0x80, 0xf0, 0xff};
    for (uint64_t i = 1 + rng_below(rng, 4); i > 0; i--) {
        size_t at = rng_below(rng, b->length + 1);
        switch (rng_below(rng, 4)) {
        case 0: b->at[at] = (uint8_t)rng_below(rng, 256); break;
        case 1: b->at[at] = interesting[rng_below(rng, sizeof interesting)]; break;
        case 2: b->length = at; break; /* cut off */
        case 3:                        /* a part of it once more, somewhere else */
            memmove(b->at + at, b->at + rng_below(rng, b->length + 1), rng_below(rng, SPARE));
            break;
        }
    }
}

static bool write_input(const struct bytes *b, const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.input", folder, name);
    FILE *stream = fopen(path, "wb");
    bool good = stream && fwrite(b->at, 1, b->length, stream) == b->length;
    return stream && fclose(stream) == 0 && good;
}

static bool use_input(const char *folder, const char *name, int argc, char **argv) {
    static struct bytes original, damaged;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!read_input(path, &original)) {
        fprintf(stderr, "%s is no input\n", path);
        return false;
    }
    if (argc == 4)
        return write_input(&original, argv[3], name);
    struct rng rng = {original.length + 1};
    feed(&original);
    for (unsigned long i = argc == 3 ? strtoul(argv[2], NULL, 10) : 0; i > 0; i--) {
        damaged = original;
        damage(&rng, &damaged);
        feed(&damaged);
    }
    return true;
}

int main(int argc, char **argv) {
    struct dirent **entries;
    int used = 0, count = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    bool good = count >= 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (ends_with(name, ".hex") || ends_with(name, ".txt")) {
            good &= use_input(argv[1], name, argc, argv);
            used++;
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("%d inputs\n", used);
    return good && used ? 0 : 1;
}
