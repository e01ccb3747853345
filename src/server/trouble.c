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

/* The warning's text; the caller frees it. */
static char *
words(guint64 unsaid, const char *format, va_list arguments)
{
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    if (unsaid == 0)
        return g_steal_pointer(&what);
    return g_strdup_printf("%s (and %" G_GUINT64_FORMAT " more since the last such warning)", what,
                           unsaid);
}

static void
say(guint64 unsaid, const char *format, va_list arguments)
{
    g_autofree char *what = words(unsaid, format, arguments);
    log_warning("%s", what);
}

static gboolean
shared_is_due(SharedTrouble *shared, gint64 now_us, guint64 *unsaid)
{
    pthread_mutex_lock(&shared->lock);
    gboolean due = is_due(&shared->trouble, now_us, unsaid);
    pthread_mutex_unlock(&shared->lock);
    return due;
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
    if (!shared_is_due(shared, now_us, &unsaid))
        return FALSE;
    va_list arguments;
    va_start(arguments, format);
    say(unsaid, format, arguments);
    va_end(arguments);
    return TRUE;
}

gboolean
shared_trouble_note_of(SharedTrouble *shared, gint64 now_us, const char *queue_id,
                       const char *format, ...)
{
    guint64 unsaid = 0;
    if (!shared_is_due(shared, now_us, &unsaid))
        return FALSE;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = words(unsaid, format, arguments);
    va_end(arguments);
    log_warning_of(queue_id, "%s", what);
    return TRUE;
}
