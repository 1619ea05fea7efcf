/* Random operations on a file that is mapped, read, written and truncated at once, by two processes, checked
 * against a model that both share. Two descriptors, some shared mappings and some private ones; what goes in
 * by one way must come out by all the others. Usage: random-files SEED STEPS
 *
 * The model and the turn lie in shared anonymous memory; parent and child take turns of some steps each. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { PAGES = 48, SIZE = PAGES * 4096, MAPPINGS = 6, TURNS = 12 };

struct model {
    unsigned char bytes[SIZE];
    size_t size; /* of the file now; the bytes behind it are zeros */
    uint64_t state;
};

struct mapping {
    unsigned char *at; /* NULL: none */
    size_t page, pages;
    int shared, writable;
    unsigned char *private_bytes; /* what a private mapping holds where it was written, NULL if shared */
    unsigned char written[PAGES]; /* pages of it that are private by now */
};

static struct model *model;
static struct mapping mappings[MAPPINGS];
static int fds[2];
static const char name[] = "random.dat";

static size_t draw(size_t below) {
    return (size_t)((next_random(&model->state) >> 16) % below);
}

static void mapping_make(struct mapping *m) {
    m->page = draw(PAGES);
    m->pages = 1 + draw(PAGES - m->page);
    m->shared = draw(3) != 0;
    m->writable = draw(4) != 0;
    int access = m->writable ? PROT_READ | PROT_WRITE : PROT_READ;
    m->at = mmap(NULL, m->pages * PAGE, access, m->shared ? MAP_SHARED : MAP_PRIVATE, fds[draw(2)],
                 (off_t)(m->page * PAGE));
    CHECK(m->at != MAP_FAILED);
    m->private_bytes = m->shared ? NULL : malloc(m->pages * PAGE);
    memset(m->written, 0, sizeof m->written);
}

static void mapping_drop(struct mapping *m) {
    CHECK(munmap(m->at, m->pages * PAGE) == 0);
    free(m->private_bytes);
    m->at = NULL;
}

/* A range of bytes of the mapping that lies in pages that the file has. 0: there is none. */
static size_t range_draw(const struct mapping *m, size_t *offset) {
    size_t first = m->page * PAGE, last = (model->size + PAGE - 1) / PAGE * PAGE;
    if (last > first + m->pages * PAGE)
        last = first + m->pages * PAGE;
    if (last <= first)
        return 0;
    *offset = draw(last - first);
    size_t length = 1 + draw(9000);
    return length < last - first - *offset ? length : last - first - *offset;
}

/* What the mapping must show at a byte of it. */
static unsigned char mapping_expected(const struct mapping *m, size_t offset) {
    if (!m->shared && m->written[offset / PAGE])
        return m->private_bytes[offset];
    return model->bytes[m->page * PAGE + offset];
}

static void mapping_verify(const struct mapping *m) {
    size_t offset, length = range_draw(m, &offset);
    for (size_t i = offset; i < offset + length; i++)
        CHECK(m->at[i] == mapping_expected(m, i));
}

/* A private page is the file's content at its first write; this program is the only one that writes then. */
static void private_begin(struct mapping *m, size_t page) {
    if (m->written[page])
        return;
    memcpy(m->private_bytes + page * PAGE, model->bytes + (m->page + page) * PAGE, PAGE);
    m->written[page] = 1;
}

static void mapping_write(struct mapping *m) {
    size_t offset, length = range_draw(m, &offset);
    if (!m->writable)
        return;
    for (size_t i = offset; i < offset + length; i++) {
        unsigned char byte = (unsigned char)next_random(&model->state);
        size_t in_file = m->page * PAGE + i;
        if (m->shared && in_file >= model->size)
            break; /* it would go nowhere, but be seen until the page leaves memory */
        if (m->shared) {
            model->bytes[in_file] = byte;
        } else {
            private_begin(m, i / PAGE);
            m->private_bytes[i] = byte;
        }
        m->at[i] = byte;
    }
}

static void file_read(void) {
    static unsigned char buffer[20000];
    size_t offset = draw(SIZE), length = 1 + draw(sizeof buffer);
    ssize_t got = pread(fds[draw(2)], buffer, length, (off_t)offset);
    size_t expected = offset >= model->size ? 0 : model->size - offset;
    CHECK(got == (ssize_t)(expected < length ? expected : length));
    CHECK(memcmp(buffer, model->bytes + offset, (size_t)got) == 0);
}

static void file_write(void) {
    static unsigned char buffer[20000];
    size_t offset = draw(SIZE), length = 1 + draw(sizeof buffer);
    if (length > SIZE - offset)
        length = SIZE - offset;
    for (size_t i = 0; i < length; i++)
        buffer[i] = (unsigned char)next_random(&model->state);
    CHECK(pwrite(fds[draw(2)], buffer, length, (off_t)offset) == (ssize_t)length);
    memcpy(model->bytes + offset, buffer, length);
    if (offset + length > model->size)
        model->size = offset + length;
}

/* Private pages behind the new end are gone too, as Linux has it; so drop mappings that have some. */
static void file_truncate(void) {
    size_t size = draw(4) ? model->size / 2 + draw(SIZE / 2) : draw(SIZE);
    if (size < model->size) {
        for (size_t i = 0; i < MAPPINGS; i++)
            if (mappings[i].at && !mappings[i].shared)
                mapping_drop(&mappings[i]);
        memset(model->bytes + size, 0, SIZE - size);
    }
    CHECK(ftruncate(fds[draw(2)], (off_t)size) == 0);
    model->size = size;
    struct stat info;
    CHECK(fstat(fds[0], &info) == 0 && (size_t)info.st_size == size);
}

static void step(void) {
    struct mapping *m = &mappings[draw(MAPPINGS)];
    size_t kind = draw(100);
    if (!m->at)
        mapping_make(m);
    if (kind < 6)
        mapping_drop(m);
    else if (kind < 40)
        mapping_write(m);
    else if (kind < 70)
        mapping_verify(m);
    else if (kind < 80)
        file_read();
    else if (kind < 92)
        file_write();
    else if (kind < 95 && m->shared)
        CHECK(msync(m->at, m->pages * PAGE, draw(2) ? MS_SYNC : MS_ASYNC) == 0);
    else if (kind < 97 && m->shared)
        CHECK(madvise(m->at, m->pages * PAGE, MADV_DONTNEED) == 0);
    else if (kind == 99)
        file_truncate();
}

/* A private mapping shows the file's later changes in pages that it has not written; but Linux leaves that
 * open once another process truncates. So each turn begins without private mappings. */
static void turn(unsigned long steps) {
    for (size_t i = 0; i < MAPPINGS; i++)
        if (mappings[i].at && !mappings[i].shared)
            mapping_drop(&mappings[i]);
    for (unsigned long i = 0; i < steps; i++)
        step();
    for (size_t i = 0; i < MAPPINGS; i++)
        if (mappings[i].at)
            mapping_verify(&mappings[i]);
}

static void take_turns(int from, int to, unsigned long steps) {
    char token;
    for (int i = 0; i < TURNS; i++) {
        CHECK(read(from, &token, 1) == 1);
        turn(steps / TURNS / 2);
        CHECK(write(to, "t", 1) == 1);
    }
}

int main(int argc, char **argv) {
    CHECK(argc == 3);
    unsigned long steps = strtoul(argv[2], NULL, 10);
    model = mmap(NULL, sizeof *model, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(model != MAP_FAILED);
    model->state = strtoul(argv[1], NULL, 10) * 2654435761u + 1;
    fds[0] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    fds[1] = open(name, O_RDWR);
    int there[2], back[2];
    CHECK(fds[0] >= 0 && fds[1] >= 0 && pipe(there) == 0 && pipe(back) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        take_turns(there[0], back[1], steps);
        _exit(0);
    }
    CHECK(write(back[1], "t", 1) == 1);
    take_turns(back[0], there[1], steps);
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    uint64_t hash = model->size;
    for (size_t i = 0; i < model->size; i++)
        hash = hash * 31 + model->bytes[i];
    printf("seed %s, %lu steps: %016llx\n", argv[1], steps, (unsigned long long)hash);
    return 0;
}
