/* Running a machine file on behalf of `thimble scenario`. */
#ifndef UI_SCENARIO_H
#define UI_SCENARIO_H

#include "scenario/machine_file.h"

/* Runs the programs once for every machine of the series and prints a line for each. An exit status. */
int scenario_run_series(struct machine_file *);
/* Runs them once; what they print goes nowhere. `trace_path`: where the events go, NULL: nowhere. `config` is
 * the file's, or a variation of it. 0, or an exit status: what went wrong was said. */
int scenario_run_quietly(struct machine_file *, const struct machine_config *config, const char *trace_path,
                         struct machine_summary *ret_summary);

#endif
