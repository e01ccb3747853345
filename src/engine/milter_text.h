/*
 * milter_text: '%' in a text that goes over a milter's wire or into libmilter.
 *
 * Postfix and Sendmail take "%%" there for "%"; Postfix drops a lone '%', Sendmail then replaces
 * the whole reply by its own. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* Doubles each '%'. The caller frees it. */
char *milter_text_escape(const char *text);

/* "%%" becomes "%"; a lone '%' is kept as it is. The caller frees it. */
char *milter_text_unescape(const char *text);

/* Offset of the first '%' that is not one of a pair, or -1. */
gssize milter_text_lone_percent(const char *text, gsize length);
