/*
 * reading: what the readers of the policy's parts share while a policy is loaded.
 *
 * Problems are collected with the line of the whole text, so that they come out in the order of the
 * files whatever found them. The only header of the room that shows libconfig. One owner.
 */
#pragma once

#include <libconfig.h>

#include "policy/policy.h"
#include "policy/source.h"

typedef struct {
    const Source *source;
    GPtrArray *faults, *doubts; /* of ReadingNote *, private */
} Reading;

void reading_init(Reading *reading, const Source *source);

/* Hands over what was collected, in the order of the text. `warnings` may be NULL. */
void reading_finish(Reading *reading, GPtrArray *problems, GPtrArray *warnings);

/* Adds a problem, or a warning, about a setting; NULL: about the file as a whole. */
void reading_problem(Reading *reading, const config_setting_t *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void reading_warning(Reading *reading, const config_setting_t *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Adds "unknown WHAT "name": did you mean "nearest"?" */
void reading_unknown(Reading *reading, const config_setting_t *at, const char *what,
                     const char *const *known);

/* Adds a problem for each member of a group that is not among `known` (ends with NULL). */
void reading_check_names(Reading *reading, const config_setting_t *group, const char *const *known);

/* The member if it is there and of that type; else NULL, and a problem if it has another type.
 * `type` is CONFIG_TYPE_GROUP, CONFIG_TYPE_LIST, CONFIG_TYPE_STRING, CONFIG_TYPE_BOOL, or
 * CONFIG_TYPE_INT (64 bits count too). */
config_setting_t *reading_member(Reading *reading, const config_setting_t *group, const char *name,
                                 int type);

/* The index of `name` among `names` (ends with NULL), or -1 and a problem. */
int reading_choice(Reading *reading, const config_setting_t *at, const char *name,
                   const char *const *names);

/*
 * A string, or a list of strings, as one array: of const char *, which belong to libconfig. NULL
 * and a problem if it is something else.
 */
GPtrArray *reading_strings(Reading *reading, const config_setting_t *at);

/* Where a setting stands. The file belongs to the source. */
const char *reading_place(const Reading *reading, const config_setting_t *at, guint *line);
