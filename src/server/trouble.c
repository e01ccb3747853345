/*
 * trouble: a warning that may come many times a second, said seldom, with its count.
 */
#include "server/trouble.h"

#include "base/log.h"

gboolean
trouble_note(Trouble *trouble, gint64 now_us, const char *format, ...)
{
    va_list arguments;

    if (trouble->said_us != 0 && now_us - trouble->said_us < TROUBLE_PAUSE_US) {
        trouble->unsaid++;
        return FALSE;
    }
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (trouble->unsaid > 0)
        log_warning("%s (and %" G_GUINT64_FORMAT " more since the last such warning)", what,
                    trouble->unsaid);
    else
        log_warning("%s", what);
    *trouble = (Trouble){.said_us = now_us};
    return TRUE;
}
