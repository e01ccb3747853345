/*
 * fact: what can be known about a session, by the names that `when` uses.
 *
 * A table of names and of the check point at which each becomes known at the milter door. Constant;
 * threads: any.
 */
#pragma once

#include <glib.h>

#include "mail/smtp_stage.h"

typedef enum {
    FACT_STAGE,       /* smtp_stage_name() */
    FACT_CLIENT,      /* the client's address, "192.0.2.1" or "2001:db8::1" */
    FACT_CLIENT_NAME, /* its verified name, or "unknown" */
    FACT_HELO,
    FACT_SENDER, /* "" is the null sender */
    FACT_RECIPIENT,
    FACT_AUTH_USER, /* "" where nobody logged in */
    FACT_TLS,       /* "TLSv1.3", or "" without TLS */
    FACT_CODE,      /* "550" */
    FACT_STATUS,    /* "5.1.1", or "" where the reply has none */
    FACT_CATEGORY,  /* "user-unknown"; of mail that reports: one for each recipient */
    FACT_PROVIDER,  /* "google", or "" where the reply is nobody's that is known */
    FACT_KIND,      /* "failure", "delay": of mail that reports */
    FACT_TEXT,      /* the reply's lines, joined with spaces */
    FACT_FILTER,    /* the name of the wrapped filter that spoke */
    FACT_HEADER,    /* "Name: value"; many values, one is enough */
    FACT_SIZE,      /* octets of the message */
    FACT_DAEMON,    /* {daemon_name} of the MTA */
    FACT_DIRECTION, /* "inbound", "outbound", "local" */
    FACT_COUNT
} Fact;

/* Where the milter door can speak. A header and the end of message are answered by one reply. */
typedef enum {
    CHECK_POINT_CONNECT,
    CHECK_POINT_HELO,
    CHECK_POINT_MAIL,
    CHECK_POINT_RCPT,
    CHECK_POINT_DATA,
    CHECK_POINT_HEADERS, /* all headers have been seen */
    CHECK_POINT_EOM,
    CHECK_POINT_COUNT,
    CHECK_POINT_NEVER = CHECK_POINT_COUNT /* only a reply has it: no check can know it */
} CheckPoint;

const char *fact_name(Fact fact);
gboolean fact_from_name(const char *name, Fact *fact);
const char *const *fact_names(void); /* ends with NULL */

/* The first point at which the milter door knows it; CHECK_POINT_NEVER for code, text and the like.
 */
CheckPoint fact_known_at(Fact fact);

/* Can a rule know it? Only mail that is read has the others. */
gboolean fact_of_reply(Fact fact);

/* Does the mail have to be read for it? */
gboolean fact_of_report(Fact fact);

const char *check_point_name(CheckPoint point);

/* The stage whose reply is given at that point: a header's is that of the end of the message. */
SmtpStage check_point_stage(CheckPoint point);
