/*
 * milter_session: one connection from the MTA, as the milter door sees it.
 *
 * Collects facts, asks the checks, observes what the MTA refuses, has reports read, records. Knows
 * nothing of libmilter: milter_door.c turns callbacks into these calls and answers into
 * libmilter's, and tests play sessions without an MTA. The policy is pinned at the beginning.
 * Bounded: see the limits in the .c.
 *
 * Threads: one owner, as libmilter calls one session from one thread at a time.
 */
#pragma once

#include "engine/decision.h"
#include "server/door_context.h"
#include "server/forged_headers.h"

typedef struct MilterSession MilterSession;

typedef enum {
    SESSION_CONTINUE,
    SESSION_ACCEPT,     /* the rest of this message need not be sent to us */
    SESSION_REPLY,      /* say milter_session_reply() */
    SESSION_QUARANTINE, /* for milter_session_reason() */
    SESSION_DISCARD,
} SessionAnswer;

MilterSession *milter_session_new(const DoorContext *context);
void milter_session_free(MilterSession *session);

const Policy *milter_session_policy(const MilterSession *session);

/* `name` and `address` as the MTA gives them ("unknown", "[192.0.2.1]"); port 0: not over SMTP. */
SessionAnswer milter_session_connect(MilterSession *session, const char *name, const char *address,
                                     guint port, const char *daemon, const char *hostname);
SessionAnswer milter_session_helo(MilterSession *session, const char *helo,
                                  const char *tls_version);

/*
 * A new message. `path` as in the command, with its brackets: "" without them is the MTA's own
 * mail. auth_user NULL: nobody logged in.
 */
SessionAnswer milter_session_mail(MilterSession *session, const char *path, gboolean smtputf8,
                                  const char *auth_user, const char *queue_id);
SessionAnswer milter_session_rcpt(MilterSession *session, const char *path, const char *queue_id);

/* A recipient that the MTA itself has refused (SMFIP_RCPT_REJ): only watched. */
void milter_session_rcpt_refused(MilterSession *session, const char *path, const char *status,
                                 const char *text, const char *queue_id);

SessionAnswer milter_session_data(MilterSession *session, const char *queue_id);
void milter_session_header(MilterSession *session, const char *name, const char *value);
SessionAnswer milter_session_end_of_headers(MilterSession *session);
void milter_session_body(MilterSession *session, const char *octets, gsize count);
SessionAnswer milter_session_end_of_message(MilterSession *session, const char *queue_id);

/*
 * Behind the end of a message that goes on: what is to be done to its headers, first all of
 * `forged` removed, then `headers` (of ReportHeader) put on top in their order. FALSE: nothing.
 * Both belong to the session until its next call.
 */
gboolean milter_session_changes(const MilterSession *session, const ForgedHeaders **forged,
                                const GArray **headers);

/* The message is over, however it ended. May be called twice. */
void milter_session_end_message(MilterSession *session);

/* Is a message on its way? */
gboolean milter_session_busy(const MilterSession *session);

/* Of the last SESSION_REPLY or SESSION_QUARANTINE; belong to the session until its next call. */
const SmtpReply *milter_session_reply(const MilterSession *session);
const char *milter_session_reason(const MilterSession *session);
