/* `thimble run`: one program on one machine, from the command line to the exit status. */
#ifndef UI_RUN_H
#define UI_RUN_H

/* argv[0] is the prefix of messages, the rest stands behind `thimble run`. Returns the exit status. */
int run_command(int argc, char **argv, char **envp);

#endif
