/*
 * settings: the table of the policy's plain settings.
 *
 * One row for each says its path, type, default, limits, choices and meaning. The rows check the
 * file, print `replyctl config`, and are the option list of replymilter.conf(5), so the three
 * agree. Constant; threads: any.
 */
#pragma once

#include "policy/policy.h"

typedef enum {
    SETTING_BOOL,       /* gboolean */
    SETTING_INTEGER,    /* guint */
    SETTING_SIZE,       /* guint64: octets; a number, or "256M" */
    SETTING_MODE,       /* guint: "0660" */
    SETTING_CHOICE,     /* an enum: the index in `choices` */
    SETTING_FACILITY,   /* char *: one of `choices` */
    SETTING_TEXT,       /* char *: printable; "" is unset */
    SETTING_HOSTNAME,   /* char * */
    SETTING_URL,        /* Template * */
    SETTING_PATH,       /* char *: absolute */
    SETTING_EVENTS,     /* char *: absolute path, "stdout" or "syslog" */
    SETTING_SOCKET,     /* char * */
    SETTING_ADDRESS,    /* char *: "127.0.0.1:9125" */
    SETTING_GROUP,      /* char *: a group that exists */
    SETTING_STAGES,     /* guint: bits 1 << SmtpStage */
    SETTING_NETWORKS,   /* GArray * of AddressBlock */
    SETTING_RECIPIENTS, /* Matcher *: as a condition on the recipient; no text is unset */
} SettingType;

typedef struct {
    const char *path; /* "milter.socket" */
    SettingType type;
    const char *preset[6];      /* the default, as texts that end with NULL; none: unset */
    gint64 least, most;         /* SETTING_INTEGER, SETTING_SIZE */
    const char *const *choices; /* ends with NULL; NULL: none */
    gboolean needs_restart;
    gsize offset; /* in PolicySettings */
    const char *help;
} SettingRow;

const SettingRow *settings_rows(guint *count);

/* The index of a row, or -1. */
int settings_find(const char *path);

/* The known names in a section, or NULL if there is none of that name. Ends with NULL; free with
 * g_free(). */
const char **settings_names(const char *section);

/* The sections in their order; ends with NULL. */
const char *const *settings_sections(void);

/* Sets every field to its default. */
void settings_init(PolicySettings *settings);
void settings_clear(PolicySettings *settings);

/* Does the type take a list of texts? */
gboolean setting_takes_list(const SettingRow *row);

/*
 * Sets a field from texts (a number or a truth value in words): FALSE and an error without place.
 * `folder` is what a relative file:PATH is relative to.
 */
gboolean setting_set(PolicySettings *settings, const SettingRow *row, const char *const *texts,
                     guint count, const char *folder, GError **error);

/* The value as the policy language has it, or NULL: unset. The caller frees it. */
char *setting_print(const PolicySettings *settings, const SettingRow *row);

/* "a string", "a whole number from 1 to 65535": for the manual. The caller frees it. */
char *setting_describe(const SettingRow *row);

/* In the order of their enums; end with NULL. */
extern const char *const reply_mode_names[];
extern const char *const disclosure_names[];
extern const char *const check_action_names[];
extern const char *const bounce_trust_names[];
extern const char *const filter_failure_names[];
