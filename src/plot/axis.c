/* See axis.h. */
#include "plot/axis.h"

#include <math.h>

/* ---- round numbers ---- */

/* The smallest of 1, 2, 5 times a power of ten, or power of two, that is at least `value`. */
static double round_up(double value, bool binary) {
    if (binary)
        return exp2(ceil(log2(value) - 1e-9));
    const double power = pow(10, floor(log10(value) + 1e-9));
    const double digit = value / power;
    return power * (digit <= 1 + 1e-9 ? 1 : digit <= 2 + 1e-9 ? 2 : digit <= 5 + 1e-9 ? 5 : 10);
}

static size_t linear_ticks(const struct axis *a, unsigned most, bool binary, double *ticks) {
    const double step = round_up((a->high - a->low) / most, binary);
    size_t count = 0;
    for (double n = ceil(a->low / step - 1e-9); n * step <= a->high + step * 1e-9 && count < most; n++)
        ticks[count++] = n == 0 ? 0 : n * step; /* no -0 */
    return count;
}

/* Powers of `base` on the axis, each `stride` of them. */
static size_t power_ticks(const struct axis *a, double base, double stride, unsigned most, double *ticks) {
    const double scale = log(base);
    size_t count = 0;
    for (double n = ceil(log(a->low) / scale / stride - 1e-9) * stride;
         n <= log(a->high) / scale + 1e-9 && count < most; n += stride)
        ticks[count++] = pow(base, n);
    return count;
}

/* 1, 2, 5 of each power of ten. */
static size_t decade_ticks(const struct axis *a, unsigned most, double *ticks) {
    size_t count = 0;
    for (double power = pow(10, floor(log10(a->low))); power <= a->high * (1 + 1e-9); power *= 10)
        for (int i = 0; i < 3; i++) {
            const double value = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
            const bool on = value >= a->low * (1 - 1e-9) && value <= a->high * (1 + 1e-9);
            if (on && count < most)
                ticks[count++] = value;
        }
    return count;
}

static size_t log_ticks(const struct axis *a, unsigned most, bool binary, double *ticks) {
    const double base = binary ? 2 : 10, powers = log(a->high / a->low) / log(base);
    if (!binary && powers * 3 + 1 < most)
        return decade_ticks(a, most, ticks);
    return power_ticks(a, base, fmax(1, ceil(powers / most)), most, ticks);
}

size_t axis_ticks(const struct axis *a, unsigned most, bool binary, double ret_ticks[AXIS_TICKS]) {
    most = most < 2 ? 2 : most > AXIS_TICKS ? AXIS_TICKS : most;
    const size_t count = a->scale == AXIS_LOG ? log_ticks(a, most, binary, ret_ticks) : 0;
    /* Less than an octave or a decade: no powers lie on it. */
    return count >= 2 ? count : linear_ticks(a, most, binary, ret_ticks);
}

/* ---- places ---- */

/* A range that has a length, whatever it was made of. */
static void widen(enum axis_scale scale, double *low, double *high) {
    if (scale == AXIS_LOG) {
        *low = *low > 0 ? *low : *high > 0 ? fmin(1, *high) : 1;
        *high = *high > *low ? *high : *low * 2;
    } else if (*high <= *low) {
        *high = *low + (*low != 0 ? fabs(*low) : 1);
    }
}

struct axis axis_make(enum axis_scale scale, double low, double high, bool round) {
    enum { STEPS = 6 };
    widen(scale, &low, &high);
    if (round && scale == AXIS_LINEAR) {
        const double step = round_up((high - low) / STEPS, false);
        low = floor(low / step + 1e-9) * step;
        high = ceil(high / step - 1e-9) * step;
    } else if (round) {
        const double power = pow(10, floor(log10(low) + 1e-9)), digit = low / power;
        low = power * (digit < 2 ? 1 : digit < 5 ? 2 : 5);
        high = round_up(high, false);
    }
    return (struct axis){.scale = scale, .low = low, .high = high};
}

double axis_place(const struct axis *a, double value) {
    double part;
    if (a->scale == AXIS_LOG)
        part = value > a->low ? log(value / a->low) / log(a->high / a->low) : 0;
    else
        part = (value - a->low) / (a->high - a->low);
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return a->from + part * (a->to - a->from);
}
