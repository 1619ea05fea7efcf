/* Fuzz target: specs for grading. Whatever stands in one, it is a spec, or a message
 * says where it is wrong. */
#include <stdlib.h>
#include <string.h>

#include "grade/spec.h"
#include "input.h"
#include "json-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct spec spec;
    char *message = NULL;
    int error = spec_read(json_file(data, size), &spec, &message);
    if (error == 0) {
        double points = spec_max_points(&spec);
        if (points != points || !spec_memory(&spec))
            abort();
        spec_free(&spec);
    } else if (!message || !*message) {
        abort();
    }
    free(message);
    return 0;
}
