/*
 * milter_negotiation: OPTNEG, by which an MTA and a filter agree what will be sent.
 *
 * The MTA offers a version, the actions that a filter may ask for, and the steps of the protocol
 * that it can leave out or do otherwise; the filter sends back what it wants of them, and perhaps
 * the macros that it wants at each stage. Both directions are one packet of the same form. The
 * names are those of Sendmail's mfdef.h and mfapi.h: MILTER_ACTION_ADDHDRS is SMFIF_ADDHDRS,
 * MILTER_STEP_NOHELO is SMFIP_NOHELO, MILTER_STAGE_EOM is SMFIM_EOM. Pure; threads: any.
 */
#pragma once

#include <glib.h>

#include "wire/milter_packet.h"

#define MILTER_VERSION_MIN 2
#define MILTER_VERSION_MAX 6

/* What a filter may ask for: SMFIF_*. */
enum {
    MILTER_ACTION_ADDHDRS = 0x001, /* ADDHEADER, INSHEADER */
    MILTER_ACTION_CHGBODY = 0x002,
    MILTER_ACTION_ADDRCPT = 0x004,
    MILTER_ACTION_DELRCPT = 0x008,
    MILTER_ACTION_CHGHDRS = 0x010,
    MILTER_ACTION_QUARANTINE = 0x020,
    MILTER_ACTION_CHGFROM = 0x040,
    MILTER_ACTION_ADDRCPT_PAR = 0x080,
    MILTER_ACTION_SETSYMLIST = 0x100,

    MILTER_ACTIONS_V2 = 0x03f, /* SMFI_V2_ACTS */
    MILTER_ACTIONS_V6 = 0x1ff, /* SMFI_CURR_ACTS */
};

/* The steps of the protocol: SMFIP_*. */
enum {
    MILTER_STEP_NOCONNECT = 0x000001, /* NO*: the MTA need not send this command */
    MILTER_STEP_NOHELO = 0x000002,
    MILTER_STEP_NOMAIL = 0x000004,
    MILTER_STEP_NORCPT = 0x000008,
    MILTER_STEP_NOBODY = 0x000010,
    MILTER_STEP_NOHDRS = 0x000020,
    MILTER_STEP_NOEOH = 0x000040,
    MILTER_STEP_NR_HDR = 0x000080,    /* NR_*: the filter answers nothing to this command */
    MILTER_STEP_NOUNKNOWN = 0x000100, /* from version 3 */
    MILTER_STEP_NODATA = 0x000200,    /* from version 4 */
    MILTER_STEP_SKIP = 0x000400,      /* the MTA understands SKIP */
    MILTER_STEP_RCPT_REJ = 0x000800,  /* the MTA sends recipients that it has refused, too */
    MILTER_STEP_NR_CONN = 0x001000,
    MILTER_STEP_NR_HELO = 0x002000,
    MILTER_STEP_NR_MAIL = 0x004000,
    MILTER_STEP_NR_RCPT = 0x008000,
    MILTER_STEP_NR_DATA = 0x010000,
    MILTER_STEP_NR_UNKN = 0x020000,
    MILTER_STEP_NR_EOH = 0x040000,
    MILTER_STEP_NR_BODY = 0x080000,
    MILTER_STEP_HDR_LEADSPC = 0x100000, /* header values keep the space behind the colon */
    MILTER_STEP_MDS_256K = 0x10000000,  /* data of up to 256 KiB - 1; libmilter sets it itself */
    MILTER_STEP_MDS_1M = 0x20000000,    /* data of up to 1 MiB - 1; likewise */

    MILTER_STEPS_V2 = 0x00007f, /* SMFI_V2_PROT */
    MILTER_STEPS_V3 = 0x00017f,
    MILTER_STEPS_V4 = 0x00037f,
    MILTER_STEPS_V6 = 0x1fffff,    /* SMFI_CURR_PROT */
    MILTER_STEPS_MDS = 0x30000000, /* both of them */
    MILTER_STEPS_NO = 0x00037f,    /* the NO* */
    MILTER_STEPS_NR = 0x0ff080,    /* the NR_* */
};

/* Where macros are sent: SMFIM_*. */
typedef enum {
    MILTER_STAGE_NONE = -1,
    MILTER_STAGE_CONNECT,
    MILTER_STAGE_HELO,
    MILTER_STAGE_ENVFROM,
    MILTER_STAGE_ENVRCPT,
    MILTER_STAGE_DATA,
    MILTER_STAGE_EOM,
    MILTER_STAGE_EOH,
} MilterStage;

enum { MILTER_STAGES = 7 };

typedef struct {
    guint32 version;
    guint32 actions; /* MILTER_ACTION_* */
    guint32 steps;   /* MILTER_STEP_* */
    /* By MilterStage: names as they came, between spaces or commas ("i {auth_type}"), owned. NULL:
     * nothing was said, the MTA sends what it is configured to send; "": none are wanted. */
    char *macros[MILTER_STAGES];
} MilterNegotiation;

void milter_negotiation_clear(MilterNegotiation *negotiation);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MilterNegotiation, milter_negotiation_clear)

/* All that an MTA of this version can offer, but for the larger data sizes (add MILTER_STEP_MDS_*
 * to ask for one). No macros. */
MilterNegotiation milter_negotiation_offer(guint32 version);

/* Appends the OPTNEG of either side, and returns the octets of its data. */
gsize milter_negotiation_append(GString *out, const MilterNegotiation *negotiation);

/*
 * Reads an OPTNEG of either side. Versions and flags are kept as they came; of two lists for one
 * stage the last counts, and one for a stage that we do not know is left out, as Postfix does.
 * FALSE and an error (REPLYMILTER_ERROR_PROTOCOL) for any other packet, if it is too short, or if a
 * list is not whole. Cleared by milter_negotiation_clear(), after FALSE too.
 */
gboolean milter_negotiation_parse(const MilterPacket *packet, MilterNegotiation *negotiation,
                                  GError **error);

/*
 * The MTA's side: makes a filter's answer to `offer` what holds from now on. Steps that do not
 * exist, and data sizes that were not offered, are dropped; a filter of an old version is sent no
 * command that came later (NOUNKNOWN, NODATA); a known step that was not offered holds, as with
 * Postfix: a filter that says that it will not answer will not. FALSE and an error for a version
 * before 2 or beyond the offer, and for actions that were not offered.
 */
gboolean milter_negotiation_settle(const MilterNegotiation *offer, MilterNegotiation *answer,
                                   GError **error);

/* The flags of the commands (MILTER_STEP_NOUNKNOWN, MILTER_STEP_NODATA) that came after a version.
 */
guint32 milter_version_lacks(guint32 version);

/* The most octets of data in a command, by the MILTER_STEP_MDS_* that were agreed. */
gsize milter_steps_data_max(guint32 steps);

/* The flag by which a filter says that it does not want this command, or that it will not answer
 * it; 0: there is none. */
guint32 milter_step_unwanted(MilterCommandCode code);
guint32 milter_step_unanswered(MilterCommandCode code);

/* Will the filter answer this command, these steps being agreed? */
gboolean milter_steps_answered(guint32 steps, MilterCommandCode code);

/* Which list of macros is sent before this command; MILTER_STAGE_NONE: none. */
MilterStage milter_command_stage(MilterCommandCode code);
