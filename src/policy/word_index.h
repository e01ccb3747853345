/*
 * word_index: which of the policy's own texts may have made a line.
 *
 * For the question whether a reply is one of ours already, in a time that does not grow with the
 * number of texts. Immutable; any thread may ask.
 */
#pragma once

#include <glib.h>

#include "policy/policy.h"

typedef struct WordIndex WordIndex;

/* Both are arrays of pointers; what they hold must outlive the index. */
WordIndex *word_index_new(const GPtrArray *rules, const GPtrArray *checks);
void word_index_free(WordIndex *index);

/* See policy_likely_texts(). */
GPtrArray *word_index_find(const WordIndex *index, const char *line);
