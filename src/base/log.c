/*
 * log: what replymilter says about itself.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

static const struct {
    const char *name;
    int value;
} facilities[] = {
    {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},
};

static const struct {
    const char *name;
    unsigned int bits;
} areas[] = {
    {"milter", LOG_AREA_MILTER},
    {"tables", LOG_AREA_TABLES},
    {"engine", LOG_AREA_ENGINE},
    {"policy", LOG_AREA_POLICY},
    {"record", LOG_AREA_RECORD},
    {"all", ~0u},
    {"none", 0},
};

/* The fewest lines first. */
static const struct {
    const char *name;
    int priority;
} levels[] = {
    {"error", LOG_ERR},
    {"warning", LOG_WARNING},
    {"notice", LOG_NOTICE},
    {"info", LOG_INFO},
};

static atomic_uint log_targets = LOG_TO_STDERR;
static atomic_uint traced_areas;
static atomic_int least_priority = LOG_INFO; /* what has a higher number is not written */

static int
facility_value(const char *facility)
{
    for (size_t i = 0; i < G_N_ELEMENTS(facilities); i++)
        if (strcmp(facilities[i].name, facility) == 0)
            return facilities[i].value;
    return -1;
}

gboolean
log_facility_known(const char *facility)
{
    return facility_value(facility) >= 0;
}

int
log_facility_number(const char *facility)
{
    int value = facility_value(facility);
    g_assert(value >= 0);
    return value;
}

void
log_open(LogTarget targets, const char *ident, const char *facility)
{
    int value = log_facility_number(facility);
    if (targets & LOG_TO_SYSLOG)
        openlog(ident, LOG_PID | LOG_NDELAY, value);
    atomic_store(&log_targets, (unsigned int)targets);
}

gboolean
log_trace_set(const char *list, GError **error)
{
    unsigned int wanted = 0;
    g_auto(GStrv) names = g_strsplit(list, ",", -1);
    for (char **name = names; *name != NULL; name++) {
        size_t i = 0;
        while (i < G_N_ELEMENTS(areas) && strcmp(areas[i].name, g_strstrip(*name)) != 0)
            i++;
        if (i == G_N_ELEMENTS(areas)) {
            g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_CONFIG,
                        "unknown trace area \"%s\" (known: milter, tables, engine, policy, record, "
                        "all, none)",
                        *name);
            return FALSE;
        }
        wanted |= areas[i].bits;
    }
    atomic_store(&traced_areas, wanted);
    return TRUE;
}

/* Bits that every area has; "all" has more, for areas to come. */
static unsigned int
known_bits(void)
{
    unsigned int bits = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(areas); i++)
        if (areas[i].bits != ~0u)
            bits |= areas[i].bits;
    return bits;
}

char *
log_trace_areas(void)
{
    unsigned int traced = atomic_load(&traced_areas) & known_bits();
    if (traced == 0 || traced == known_bits())
        return g_strdup(traced == 0 ? "none" : "all");
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(areas); i++)
        if (areas[i].bits != ~0u && (areas[i].bits & traced) != 0)
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", areas[i].name);
    return g_strdup(list->str);
}

gboolean
log_level_set(const char *level, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (strcmp(levels[i].name, level) == 0) {
            atomic_store(&least_priority, levels[i].priority);
            return TRUE;
        }
    return error_fail(error, REPLYMILTER_ERROR_CONFIG,
                      "unknown log level \"%s\" (known: error, warning, notice, info)", level);
}

const char *
log_level(void)
{
    int least = atomic_load(&least_priority);
    size_t i = 0;
    while (levels[i].priority != least)
        i++;
    return levels[i].name;
}

/* One write(), so that lines of several threads never mix. */
static void
write_to_stderr(const char *line)
{
    g_autofree char *whole = g_strdup_printf("replymilter: %s\n", line);
    ssize_t written = write(STDERR_FILENO, whole, strlen(whole));
    (void)written; /* there is nobody left to tell */
}

static gboolean
is_written(int priority)
{
    return priority <= atomic_load_explicit(&least_priority, memory_order_relaxed);
}

static void
write_line(int priority, const char *line)
{
    unsigned int targets = atomic_load(&log_targets);
    if (targets & LOG_TO_SYSLOG)
        syslog(priority, "%s", line);
    if (targets & LOG_TO_STDERR)
        write_to_stderr(line);
}

static void
say(int priority, const char *level, const char *format, va_list arguments)
{
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    g_autofree char *escaped = text_escape(raw);
    g_autofree char *line = g_strconcat(level, escaped, NULL);
    write_line(priority, line);
}

static void
say_of(int priority, const char *queue_id, const char *level, const char *format, va_list arguments)
{
    g_autofree char *raw = g_strdup_vprintf(format, arguments);
    g_autofree char *id = text_escape(queue_id != NULL ? queue_id : LOG_NO_QUEUE_ID);
    g_autofree char *escaped = text_escape(raw);
    g_autofree char *line = g_strconcat(id, ": ", level, escaped, NULL);
    write_line(priority, line);
}

void
log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(LOG_ERR, "error: ", format, arguments);
    va_end(arguments);
}

void
log_warning(const char *format, ...)
{
    if (!is_written(LOG_WARNING))
        return;
    va_list arguments;
    va_start(arguments, format);
    say(LOG_WARNING, "warning: ", format, arguments);
    va_end(arguments);
}

void
log_notice(const char *format, ...)
{
    if (!is_written(LOG_NOTICE))
        return;
    va_list arguments;
    va_start(arguments, format);
    say(LOG_NOTICE, "", format, arguments);
    va_end(arguments);
}

void
log_switch(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(LOG_NOTICE, "", format, arguments);
    va_end(arguments);
}

void
log_info(const char *format, ...)
{
    if (!is_written(LOG_INFO))
        return;
    va_list arguments;
    va_start(arguments, format);
    say(LOG_INFO, "", format, arguments);
    va_end(arguments);
}

static gboolean
is_traced(LogArea area)
{
    unsigned int traced = atomic_load_explicit(&traced_areas, memory_order_relaxed);
    return (traced & (unsigned int)area) != 0;
}

void
log_trace(LogArea area, const char *format, ...)
{
    if (!is_traced(area))
        return;
    va_list arguments;
    va_start(arguments, format);
    say(LOG_DEBUG, "trace: ", format, arguments);
    va_end(arguments);
}

void
log_error_of(const char *queue_id, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_of(LOG_ERR, queue_id, "error: ", format, arguments);
    va_end(arguments);
}

void
log_warning_of(const char *queue_id, const char *format, ...)
{
    if (!is_written(LOG_WARNING))
        return;
    va_list arguments;
    va_start(arguments, format);
    say_of(LOG_WARNING, queue_id, "warning: ", format, arguments);
    va_end(arguments);
}

void
log_info_of(const char *queue_id, const char *format, ...)
{
    if (!is_written(LOG_INFO))
        return;
    va_list arguments;
    va_start(arguments, format);
    say_of(LOG_INFO, queue_id, "", format, arguments);
    va_end(arguments);
}

void
log_trace_of(LogArea area, const char *queue_id, const char *format, ...)
{
    if (!is_traced(area))
        return;
    va_list arguments;
    va_start(arguments, format);
    say_of(LOG_DEBUG, queue_id, "trace: ", format, arguments);
    va_end(arguments);
}

gboolean
log_takes_info(void)
{
    return is_written(LOG_INFO);
}
