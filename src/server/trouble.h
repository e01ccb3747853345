/*
 * trouble: a warning that may come many times a second, said seldom, with its count.
 *
 * A Trouble is a value of one thread; zero bytes are a fresh one.
 */
#pragma once

#include <glib.h>
#include <pthread.h>

/* The least time between two lines about the same trouble. */
#define TROUBLE_PAUSE_US (60 * G_USEC_PER_SEC)

typedef struct {
    guint64 unsaid; /* times since the last line */
    gint64 said_us; /* when that was; 0: never */
} Trouble;

/* Counts it; logs the first time at once, and later ones with how many were not logged. TRUE if a
 * line was written. */
gboolean trouble_note(Trouble *trouble, gint64 now_us, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The same for a trouble that several threads have; static ones begin with SHARED_TROUBLE_INIT. The
 * line is written with no lock held. */
typedef struct {
    pthread_mutex_t lock;
    Trouble trouble;
} SharedTrouble;

#define SHARED_TROUBLE_INIT                                                                        \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

gboolean shared_trouble_note(SharedTrouble *shared, gint64 now_us, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The same of one mail, whose queue id stands first; NULL: it has none yet. */
gboolean shared_trouble_note_of(SharedTrouble *shared, gint64 now_us, const char *queue_id,
                                const char *format, ...) G_GNUC_PRINTF(4, 5);
