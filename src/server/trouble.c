/*
 * trouble: a warning that may come many times a second, said seldom, with its count.
 */
#include "server/trouble.h"

#include "base/log.h"

/* TRUE: it is time for a line, which has to tell of `*unsaid` others. */
static gboolean
is_due(Trouble *trouble, gint64 now_us, guint64 *unsaid)
{
    *unsaid = trouble->unsaid;
    if (trouble->said_us != 0 && now_us - trouble->said_us < TROUBLE_PAUSE_US) {
        trouble->unsaid++;
        return FALSE;
    }
    *trouble = (Trouble){.said_us = now_us};
    return TRUE;
}

static void
say(guint64 unsaid, const char *format, va_list arguments)
{
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    if (unsaid > 0)
        log_warning("%s (and %" G_GUINT64_FORMAT " more since the last such warning)", what,
                    unsaid);
    else
        log_warning("%s", what);
}

gboolean
trouble_note(Trouble *trouble, gint64 now_us, const char *format, ...)
{
    guint64 unsaid = 0;
    if (!is_due(trouble, now_us, &unsaid))
        return FALSE;
    va_list arguments;
    va_start(arguments, format);
    say(unsaid, format, arguments);
    va_end(arguments);
    return TRUE;
}

gboolean
shared_trouble_note(SharedTrouble *shared, gint64 now_us, const char *format, ...)
{
    guint64 unsaid = 0;
    pthread_mutex_lock(&shared->lock);
    gboolean due = is_due(&shared->trouble, now_us, &unsaid);
    pthread_mutex_unlock(&shared->lock);
    if (!due)
        return FALSE;
    va_list arguments;
    va_start(arguments, format);
    say(unsaid, format, arguments);
    va_end(arguments);
    return TRUE;
}
