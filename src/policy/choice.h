/*
 * choice: one of a few words.
 *
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

/*
 * The index of `text` among `choices`, which end with NULL; -1 and an error that names the nearest
 * one and all of them. `what` is what is chosen: "stage".
 */
int choice_find(const char *what, const char *text, const char *const *choices, GError **error);
