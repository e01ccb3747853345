/*
 * original_mail: what a report says of the mail that it is about: its Message-ID and its sender.
 *
 * Both are looked for in the returned mail or header, then where a report quotes them: in its own
 * fields, in its text, and in In-Reply-To and References, which some systems set to it. What is
 * found first stays. Threads: one at a time.
 */
#pragma once

#include "classify/bounce_reading.h"

/* From the report's fields about the message (RFC 3464 section 2.2, and X- fields). */
void original_mail_from_fields(Bounce *bounce, const HeaderFields *fields);

/* From all else. */
void original_mail_read(BounceReading *reading);

/* The address in "Ada <ada@example.org>"; "" if there is none. The caller frees it. */
char *original_mail_address(const char *field);
