#include "lab/kernel/machine.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

/* Bytes that a shell takes as they are. */
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-"

/* The command line, once for the process; NUL-terminated. */
static struct buf command;

/* ---- the machine ------------------------------------------------------------------------------
 */

/* The first line without its end; false when there is none. */
static bool read_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(line, (int)size, f) != NULL;
    fclose(f);
    if (got)
        line[strcspn(line, "\n")] = '\0';
    return got && *line;
}

/* As x86 names it; other architectures have no such line. */
static void read_cpu_name(char *name, size_t size)
{
    char line[256];
    *name = '\0';
    FILE *f = fopen("/proc/cpuinfo", "re");
    if (!f)
        return;
    while (!*name && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", strlen("model name")) == 0 && strchr(line, ':')) {
            const char *value = strchr(line, ':') + 1;
            value += strspn(value, " ");
            snprintf(name, size, "%.*s", (int)strcspn(value, "\n"), value);
        }
    fclose(f);
}

static void read_governor(char *governor, size_t size)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    snprintf(governor, size, "none");
    for (long cpu = 0, seen = 0; cpu < cpus; cpu++) {
        char path[96];
        char line[32];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld/cpufreq/scaling_governor", cpu);
        if (!read_line(path, line, sizeof line))
            continue;
        bool differs = seen++ > 0 && strcmp(line, governor) != 0;
        snprintf(governor, size, "%s", differs ? "mixed" : line);
        if (differs)
            return;
    }
}

static unsigned allowed_cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) < 0 ? 0 : (unsigned)CPU_COUNT(&set);
}

static uint64_t memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

static uint64_t limit_of(__rlimit_resource_t resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return 0;
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

static void read_limits(struct machine *machine)
{
    machine->nofile = limit_of(RLIMIT_NOFILE);
    machine->nproc = limit_of(RLIMIT_NPROC);
    machine->sigpending = limit_of(RLIMIT_SIGPENDING);
}

static void read_words(struct machine *machine, const char *architecture)
{
    char cpu[96];
    read_cpu_name(cpu, sizeof cpu);
    snprintf(machine->words, sizeof machine->words, "%s%s%s, %.0f GiB", architecture,
             *cpu ? ", " : "", cpu, (double)machine->memory / (1024.0 * 1024 * 1024));
}

void machine_read(struct machine *machine)
{
    struct utsname name = {0};
    *machine = (struct machine){0};
    if (uname(&name) == 0) {
        snprintf(machine->kernel, sizeof machine->kernel, "%s", name.release);
        snprintf(machine->build, sizeof machine->build, "%s", name.version);
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    machine->cpus_online = online > 0 ? (unsigned)online : 0;
    machine->cpus_allowed = allowed_cpus();
    machine->memory = memory_bytes();
    read_words(machine, name.machine);
    read_governor(machine->governor, sizeof machine->governor);
    read_limits(machine);
}

/* ---- the command line -------------------------------------------------------------------------
 */

/* Characters, but for a quote, which ends the quoted text, stands for itself, and begins it again.
 */
static void add_character(const char *character, size_t n)
{
    if (n == 0)
        buf_lit(&command, "?");
    else if (*character == '\'')
        buf_lit(&command, "'\\''");
    else
        buf_add(&command, character, n);
}

static void add_word(const char *word)
{
    size_t left = strlen(word);
    bool is_plain = left > 0 && strspn(word, PLAIN) == left;
    buf_str(&command, is_plain ? "" : "'");
    while (left > 0) {
        size_t n = utf8_length(word, left);
        add_character(word, n);
        word += n > 0 ? n : 1;
        left -= n > 0 ? n : 1;
    }
    buf_str(&command, is_plain ? "" : "'");
}

void machine_command(int argc, char **argv)
{
    buf_clear(&command);
    for (int i = 0; i < argc; i++) {
        const char *folder_end = i == 0 ? strrchr(argv[i], '/') : NULL;
        if (i > 0)
            buf_lit(&command, " ");
        add_word(folder_end ? folder_end + 1 : argv[i]);
    }
    buf_add(&command, "", 1);
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

json_t *machine_limit(uint64_t limit)
{
    return limit == UINT64_MAX ? json_null() : json_integer((json_int_t)limit);
}

static json_t *now_json(void)
{
    char text[sizeof "2026-01-31T12:00:00Z"];
    time_t now = clock_date();
    struct tm tm;
    if (!gmtime_r(&now, &tm) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return json_null();
    return json_string(text);
}

static json_t *command_json(void)
{
    return command.len > 0 && !command.failed ? json_string(command.p) : json_null();
}

json_t *machine_json(void)
{
    static struct machine machine;
    if (machine.cpus_online == 0)
        machine_read(&machine);
    read_limits(&machine);
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:s, s:{s:o, s:o, s:o}, s:o, s:s, s:o}",
                     "kernel", machine.kernel, "build", machine.build, "machine", machine.words,
                     "cpus", (int)machine.cpus_allowed, "cpus_online", (int)machine.cpus_online,
                     "memory", (json_int_t)machine.memory, "governor", machine.governor, "limits",
                     "nofile", machine_limit(machine.nofile), "nproc", machine_limit(machine.nproc),
                     "sigpending", machine_limit(machine.sigpending), "command", command_json(),
                     "version", DROVER_VERSION, "time", now_json());
}

void machine_add(json_t *object)
{
    json_t *members = machine_json();
    json_object_update(object, members);
    json_decref(members);
}
