/*
 * event_screen: an event for people: in full, or as a line like those of a mail log.
 */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Everything that it says, labelled. */
void event_screen_show(const json_t *event);

/*
 * "Nov 22 08:40:12 4F1Q2W3Xz9: refusal rcpt 550 5.1.1 user-unknown from=<a@b> to=<c@d>
 * client=x[192.0.2.1] door=milter: User unknown", in one line, escaped. NOQUEUE where there is no
 * queue id; what is not known is left out. The time is that of the host. The caller frees it.
 */
char *event_screen_line(const json_t *event);
