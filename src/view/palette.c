/* See palette.h. Okabe and Ito, "Color Universal Design" (2008); the lecture's slides; none. */
#include "view/palette.h"

#include <string.h>

#define WHITE "#ffffff"
#define BLACK "#000000"

static const struct palette_shades palettes[PALETTES] =
    {
        [PALETTE_OKABE_ITO] =
            {
                .files = {{"#0072b2", WHITE},
                          {"#b84a00", WHITE}, /* vermilion, a little darker: white is readable on it */
                          {"#e69f00", BLACK},
                          {"#009e73", BLACK},
                          {"#f0e442", BLACK},
                          {"#56b4e9", BLACK},
                          {"#3d3d3d", WHITE},
                          {"#a9d18e", BLACK}},
                .anonymous = {"#d79abf", BLACK},
                .system = {"#c9d3dc", BLACK},
                .table = {"#8fa3b5", BLACK},
                .free = {"#f4f8fb", BLACK},
                .area = {"#e8f1e2", BLACK},
                .disk = {"#f7f5f2", BLACK},
                .cpu = {"#cfe4f3", BLACK},
                .paper = {WHITE, BLACK},
                .line = "#1a1a1a",
                .hatch = "#8a8a8a",
                .ring = "#d00000",
                .faint = "#595959",
            },
        [PALETTE_LECTURE] =
            {
                .files = {{"#0000e6", WHITE},
                          {"#e01b10", WHITE},
                          {"#f58025", BLACK},
                          {"#5500c4", WHITE},
                          {"#666619", WHITE},
                          {"#00695c", WHITE},
                          {"#7b3f00", WHITE},
                          {"#455a64", WHITE}},
                .anonymous = {"#b8a9d0", BLACK},
                .system = {"#4fa3dc", BLACK},
                .table = {"#86bfe6", BLACK},
                .free = {"#4fa3dc", BLACK},
                .area = {"#c2dfae", BLACK},
                .disk = {WHITE, BLACK},
                .cpu = {"#4fa3dc", BLACK},
                .paper = {WHITE, BLACK},
                .line = BLACK,
                .hatch = "#6e6e6e",
                .ring = "#c81e1e",
                .faint = "#4d4d4d",
            },
        [PALETTE_MONO] =
            {
                .files = {{WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK},
                          {WHITE, BLACK}},
                .anonymous = {"#d0d0d0", BLACK},
                .system = {"#f0f0f0", BLACK},
                .table = {"#e0e0e0", BLACK},
                .free = {WHITE, BLACK},
                .area = {WHITE, BLACK},
                .disk = {WHITE, BLACK},
                .cpu = {WHITE, BLACK},
                .paper = {WHITE, BLACK},
                .line = BLACK,
                .hatch = "#909090",
                .ring = BLACK,
                .faint = "#404040",
                .hatched_files = true,
            },
};

const struct palette_shades *palette_shades(enum palette palette) {
    return &palettes[palette < PALETTES ? palette : PALETTE_OKABE_ITO];
}

static const char *const names[PALETTES] = {"okabe-ito", "lecture", "mono"};

const char *palette_name(enum palette palette) {
    return palette < PALETTES ? names[palette] : "";
}

enum palette palette_parse(const char *name) {
    for (int i = 0; i < PALETTES; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum palette)i;
    return PALETTES;
}
