/* See reader.h. The places of all blocks are in memory, and one unpacked block of events. */
#include "trace/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/array.h"
#include "base/base.h"
#include "trace/block.h"

/* No block may claim to be larger than this when it is unpacked, nor that zstd made it smaller than it can:
 * its best is 128 KiB in 4 bytes. */
#define BLOCK_LIMIT (1ULL << 32)
#define BLOCK_RATIO (1ULL << 15)

struct trace_reader {
    struct trace_source source;
    int descriptor; /* -1: the source is somebody else's */
    struct trace_header *header;
    struct block_place *places; /* of events and checkpoints, as in the file */
    size_t place_count, place_capacity;
    struct block_totals totals;
    bool complete;
    uint64_t next; /* sequence of the event that comes next */
    ZSTD_DCtx *unpacker;
    void *packed;
    size_t packed_capacity;
    struct event *events;      /* BLOCK_EVENTS of them */
    struct block_place loaded; /* the block that is in `events`; its count is 0: none */
};

/* ---- blocks ---- */

static int read_at(struct trace_reader *r, uint64_t offset, void *bytes, size_t length) {
    if (offset > r->source.size || length > r->source.size - offset)
        return -ENODATA;
    return r->source.read(r->source.context, offset, bytes, length);
}

/* What a head at `offset` says, if it can be true of a file of this size. 0, -EBADMSG, -ENODATA, … */
static int read_place(struct trace_reader *r, uint64_t offset, struct block_place *ret_place) {
    struct block_head head;
    int error = read_at(r, offset, &head, sizeof head);
    if (error)
        return error;
    if (head.skippable.magic != SKIPPABLE_HEAD || head.skippable.size != sizeof head - sizeof head.skippable)
        return -EBADMSG;
    if (head.packed > r->source.size - offset - sizeof head)
        return -ENODATA;
    if (head.size > BLOCK_LIMIT || head.size / BLOCK_RATIO > head.packed)
        return -EBADMSG;
    *ret_place = (struct block_place){offset, head.kind, head.first, head.count, head.size, head.packed};
    return 0;
}

/* Whether a block can be the next after the places noted, and not too large to be one. */
static bool place_fits(const struct trace_reader *r, const struct block_place *p) {
    uint64_t size = r->source.size;
    if (p->offset > size || size - p->offset < sizeof(struct block_head) ||
        p->packed > size - p->offset - sizeof(struct block_head) || p->size > BLOCK_LIMIT ||
        p->size / BLOCK_RATIO > p->packed)
        return false;
    if (p->kind == BLOCK_CHECKPOINT)
        return p->first == r->totals.events;
    return p->kind == BLOCK_OF_EVENTS && p->count && p->count <= BLOCK_EVENTS &&
           p->size == p->count * sizeof(struct event) && p->first == r->totals.events + 1;
}

/* Notes the place of a block that fits. */
static int note_place(struct trace_reader *r, const struct block_place *place) {
    if (array_reserve(&r->places, &r->place_capacity, r->place_count + 1, sizeof *r->places))
        return -ENOMEM;
    r->places[r->place_count++] = *place;
    r->totals.events += place->count;
    return 0;
}

/* Unpacks a block into `to`, which has place->size bytes. */
static int unpack(struct trace_reader *r, const struct block_place *place, void *to) {
    if (place->packed > r->packed_capacity) {
        void *packed = malloc(place->packed);
        if (!packed)
            return -ENOMEM;
        free(r->packed);
        r->packed = packed;
        r->packed_capacity = place->packed;
    }
    int error = read_at(r, place->offset + sizeof(struct block_head), r->packed, place->packed);
    if (error)
        return error;
    size_t size = ZSTD_decompressDCtx(r->unpacker, to, place->size, r->packed, place->packed);
    return ZSTD_isError(size) || size != place->size ? -EBADMSG : 0;
}

/* Unpacks a block into memory of its own. */
static int unpack_new(struct trace_reader *r, const struct block_place *place, void **ret_bytes) {
    void *bytes = malloc(place->size + 1);
    if (!bytes)
        return -ENOMEM;
    int error = unpack(r, place, bytes);
    if (error)
        free(bytes);
    else
        *ret_bytes = bytes;
    return error;
}

/* ---- opening ---- */

/* A file that does not begin as a native trace does. */
static int refuse_opening(const struct trace_reader *r, const void *bytes, size_t length) {
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const char header[] = "{\"thimble_trace\":";
    bool packed = length >= sizeof zstd && memcmp(bytes, zstd, sizeof zstd) == 0;
    bool plain = length >= sizeof header - 1 && memcmp(bytes, header, sizeof header - 1) == 0;
    return !r->source.size ? -ENODATA : packed || plain ? -ENOTSUP : -EBADMSG;
}

/* The header; *ret_end is where the blocks after it begin. */
static int read_header(struct trace_reader *r, uint64_t *ret_end) {
    struct block_opening opening, ours = block_opening();
    struct block_place place;
    void *json;
    size_t length = (size_t)min_u64(r->source.size, sizeof opening);
    int error = read_at(r, 0, &opening, length);
    if (error)
        return error == -ENODATA ? -EBADMSG : error;
    if (length < sizeof opening || memcmp(opening.magic, ours.magic, sizeof ours.magic) != 0)
        return refuse_opening(r, &opening, length);
    if (opening.version != ours.version || opening.byte_order != ours.byte_order)
        return -EPROTO;
    error = read_place(r, sizeof opening, &place);
    if (!error && place.kind != BLOCK_HEADER)
        error = -EBADMSG;
    if (!error)
        error = unpack_new(r, &place, &json);
    if (error)
        return error == -ENODATA ? -EBADMSG : error;
    error = trace_header_parse(json, place.size, &r->header);
    free(json);
    *ret_end = place.offset + sizeof(struct block_head) + place.packed;
    return error;
}

/* Notes places that continue those noted. -EBADMSG: one cannot be true of this file. */
static int note_places(struct trace_reader *r, const struct block_place *places, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (places[i].kind == BLOCK_HEADER)
            continue;
        int error = place_fits(r, &places[i]) ? note_place(r, &places[i]) : -EBADMSG;
        if (error)
            return error;
    }
    return 0;
}

int trace_reader_extend(struct trace_reader *r, uint64_t size, const struct block_place *places,
                        size_t count) {
    r->source.size = size;
    return note_places(r, places, count);
}

/* Takes the places from an unpacked index. -EBADMSG: it cannot be true of this file. */
static int take_index(struct trace_reader *r, const void *bytes, size_t size) {
    const struct block_place *places = bytes;
    struct block_totals totals;
    if (size < sizeof totals || (size - sizeof totals) % sizeof *places)
        return -EBADMSG;
    size_t count = (size - sizeof totals) / sizeof *places;
    memcpy(&totals, places + count, sizeof totals);
    int error = note_places(r, places, count);
    if (error)
        return error;
    if (totals.events != r->totals.events)
        return -EBADMSG;
    r->totals = totals;
    r->complete = true;
    return 0;
}

static int read_index(struct trace_reader *r) {
    struct block_closing closing, ours = block_closing(0);
    struct block_place place;
    void *bytes;
    if (r->source.size < sizeof closing)
        return -ENODATA;
    int error = read_at(r, r->source.size - sizeof closing, &closing, sizeof closing);
    if (!error && (closing.skippable.magic != ours.skippable.magic ||
                   memcmp(closing.magic, ours.magic, sizeof ours.magic) != 0))
        error = -EBADMSG;
    if (!error)
        error = read_place(r, closing.index, &place);
    if (!error && place.kind != BLOCK_INDEX)
        error = -EBADMSG;
    if (!error)
        error = unpack_new(r, &place, &bytes);
    if (error)
        return error;
    error = take_index(r, bytes, place.size);
    free(bytes);
    return error;
}

/* Finds the blocks of a file without a good index, up to the first that is not whole. */
static int walk_blocks(struct trace_reader *r, uint64_t offset) {
    struct block_place place;
    r->place_count = 0;
    r->totals = (struct block_totals){0};
    while (read_place(r, offset, &place) == 0 && place_fits(r, &place)) {
        int error = note_place(r, &place);
        if (error)
            return error;
        offset += sizeof(struct block_head) + place.packed;
    }
    return 0;
}

int trace_reader_create(const struct trace_source *source, struct trace_reader **ret_reader) {
    uint64_t blocks = 0;
    struct trace_reader *r = calloc(1, sizeof *r);
    if (!r)
        return -ENOMEM;
    r->source = *source;
    r->descriptor = -1;
    r->next = 1;
    r->unpacker = ZSTD_createDCtx();
    r->events = malloc(BLOCK_EVENTS * sizeof *r->events);
    int error = r->unpacker && r->events ? read_header(r, &blocks) : -ENOMEM;
    if (!error) {
        error = read_index(r);
        if (error && error != -ENOMEM)
            error = walk_blocks(r, blocks);
    }
    if (error) {
        trace_reader_destroy(r);
        return error;
    }
    *ret_reader = r;
    return 0;
}

int trace_read_descriptor(int descriptor, uint64_t offset, void *bytes, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(descriptor, (char *)bytes + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -ENODATA;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int read_descriptor(void *context, uint64_t offset, void *bytes, size_t length) {
    return trace_read_descriptor((int)(intptr_t)context, offset, bytes, length);
}

int trace_reader_open(const char *path, struct trace_reader **ret_reader) {
    struct stat status;
    struct trace_reader *r;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is refused, not waited for */
    if (descriptor < 0)
        return -errno;
    int error = fstat(descriptor, &status) ? -errno
                : S_ISDIR(status.st_mode)  ? -EISDIR
                : !S_ISREG(status.st_mode) ? -ESPIPE
                                           : 0;
    if (!error) {
        struct trace_source source = {read_descriptor, (void *)(intptr_t)descriptor,
                                      (uint64_t)status.st_size};
        error = trace_reader_create(&source, &r);
    }
    if (error) {
        close(descriptor);
        return error;
    }
    r->descriptor = descriptor;
    *ret_reader = r;
    return 0;
}

void trace_reader_destroy(struct trace_reader *r) {
    if (!r)
        return;
    if (r->descriptor >= 0)
        close(r->descriptor);
    ZSTD_freeDCtx(r->unpacker);
    free(r->header);
    free(r->places);
    free(r->packed);
    free(r->events);
    free(r);
}

/* ---- what there is ---- */

const struct trace_header *trace_reader_header(const struct trace_reader *r) {
    return r->header;
}

uint64_t trace_reader_events(const struct trace_reader *r) {
    return r->totals.events;
}

bool trace_reader_is_complete(const struct trace_reader *r) {
    return r->complete;
}

bool trace_reader_limits_of_determinism(const struct trace_reader *r) {
    return r->totals.limits_of_determinism != 0;
}

/* ---- events ---- */

/* The last block that begins at or before event n: of events (covers n) or a checkpoint (state after n or
 * earlier). NULL: none. */
static const struct block_place *find_place(const struct trace_reader *r, enum block_kind kind, uint64_t n) {
    size_t low = 0, high = r->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->places[middle].first <= n)
            low = middle + 1;
        else
            high = middle;
    }
    while (low && r->places[low - 1].kind != kind)
        low--;
    return low ? &r->places[low - 1] : NULL;
}

static int load_events(struct trace_reader *r, uint64_t n) {
    if (n >= r->loaded.first && n - r->loaded.first < r->loaded.count)
        return 0;
    const struct block_place *place = find_place(r, BLOCK_OF_EVENTS, n);
    r->loaded = (struct block_place){0};
    int error = place ? unpack(r, place, r->events) : -EBADMSG;
    if (!error)
        r->loaded = *place;
    return error;
}

int trace_reader_read(struct trace_reader *r, uint64_t n, struct event *events, size_t count,
                      size_t *ret_count) {
    if (!n || n > r->totals.events)
        return -EINVAL;
    int error = load_events(r, n);
    if (error)
        return error;
    uint64_t at = n - r->loaded.first;
    count = (size_t)min_u64(count, r->loaded.count - at);
    for (size_t i = 0; i < count; i++)
        if (r->events[at + i].sequence != n + i)
            return -EBADMSG;
    memcpy(events, r->events + at, count * sizeof *events);
    *ret_count = count;
    return 0;
}

void trace_reader_seek(struct trace_reader *r, uint64_t n) {
    r->next = n ? n : 1;
}

int trace_reader_next(struct trace_reader *r, struct event *ret_event) {
    if (r->next > r->totals.events)
        return 0;
    size_t count;
    int error = trace_reader_read(r, r->next, ret_event, 1, &count);
    if (error)
        return error;
    r->next++;
    return 1;
}

/* ---- states ---- */

int trace_reader_checkpoint(struct trace_reader *r, uint64_t n, uint64_t after, struct fold **ret_fold) {
    const struct block_place *place = find_place(r, BLOCK_CHECKPOINT, n);
    void *bytes;
    int error = place && place->first > after ? unpack_new(r, place, &bytes) : -ENOENT;
    if (error)
        return error;
    error = fold_load(bytes, place->size, NULL, ret_fold);
    free(bytes);
    if (!error && (*ret_fold)->sequence != place->first) {
        fold_destroy(*ret_fold);
        error = -EBADMSG;
    }
    return error;
}

/* Without a checkpoint that can be used (none yet, damaged, of another version) all events are replayed. */
static int state_before(struct trace_reader *r, uint64_t n, struct fold **ret_fold) {
    int error = trace_reader_checkpoint(r, n, 0, ret_fold);
    if (!error || error == -ENOMEM)
        return error;
    *ret_fold = fold_create(NULL);
    return *ret_fold ? 0 : -ENOMEM;
}

int trace_reader_state(struct trace_reader *r, uint64_t n, struct fold **ret_fold) {
    struct fold *f;
    struct event e;
    if (n > r->totals.events)
        return -EINVAL;
    int error = state_before(r, n, &f);
    if (error)
        return error;
    trace_reader_seek(r, f->sequence + 1);
    while (!error && f->sequence < n) {
        error = trace_reader_next(r, &e);
        error = error < 0 ? error : fold_apply(f, &e);
    }
    if (error)
        fold_destroy(f);
    else
        *ret_fold = f;
    return error;
}
