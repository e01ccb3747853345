/*
 * filter_needs: what filters need of an MTA in the milter protocol, joined.
 *
 * Pure functions on MILTER_STEP_* and lists of macro names. Threads: any.
 */
#pragma once

#include <glib.h>

#include "wire/milter_negotiation.h"

/* The highest version of the protocol that an MTA which offers these can have. */
guint32 filter_needs_version(guint32 actions, guint32 steps);

/*
 * The steps that serve two: a command is left out, or needs no answer, only if both say so (one
 * that a side does not want needs no answer of it); what else one side wants, both get.
 */
guint32 filter_needs_join(guint32 steps, guint32 others);

/* What Postfix and Sendmail send at a stage by themselves, as they are documented, both together;
 * between spaces, static. */
const char *filter_needs_default_macros(MilterStage stage);

/* More that an administrator may have them send at a stage to a filter that asked for nothing
 * (milter_connect_macros and its like). */
const char *filter_needs_extra_macros(MilterStage stage);

/* Is `name` in the list (between spaces or commas)? "{i}" and "i" are the same name. */
gboolean filter_needs_has_macro(const char *names, const char *name);
/* Are all of `others` in the list? */
gboolean filter_needs_has_macros(const char *names, const char *others);

/* Appends those of `names` to `list` that are not in it. `names` may be NULL. */
void filter_needs_add_macros(GString *list, const char *names);

/* The next name of a list into `name`, behind `*names`; FALSE: there is none. */
gboolean filter_needs_next_macro(const char **names, GString *name);
