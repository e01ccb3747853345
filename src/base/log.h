/*
 * log: what replymilter says about itself (the events about mail are record/'s).
 *
 * One line a call, to syslog, standard error, or both. Whatever came from outside is escaped
 * before it is written: no call can produce a second line or a control octet. The level and the
 * trace areas are switched by name while the daemon runs. Threads: any, after log_open().
 */
#pragma once

#include <glib.h>

typedef enum {
    LOG_TO_STDERR = 1 << 0,
    LOG_TO_SYSLOG = 1 << 1,
} LogTarget;

typedef enum {
    LOG_AREA_MILTER = 1 << 0,
    LOG_AREA_TABLES = 1 << 1,
    LOG_AREA_ENGINE = 1 << 2,
    LOG_AREA_POLICY = 1 << 3,
    LOG_AREA_RECORD = 1 << 4,
} LogArea;

/* facility: "mail", "daemon", "local0" to "local7". ident must outlive the process's logging. */
void log_open(LogTarget targets, const char *ident, const char *facility);

/* Is this a facility that log_open() knows? */
gboolean log_facility_known(const char *facility);

/* Its number for syslog(3); `facility` must be known. */
int log_facility_number(const char *facility);

/* "milter,tables", "all", or "none". FALSE and an error at an unknown name. */
gboolean log_trace_set(const char *areas, GError **error);

/* What is traced now, as log_trace_set() takes it: "milter,tables", "all" or "none". The caller
 * frees it. */
char *log_trace_areas(void);

/* "error", "warning", "notice" or "info", which is how it begins: what is of less weight is not
 * written. Traces are: they have their areas. FALSE and an error at an unknown name. */
gboolean log_level_set(const char *level, GError **error);

/* The name of the level; constant. */
const char *log_level(void);

void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_notice(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* A notice that is written at any level: that what is logged has been switched. */
void log_switch(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* A line that is only written while its area is traced; costs one load of an atomic otherwise. */
void log_trace(LogArea area, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same about one mail: its queue id stands first, as in the MTA's log, so that both are found
 * by it; NULL: LOG_NO_QUEUE_ID, as Postfix calls a mail that has none yet. */
#define LOG_NO_QUEUE_ID "NOQUEUE"
void log_error_of(const char *queue_id, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_warning_of(const char *queue_id, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_info_of(const char *queue_id, const char *format, ...) G_GNUC_PRINTF(2, 3);
void log_trace_of(LogArea area, const char *queue_id, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Is a line of log_info() written? For those that cost something to make. */
gboolean log_takes_info(void);
