/*
 * event_id: the name of an event: 26 characters, time and chance.
 */
#include "record/event_id.h"

const char *
event_id(gint64 now_us, guint64 random, char buffer[EVENT_ID_SIZE])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    guint64 time = (guint64)MAX(now_us, 0);
    for (int i = 12; i >= 0; i--, time >>= 5)
        buffer[i] = letters[time & 31];
    for (int i = 25; i >= 13; i--, random >>= 5)
        buffer[i] = letters[random & 31];
    buffer[EVENT_ID_SIZE - 1] = '\0';
    return buffer;
}
