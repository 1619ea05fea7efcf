/* What Thimble does when it crashes itself: the events that led to it are worth most then. */
#ifndef UI_CRASH_H
#define UI_CRASH_H

struct trace_file;

/* From now a crash of this process first writes to the trace what has been collected for it, and says so.
 * NULL: no longer. The file must live until then. */
void crash_rescues(struct trace_file *);

#endif
