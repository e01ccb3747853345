/*
 * milter_session: one connection from the MTA, as the milter door sees it.
 *
 * Collects facts, asks the checks and then the filters, observes what the MTA refuses, has reports
 * read, records. Knows nothing of libmilter: milter_door.c turns callbacks into these calls and
 * answers into libmilter's, and tests play sessions without an MTA. The policy is pinned at the
 * beginning, and its filters with it. Bounded: see the limits in the .c.
 *
 * Threads: one owner, as libmilter calls one session from one thread at a time.
 */
#pragma once

#include "engine/decision.h"
#include "filters/change.h"
#include "server/door_context.h"
#include "wire/milter_command.h"
#include "wire/milter_negotiation.h"

typedef struct MilterSession MilterSession;

typedef enum {
    SESSION_CONTINUE,
    SESSION_ACCEPT,     /* the rest of this message need not be sent to us */
    SESSION_REPLY,      /* say milter_session_reply() */
    SESSION_QUARANTINE, /* for milter_session_reason() */
    SESSION_DISCARD,
} SessionAnswer;

/* The MTA, for the filters: always called from within a call to the session. */
typedef struct {
    /* A macro as it is now, or NULL; used before the next call. */
    const char *(*macro)(gpointer data, const char *name);
    void (*progress)(gpointer data); /* a filter is still at work on the end of a message */
    gpointer data;
} SessionMta;

/* `mta` is copied; NULL: there is none. */
MilterSession *milter_session_new(const DoorContext *context, const SessionMta *mta);
void milter_session_free(MilterSession *session);

const Policy *milter_session_policy(const MilterSession *session);

/* What the MTA offers: SMFIF_* and SMFIP_*. Then what is to be asked of it. */
void milter_session_negotiate(MilterSession *session, unsigned long actions, unsigned long steps);
unsigned long milter_session_actions(const MilterSession *session);
unsigned long milter_session_steps(const MilterSession *session);

/* The macros to ask for at a stage; NULL: none. `own`: those that the door needs. The caller frees
 * them. */
char *milter_session_macros(const MilterSession *session, MilterStage stage, const char *own);

/* `name` and `address` as the MTA gives them ("unknown", "[192.0.2.1]"); no address with
 * MILTER_FAMILY_UNKNOWN; port 0: not over SMTP. */
SessionAnswer milter_session_connect(MilterSession *session, const char *name, MilterFamily family,
                                     const char *address, guint port, const char *daemon,
                                     const char *hostname);
SessionAnswer milter_session_helo(MilterSession *session, const char *helo,
                                  const char *tls_version);

/*
 * A new message. `arguments`: the path as in the command, with its brackets ("" without them is the
 * MTA's own mail), what else stands in the command, NULL. auth_user NULL: nobody logged in.
 */
SessionAnswer milter_session_mail(MilterSession *session, const char *const *arguments,
                                  const char *auth_user, const char *queue_id);
SessionAnswer milter_session_rcpt(MilterSession *session, const char *const *arguments,
                                  const char *queue_id);

/* A recipient that the MTA itself has refused (SMFIP_RCPT_REJ): only watched. */
void milter_session_rcpt_refused(MilterSession *session, const char *const *arguments,
                                 const char *status, const char *text, const char *queue_id);

/* A command that the MTA does not know. */
SessionAnswer milter_session_unknown(MilterSession *session, const char *line);

SessionAnswer milter_session_data(MilterSession *session, const char *queue_id);
void milter_session_header(MilterSession *session, const char *name, const char *value);
SessionAnswer milter_session_end_of_headers(MilterSession *session);
void milter_session_body(MilterSession *session, const char *octets, gsize count);
SessionAnswer milter_session_end_of_message(MilterSession *session, const char *queue_id);

/*
 * Behind the end of a message that goes on: what is to be done to it, in this order, or NULL; and
 * then the body to put in the place of its own, or NULL. Both belong to the session until its next
 * call. `leading_space`: the MTA takes header values with the space behind the colon (change.h).
 */
const ChangeList *milter_session_changes(const MilterSession *session);
Spool *milter_session_new_body(const MilterSession *session);
gboolean milter_session_leading_space(const MilterSession *session);

/* The message is over, however it ended. May be called twice. */
void milter_session_end_message(MilterSession *session);

/* Is a message on its way? */
gboolean milter_session_busy(const MilterSession *session);

/* Of the last SESSION_REPLY or SESSION_QUARANTINE; belong to the session until its next call. */
const SmtpReply *milter_session_reply(const MilterSession *session);
const char *milter_session_reason(const MilterSession *session);
