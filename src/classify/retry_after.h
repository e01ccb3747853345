/*
 * retry_after: the time after which a reply asks to come back.
 *
 * Pure; threads: any.
 */
#pragma once

#include <glib.h>

/*
 * Seconds of the last time in text[0, length): "5 minutes", "300s", "00:04:59", "1 Stunde"; -1 if
 * there is none, or one of more than a week.
 */
gint64 retry_after_parse(const char *text, gsize length);
