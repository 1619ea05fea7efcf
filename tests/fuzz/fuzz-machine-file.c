/* Fuzz target: machine files. Whatever JSON, or no JSON, stands in one: it is a machine, or a message says
 * where it is wrong. */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "json-file.h"
#include "scenario/machine_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct machine_file *file;
    char *message = NULL;
    int error = machine_file_read(json_file(data, size), &file, &message);
    if (error == 0)
        machine_file_destroy(file);
    else if (!message || !*message || strchr(message, '\n'))
        abort();
    free(message);
    return 0;
}
