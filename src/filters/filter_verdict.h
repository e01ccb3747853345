/*
 * filter_verdict: what a filter behind us says in the end.
 *
 * Constant; threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    FILTER_VERDICT_CONTINUE,
    FILTER_VERDICT_ACCEPT,    /* every filter is out, for the message or the connection: nothing
                               * more of it need be told to the chain */
    FILTER_VERDICT_REPLY,     /* REPLYCODE: its text is `reply` */
    FILTER_VERDICT_REJECT,    /* without a text */
    FILTER_VERDICT_TEMPFAIL,  /* without a text */
    FILTER_VERDICT_DISCARD,   /* never at connect and HELO, where it is taken as CONTINUE */
    FILTER_VERDICT_SHUTDOWN,  /* 421, and the SMTP connection is to be closed */
    FILTER_VERDICT_CONN_FAIL, /* the SMTP connection is to be closed */
    FILTER_VERDICT_FAILED,    /* it could not be asked, and on_failure is not FILTER_FAILURE_ACCEPT,
                               * or the message cannot be shown to it; never at connect and HELO:
                               * from MAIL on */
} FilterVerdict;

enum { FILTER_VERDICTS = FILTER_VERDICT_FAILED + 1 };

/* "continue", "reply", "conn-fail", ... */
const char *filter_verdict_name(FilterVerdict verdict);

/* Is it an answer that refuses? A failure is one, a discard is not. */
gboolean filter_verdict_refuses(FilterVerdict verdict);
