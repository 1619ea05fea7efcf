/* An SVG document as a PNG, by librsvg and cairo.
 *
 * The library is loaded when it is needed: with what it needs in turn it is some fifty shared objects, and to
 * load them would cost every `thimble run` more than most programs that it runs. */
#include <cairo.h>
#include <dlfcn.h>
#include <errno.h>
#include <librsvg/rsvg.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "ui/export.h"

enum { PIXELS_MOST = 32767 /* a side of a cairo image */, WIDTH_DEFAULT = 1600 };

/* What is used of librsvg, cairo and glib. */
struct renderer {
    void *library;
    __typeof__(rsvg_handle_new_from_data) *handle_new;
    __typeof__(rsvg_handle_get_intrinsic_size_in_pixels) *handle_size;
    __typeof__(rsvg_handle_render_document) *handle_render;
    __typeof__(g_object_unref) *unref;
    __typeof__(cairo_image_surface_create) *surface_create;
    __typeof__(cairo_surface_status) *surface_status;
    __typeof__(cairo_surface_write_to_png_stream) *surface_write;
    __typeof__(cairo_surface_destroy) *surface_destroy;
    __typeof__(cairo_create) *context_create;
    __typeof__(cairo_destroy) *context_destroy;
};

static int renderer_load(struct renderer *r) {
    const struct {
        const char *name;
        void *function;
    } wanted[] = {
        {"rsvg_handle_new_from_data", &r->handle_new},
        {"rsvg_handle_get_intrinsic_size_in_pixels", &r->handle_size},
        {"rsvg_handle_render_document", &r->handle_render},
        {"g_object_unref", &r->unref},
        {"cairo_image_surface_create", &r->surface_create},
        {"cairo_surface_status", &r->surface_status},
        {"cairo_surface_write_to_png_stream", &r->surface_write},
        {"cairo_surface_destroy", &r->surface_destroy},
        {"cairo_create", &r->context_create},
        {"cairo_destroy", &r->context_destroy},
    };
    r->library = dlopen("librsvg-2.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!r->library)
        return -ENOSYS;
    for (size_t i = 0; i < ARRAY_LENGTH(wanted); i++) {
        void *symbol = dlsym(r->library, wanted[i].name);
        if (!symbol)
            return -ENOSYS;
        memcpy(wanted[i].function, &symbol, sizeof symbol); /* a pointer to a function, as POSIX has it */
    }
    return 0;
}

static cairo_status_t take_bytes(void *context, const unsigned char *bytes, unsigned length) {
    struct text *t = context;
    text_bytes(t, bytes, length);
    return t->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static int draw_surface(const struct renderer *r, RsvgHandle *handle, int width, int height, struct text *t) {
    cairo_surface_t *surface = r->surface_create(CAIRO_FORMAT_ARGB32, width, height);
    const RsvgRectangle viewport = {0, 0, width, height};
    int error = 0;
    if (r->surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        error = -ENOMEM;
    } else {
        cairo_t *context = r->context_create(surface);
        if (!r->handle_render(handle, context, &viewport, NULL))
            error = -EIO;
        r->context_destroy(context);
    }
    if (!error && r->surface_write(surface, take_bytes, t) != CAIRO_STATUS_SUCCESS)
        error = t->failed ? -ENOMEM : -EIO;
    r->surface_destroy(surface);
    return error;
}

static int draw_document(const struct renderer *r, const struct text *svg, unsigned width, struct text *t) {
    RsvgHandle *handle = r->handle_new((const unsigned char *)svg->bytes, svg->length, NULL);
    double wide, high;
    int error = -EIO;
    if (!handle)
        return -EIO;
    if (r->handle_size(handle, &wide, &high) && wide > 0 && high > 0) {
        const double scale = (width ? (double)width : fmax(wide, WIDTH_DEFAULT)) / wide;
        const double across = round(wide * scale), down = round(high * scale);
        error = across > PIXELS_MOST || down > PIXELS_MOST
                    ? -E2BIG
                    : draw_surface(r, handle, (int)fmax(across, 1), (int)fmax(down, 1), t);
    }
    r->unref(handle);
    return error;
}

int png_render(const struct text *svg, unsigned width, struct text *t) {
    struct renderer renderer = {0};
    int error = renderer_load(&renderer);
    if (!error)
        error = draw_document(&renderer, svg, width, t);
    return error; /* the library stays: glib cannot be unloaded */
}
