/* The subcommands, each in a file of its name. argv[0] is the prefix of messages, the rest stands behind the
 * subcommand. Each returns the exit status. */
#ifndef UI_COMMANDS_H
#define UI_COMMANDS_H

int check_command(int argc, char **argv, char **envp);
int compare_command(int argc, char **argv, char **envp);
int curve_command(int argc, char **argv, char **envp);
int doctor_command(int argc, char **argv, char **envp);
int draw_command(int argc, char **argv, char **envp);
int export_command(int argc, char **argv, char **envp);
int heat_command(int argc, char **argv, char **envp);
int html_command(int argc, char **argv, char **envp);
int import_command(int argc, char **argv, char **envp);
int policies_command(int argc, char **argv, char **envp);
int record_command(int argc, char **argv, char **envp);
int run_command(int argc, char **argv, char **envp);
int scenario_command(int argc, char **argv, char **envp);
int size_command(int argc, char **argv, char **envp);
int step_command(int argc, char **argv, char **envp);
int trace_command(int argc, char **argv, char **envp);
int web_command(int argc, char **argv, char **envp);
int where_command(int argc, char **argv, char **envp);

#endif
