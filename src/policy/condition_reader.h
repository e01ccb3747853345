/*
 * condition_reader: the conditions of a rule or check of a policy file.
 *
 * One owner, while a policy is loaded; what was read is immutable.
 */
#pragma once

#include "policy/reading.h"

/* An empty array of Condition that frees what it is given. */
GArray *conditions_new(void);

/* Adds the condition on `fact` that a setting holds; what is wrong with it becomes a problem. */
void condition_read(Reading *reading, const config_setting_t *at, Fact fact, GArray *conditions);

/* Likewise each member of the entry's `when`. */
void conditions_read(Reading *reading, const config_setting_t *entry, GArray *conditions);

/* The condition on that fact, or NULL. */
const Matcher *conditions_find(const GArray *conditions, Fact fact);

/* Does one of them ask what a report says: its kind, or its categories? */
gboolean conditions_ask_report(const GArray *conditions);

/* Does the condition on the stage, if there is one, take this stage? */
gboolean conditions_take_stage(const GArray *conditions, SmtpStage stage);
