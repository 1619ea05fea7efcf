/* Names for keys, when the run is over: symbols, source lines; and tables of what has the same name. */
#ifndef PLACE_NAMING_H
#define PLACE_NAMING_H

#include "place/counts.h"
#include "place/locate.h"
#include "place/stacks.h"
#include "place/texts.h"

struct naming {
    const struct dw *dw;
    const struct locator *locator;
    const struct texts *names;
    const struct stacks *stacks;
    bool lines; /* source lines where there are any, not only functions */
};

/* The rows and pairs of a table, whose other fields stay. 0 or -ENOMEM: then the table is to be freed. */
int naming_table(const struct naming *, const struct counts *, struct place_table *table);

#endif
