/*
 * milter_answer: what a filter tells the MTA.
 *
 * To a command a filter gives one verdict. Before the verdict it may send PROGRESS, and at the end
 * of the message changes to it. The answer to OPTNEG is in milter_negotiation. Pure; threads: any.
 */
#pragma once

#include <glib.h>

#include "wire/milter_packet.h"

typedef enum {
    MILTER_ANSWER_IS_UNKNOWN,  /* no answer that there is */
    MILTER_ANSWER_IS_VERDICT,  /* the last one to a command */
    MILTER_ANSWER_IS_CHANGE,   /* of the message or its envelope, QUARANTINE too: more will come */
    MILTER_ANSWER_IS_PROGRESS, /* more will come, later */
    MILTER_ANSWER_IS_SETTING,  /* SETSYMLIST: belongs to the negotiation */
} MilterAnswerKind;

MilterAnswerKind milter_answer_kind(MilterAnswerCode code);

/* The MILTER_ACTION_* that a filter must have asked for to send this; 0: none. */
guint32 milter_answer_action(MilterAnswerCode code);

/* Strings and octets are borrowed from the packet, which must stay as it is. What its answer does
 * not have is 0 or NULL. */
typedef struct {
    MilterAnswerCode code;
    const char *address;   /* ADDRCPT, ADDRCPT_PAR, DELRCPT, CHGFROM; never empty */
    const char *arguments; /* ADDRCPT_PAR, CHGFROM: of ESMTP, in one string; NULL: not sent */
    guint32 index;         /* INSHEADER: from 0; CHGHEADER: from 1, 0 means 1; SETSYMLIST: the
                            * stage. As it came: libmilter takes none beyond G_MAXINT32 */
    const char *name;      /* ADDHEADER, INSHEADER, CHGHEADER; never empty */
    const char *value;     /* the same: as it came, with or without a leading space; may be empty:
                            * CHGHEADER then deletes; SETSYMLIST: the macros' names */
    const char *octets; /* REPLBODY: a piece of the body; REPLYCODE, QUARANTINE: the text, exactly
                         * as it came but for one NUL at its end. NUL octets can be in it, and
                         * none need be behind it; it may be empty */
    gsize length;       /* of octets */
} MilterAnswer;

/*
 * Reads a packet of the filter. Whether a REPLYCODE is a well-formed reply is not asked here. FALSE
 * and an error that names the packet (REPLYMILTER_ERROR_PROTOCOL) for one that is no answer, misses
 * a NUL or a part, has octets behind its last part, or an empty address or header name.
 */
gboolean milter_answer_parse(const MilterPacket *packet, MilterAnswer *answer, GError **error);

/* Appends an answer, the filter's side: fields as above; a text gets its NUL. Returns the octets of
 * its data. */
gsize milter_answer_append(GString *out, const MilterAnswer *answer);
