/* Folds the events that it reads from standard input, goes through a checkpoint in the middle, and writes the
 * last one to standard output. It is built for this machine and for WebAssembly: both must say the same. */
#include <stdio.h>
#include <stdlib.h>

#include "trace/fold.h"

static void require(bool condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "fold-bytes: %s\n", what);
        exit(2);
    }
}

static struct fold *through_checkpoint(struct fold *f) {
    struct fold *loaded = NULL;
    void *bytes = NULL;
    size_t size = 0;
    require(!fold_save(f, &bytes, &size) && !fold_load(bytes, size, NULL, &loaded), "no checkpoint");
    free(bytes);
    fold_destroy(f);
    return loaded;
}

int main(void) {
    struct fold *f = fold_create(NULL);
    struct event e;
    void *bytes = NULL;
    size_t size = 0;
    while (fread(&e, sizeof e, 1, stdin)) {
        require(f && !fold_apply(f, &e), "no memory");
        if (e.sequence % 5000 == 0)
            f = through_checkpoint(f);
    }
    require(!f->complaints && !fold_check(f) && !fold_save(f, &bytes, &size), "the state is wrong");
    require(fwrite(bytes, size, 1, stdout) == 1 && !fflush(stdout), "cannot write");
    free(bytes);
    fold_destroy(f);
    return 0;
}
