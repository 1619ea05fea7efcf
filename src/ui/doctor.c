/* `thimble doctor`: tries what Thimble needs of this computer, one line a capability, and says what to do
 * where something is missing. Nothing is assumed: each is used once, in the way that Thimble uses it.
 *
 * Exit status: 0 when programs can be run, whatever else is missing; 1 when they cannot. */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <langinfo.h>
#include <linux/openat2.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/host_file.h"
#include "base/meminfo.h"
#include "machine/machine.h"
#include "ui/commands.h"
#include "ui/size.h"

enum { DETAIL = 200, MINIMUM_COLUMNS = 80, MINIMUM_ROWS = 24 };
#define DEFAULT_MEMORY (256ULL << 20) /* of thimble run's frames */

/* What a trial found. */
struct finding {
    bool works;
    char detail[DETAIL]; /* what was seen, or what went wrong */
};

static struct finding found(bool works, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct finding found(bool works, const char *format, ...) {
    struct finding f = {.works = works};
    va_list values;
    va_start(values, format);
    vsnprintf(f.detail, sizeof f.detail, format, values);
    va_end(values);
    return f;
}

static struct finding failed(const char *call) {
    return found(false, "%s: %s", call, strerror(errno));
}

/* ---- the machine ---- */

static struct finding try_cpu(void) {
    __builtin_cpu_init();
    bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
              __builtin_cpu_supports("ssse3");
    bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
              __builtin_cpu_supports("fma");
    return found(v2, "%s", v3 ? "x86-64-v3" : v2 ? "x86-64-v2" : "older than x86-64-v2");
}

static struct finding try_v3(void) {
    struct finding f = try_cpu();
    f.works = strcmp(f.detail, "x86-64-v3") == 0;
    return f;
}

static struct finding try_kernel(void) {
    struct utsname name;
    unsigned major = 0, minor = 0;
    if (uname(&name) < 0)
        return failed("uname");
    if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
        return found(false, "Linux %s: its version cannot be read", name.release);
    return found(major > 5 || (major == 5 && minor >= 4), "Linux %s", name.release);
}

static struct finding try_memory(void) {
    char *memory = mmap(NULL, DEFAULT_MEMORY, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return failed("256 MiB for the frames of thimble run");
    munmap(memory, DEFAULT_MEMORY);
    return found(true, "256 MiB for the frames of thimble run");
}

static struct finding try_free_memory(void) {
    char text[SIZE_TEXT];
    const uint64_t available = meminfo_available();
    return found(available >= DEFAULT_MEMORY, "%s available", size_format(available, text));
}

/* Code that is made at run time must be executable. */
static struct finding try_code(void) {
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov eax, 42; ret */
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return failed("mmap of memory that can be executed");
    memcpy(page, code, sizeof code);
    int (*function)(void);
    memcpy(&function, &page, sizeof function);
    int result = function();
    munmap(page, 4096);
    return found(result == 42, "code that is made at run time runs");
}

/* ---- the host's files ---- */

static struct finding try_proc(void) {
    char path[64], target[256];
    int fd = open("/", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return failed("open with O_PATH");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target);
    struct finding f = n < 0 ? failed("/proc/self/fd") : found(n == 1 && *target == '/', "/proc is mounted");
    close(fd);
    return f;
}

static struct finding try_swap(void) {
    const int fd = host_file_unnamed(host_temporary_folder());
    if (fd < 0)
        return found(false, "no file can be made in %s: %s", host_temporary_folder(), strerror(-fd));
    bool written = pwrite(fd, "page", 4, 1 << 30) == 4;
    int error = errno;
    close(fd);
    return written ? found(true, "a swap file in %s", host_temporary_folder())
                   : found(false, "a swap file in %s cannot be written: %s", host_temporary_folder(),
                           strerror(error));
}

static struct finding try_space(void) {
    struct statvfs status;
    char text[SIZE_TEXT];
    if (statvfs(host_temporary_folder(), &status) < 0)
        return failed(host_temporary_folder());
    uint64_t free_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return found(free_bytes >= DEFAULT_MEMORY, "%s free in %s", size_format(free_bytes, text),
                 host_temporary_folder());
}

static struct finding try_descriptors(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return failed("getrlimit");
    return found(limit.rlim_max >= 256, "up to %llu open files", (unsigned long long)limit.rlim_max);
}

/* ulimit -v would count the reserved addresses, of which Thimble has many. */
static struct finding try_address_space(void) {
    struct rlimit limit;
    char text[SIZE_TEXT];
    if (getrlimit(RLIMIT_AS, &limit) < 0)
        return failed("getrlimit");
    if (limit.rlim_cur == RLIM_INFINITY)
        return found(true, "addresses are not limited");
    return found(limit.rlim_cur >= 4 * DEFAULT_MEMORY, "addresses are limited to %s",
                 size_format(limit.rlim_cur, text));
}

static struct finding try_memfd(void) {
    int fd = memfd_create("doctor", MFD_CLOEXEC);
    if (fd < 0)
        return failed("memfd_create");
    close(fd);
    return found(true, "files in memory");
}

/* ---- the sandbox ---- */

static struct finding try_openat2(void) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);
    if (fd < 0)
        return failed("openat2");
    close((int)fd);
    return found(true, "paths are opened without links in one call");
}

/* A machine with an overlay, built and taken down. */
static struct finding try_sandbox(void) {
    const struct sandbox_config config = {.wanted = true, .files = SANDBOX_OVERLAY};
    struct sandbox *box;
    const char *wrong;
    int error = sandbox_create(&config, NULL, &box, &wrong);
    if (error < 0)
        return found(false, "a scratch copy in %s: %s", host_temporary_folder(), strerror(-error));
    sandbox_destroy(box);
    return found(true, "a scratch copy in %s", host_temporary_folder());
}

/* ---- terminal, browser, grading ---- */

static struct finding try_pty(void) {
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return failed("posix_openpt");
    bool works = grantpt(fd) == 0 && unlockpt(fd) == 0;
    int error = errno;
    const char *name = works ? ptsname(fd) : NULL;
    int other = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    error = works && other < 0 ? errno : error;
    close(fd);
    if (other < 0)
        return found(false, "a pseudo-terminal cannot be opened: %s", strerror(error));
    close(other);
    return found(true, "a pseudo-terminal for the program that is stepped");
}

static struct finding try_terminal(void) {
    struct winsize size;
    const char *name = getenv("TERM");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        return found(false, "standard output is not a terminal");
    if (!name || !*name || strcmp(name, "dumb") == 0)
        return found(false, "TERM is %s", name && *name ? name : "not set");
    bool large = size.ws_col >= MINIMUM_COLUMNS && size.ws_row >= MINIMUM_ROWS;
    return found(large, "%s of %u columns and %u rows", name, size.ws_col, size.ws_row);
}

static struct finding try_utf8(void) {
    setlocale(LC_CTYPE, "");
    const char *set = nl_langinfo(CODESET);
    return found(strcmp(set, "UTF-8") == 0, "the locale's characters are %s", set);
}

/* A server on the loopback address, a client, and a byte between them. */
static struct finding try_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char byte = 0;
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0)
        return failed("socket");
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer = -1;
    bool works = client >= 0 && bind(server, (struct sockaddr *)&address, length) == 0 &&
                 listen(server, 1) == 0 && getsockname(server, (struct sockaddr *)&address, &length) == 0 &&
                 connect(client, (struct sockaddr *)&address, length) == 0 &&
                 (peer = accept(server, NULL, NULL)) >= 0 && write(client, "x", 1) == 1 &&
                 read(peer, &byte, 1) == 1;
    struct finding f = works ? found(byte == 'x', "127.0.0.1 answers") : failed("127.0.0.1");
    close(server);
    if (client >= 0)
        close(client);
    if (peer >= 0)
        close(peer);
    return f;
}

static struct finding try_ppoll(void) {
    struct timespec none = {0};
    return ppoll(NULL, 0, &none, NULL) == 0 ? found(true, "waiting for several files at once")
                                            : failed("ppoll");
}

static struct finding try_compiler(void) {
    const char *path = getenv("PATH");
    char *copy = strdup(path ? path : "/usr/bin:/bin"), *save = NULL, name[4096];
    for (char *d = copy ? strtok_r(copy, ":", &save) : NULL; d; d = strtok_r(NULL, ":", &save)) {
        snprintf(name, sizeof name, "%s/gcc", d);
        if (access(name, X_OK) == 0) {
            free(copy);
            return found(true, "%s", name);
        }
    }
    free(copy);
    return found(false, "no gcc in PATH");
}

/* The smallest program there is: an ELF file of one segment that ends with status 42. */
static const unsigned char program[] = {
    0x7f, 'E',  'L',  'F', 2,  1,    1,   0, 0,   0, 0,    0,    0, 0, 0, 0, /* ident */
    2,    0,    62,   0,   1,  0,    0,   0,                                 /* executable, x86-64 */
    0x78, 0,    0x40, 0,   0,  0,    0,   0,                                 /* entry: 0x400078 */
    64,   0,    0,    0,   0,  0,    0,   0,                                 /* program headers */
    0,    0,    0,    0,   0,  0,    0,   0,                                 /* no sections */
    0,    0,    0,    0,   64, 0,    56,  0, 1,   0, 0,    0,    0, 0, 0, 0, /* sizes and counts */
    1,    0,    0,    0,   5,  0,    0,   0,                                 /* load, r-x */
    0,    0,    0,    0,   0,  0,    0,   0, 0,   0, 0x40, 0,    0, 0, 0, 0,
    0,    0,    0x40, 0,   0,  0,    0,   0,                                 /* from 0, at 0x400000 */
    132,  0,    0,    0,   0,  0,    0,   0, 132, 0, 0,    0,    0, 0, 0, 0, /* sizes in file and memory */
    0,    0x10, 0,    0,   0,  0,    0,   0,                                 /* alignment */
    0xbf, 42,   0,    0,   0,  0xb8, 231, 0, 0,   0, 0x0f, 0x05, /* mov edi, 42; mov eax, exit_group; syscall
                                                                  */
};

static int write_program(char path[PATH_MAX]) {
    snprintf(path, PATH_MAX, "%s/thimble-doctor-XXXXXX", host_temporary_folder());
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bool written = write(fd, program, sizeof program) == sizeof program && fchmod(fd, 0700) == 0;
    close(fd);
    return written ? 0 : -EIO;
}

static void stay_silent(void *context, const char *line) {}

static struct finding run_program(struct machine *machine, char *path) {
    char *argv[] = {path, NULL}, *envp[] = {NULL};
    struct machine_summary summary;
    int error = machine_run(machine, path, argv, envp);
    if (error < 0)
        return found(false, "a program of ours in %s: %s", host_temporary_folder(), strerror(-error));
    machine_get_summary(machine, &summary);
    return found(summary.wait_status == 42 << 8, "a program has run in 64 frames");
}

/* A whole machine runs a whole program. */
static struct finding try_machine(void) {
    struct machine_config config = {.frames = 64,
                                    .reserved = 3,
                                    .policy = "clock",
                                    .level = CPU_LEVEL_V2,
                                    .tlb_entries = 64,
                                    .report = stay_silent};
    struct machine *machine;
    char *message, path[PATH_MAX];
    int error = machine_create(&config, &machine, &message);
    if (error < 0) {
        struct finding f = found(false, "%s", message ? message : strerror(-error));
        free(message);
        return f;
    }
    error = write_program(path);
    struct finding f = error < 0 ? found(false, "no program can be put into %s: %s", host_temporary_folder(),
                                         strerror(-error))
                                 : run_program(machine, path);
    unlink(path);
    machine_destroy(machine);
    return f;
}

/* ---- the list ---- */

enum need { NEED_RUN, NEED_PART };

static const struct capability {
    const char *name;
    enum need need;
    struct finding (*try)(void);
    const char *remedy; /* what to do, and what does not work until then */
} capabilities[] = {
    {"processor", NEED_RUN, try_cpu,
     "Thimble needs a CPU with SSE4.2 (x86-64-v2), or an emulator that has it"},
    {"AVX2", NEED_PART, try_v3, "programs built for x86-64-v3 cannot run: give thimble run --cpu x86-64-v2"},
    {"kernel", NEED_RUN, try_kernel, "Thimble needs Linux 5.4 or newer"},
    {"memory", NEED_RUN, try_memory, "lift the limit (ulimit -v unlimited, vm.overcommit_memory=0)"},
    {"free memory", NEED_PART, try_free_memory, "give smaller machines: thimble run -m 64M"},
    {"addresses", NEED_PART, try_address_space, "ulimit -v unlimited"},
    {"executable memory", NEED_RUN, try_code,
     "the security policy forbids it (SELinux execmem, systemd's MemoryDenyWriteExecute): allow it for "
     "Thimble"},
    {"/proc", NEED_RUN, try_proc, "mount it: mount -t proc proc /proc"},
    {"swap", NEED_PART, try_swap, "set TMPDIR to a directory that can be written to, or give --swap none"},
    {"disk", NEED_PART, try_space, "make room, or set TMPDIR to another directory"},
    {"open files", NEED_PART, try_descriptors, "ulimit -n 1024"},
    {"waiting", NEED_RUN, try_ppoll, "the container's seccomp profile forbids it: allow ppoll"},
    {"files in memory", NEED_PART, try_memfd,
     "the container's seccomp profile forbids memfd_create: thimble check cannot work"},
    {"machine", NEED_RUN, try_machine,
     "see the lines above; the trial needs a TMPDIR that can be written to and executed from"},
    {"sandbox", NEED_PART, try_sandbox,
     "set TMPDIR to a directory that can be written to: --files and thimble check need it"},
    {"openat2", NEED_PART, try_openat2,
     "nothing to do: the sandbox opens paths name by name instead (old kernel, or seccomp profile)"},
    {"pseudo-terminals", NEED_PART, try_pty,
     "mount -t devpts devpts /dev/pts: thimble step and web need them"},
    {"terminal", NEED_PART, try_terminal,
     "for thimble step use a terminal of at least 80 columns and 24 rows; thimble web needs none"},
    {"UTF-8", NEED_PART, try_utf8,
     "LANG=C.UTF-8 gives thimble step its lines and arrows; without it they are ASCII"},
    {"loopback network", NEED_PART, try_loopback, "ip link set lo up: thimble web needs it"},
    {"compiler", NEED_PART, try_compiler,
     "apt-get install gcc: for specs whose build calls it; Thimble itself needs none"},
};

enum { CAPABILITIES = sizeof capabilities / sizeof *capabilities };

static void print_line(const struct capability *c, const struct finding *f) {
    printf("%-7s %-18s %s\n",
           f->works              ? "ok"
           : c->need == NEED_RUN ? "MISSING"
                                 : "missing",
           c->name, f->detail);
    if (!f->works)
        printf("%27s%s\n", "", c->remedy);
}

static json_t *line_json(const struct capability *c, const struct finding *f) {
    return json_pack("{s:s, s:b, s:b, s:s, s:s?}", "name", c->name, "works", f->works, "needed_to_run",
                     c->need == NEED_RUN, "detail", f->detail, "remedy", f->works ? NULL : c->remedy);
}

static error_t take_option(int key, char *value, struct argp_state *state) {
    bool *as_json = state->input;
    if (key != 'j')
        return ARGP_ERR_UNKNOWN;
    *as_json = true;
    return 0;
}

int doctor_command(int argc, char **argv, char **envp) {
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "One JSON object instead of lines", 0}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = take_option,
        .doc = "Try what Thimble needs of this computer: one line a capability, with what to do where one is "
               "missing.\vThe exit status is 0 when programs can be run, 1 when they cannot.",
    };
    bool as_json = false, runs = true;
    if (argp_parse(&argp, argc, argv, 0, NULL, &as_json))
        return EXIT_FAILURE;
    json_t *lines = json_array();
    for (size_t i = 0; i < CAPABILITIES; i++) {
        const struct finding f = capabilities[i].try();
        runs &= f.works || capabilities[i].need != NEED_RUN;
        if (as_json)
            json_array_append_new(lines, line_json(&capabilities[i], &f));
        else
            print_line(&capabilities[i], &f);
    }
    json_t *root = json_pack("{s:b, s:o}", "runs", runs, "capabilities", lines);
    if (as_json && (json_dumpf(root, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF))
        runs = false;
    json_decref(root);
    return runs ? EXIT_SUCCESS : EXIT_FAILURE;
}
