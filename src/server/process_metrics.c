/*
 * process_metrics: what Prometheus's own libraries tell of any process.
 */
#include "server/process_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/exposition.h"

/* The words of a line of /proc/self; NULL: it cannot be read. */
static char **
proc_words(const char *path, char end_of_name)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    const char *name = end_of_name != '\0' ? strrchr(text, end_of_name) : NULL;
    return g_strsplit(name != NULL ? name + 2 : text, " ", -1);
}

static guint64
word(char **words, guint index)
{
    return index < g_strv_length(words) ? g_ascii_strtoull(words[index], NULL, 10) : 0;
}

/* proc(5): field 22 of stat is the start in ticks since the boot; behind the name begins field 3.
 */
static void
write_start(GString *out)
{
    enum { START = 22 - 3 };
    g_auto(GStrv) words = proc_words("/proc/self/stat", ')');
    struct timespec up;
    long ticks = sysconf(_SC_CLK_TCK);
    if (words == NULL || ticks <= 0 || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
        return;
    guint64 since_boot_us = word(words, START) * G_USEC_PER_SEC / (guint64)ticks;
    guint64 up_us = (guint64)up.tv_sec * G_USEC_PER_SEC + (guint64)up.tv_nsec / 1000;
    exposition_gauge(out, "process_start_time_seconds",
                     "When the process was started, in seconds since the epoch.");
    exposition_seconds(out, "process_start_time_seconds",
                       (guint64)clock_now_us() - (up_us - since_boot_us), NULL);
}

static guint64
time_us(const struct timeval *time)
{
    return (guint64)time->tv_sec * G_USEC_PER_SEC + (guint64)time->tv_usec;
}

static void
write_processor(GString *out)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    exposition_counter(out, "process_cpu_seconds_total", "Processor time that has been used.");
    exposition_seconds(out, "process_cpu_seconds_total",
                       time_us(&usage.ru_utime) + time_us(&usage.ru_stime), NULL);
}

static void
write_memory(GString *out)
{
    enum { SIZE = 0, RESIDENT = 1 };
    g_auto(GStrv) words = proc_words("/proc/self/statm", '\0');
    guint64 page = (guint64)MAX(sysconf(_SC_PAGESIZE), 0);
    if (words == NULL)
        return;
    exposition_gauge(out, "process_resident_memory_bytes", "Memory that is in use.");
    exposition_count(out, "process_resident_memory_bytes", word(words, RESIDENT) * page, NULL);
    exposition_gauge(out, "process_virtual_memory_bytes", "Memory that is reserved.");
    exposition_count(out, "process_virtual_memory_bytes", word(words, SIZE) * page, NULL);
}

static void
write_descriptors(GString *out)
{
    struct rlimit limit;
    guint64 count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder != NULL) {
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
            count += entry->d_name[0] != '.' ? 1 : 0;
        closedir(folder);
        exposition_gauge(out, "process_open_fds", "File descriptors that are open.");
        exposition_count(out, "process_open_fds", count, NULL);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        exposition_gauge(out, "process_max_fds", "How many may be.");
        exposition_count(out, "process_max_fds", limit.rlim_cur, NULL);
    }
}

void
process_metrics_write(GString *out)
{
    write_start(out);
    write_processor(out);
    write_memory(out);
    write_descriptors(out);
}
