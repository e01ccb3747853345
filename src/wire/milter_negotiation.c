/*
 * milter_negotiation: OPTNEG, by which an MTA and a filter agree what will be sent.
 */
#include "wire/milter_negotiation.h"

#include "base/error.h"
#include "wire/milter_fields.h"

static const struct {
    guint32 actions, steps;
} offers[] = {
    [2] = {MILTER_ACTIONS_V2, MILTER_STEPS_V2}, [3] = {MILTER_ACTIONS_V2, MILTER_STEPS_V3},
    [4] = {MILTER_ACTIONS_V2, MILTER_STEPS_V4}, [5] = {MILTER_ACTIONS_V2, MILTER_STEPS_V4},
    [6] = {MILTER_ACTIONS_V6, MILTER_STEPS_V6},
};

/* What is there for a command; those that no filter answers have no row. */
typedef struct {
    MilterCommandCode code;
    gboolean answered;
    guint32 unwanted, unanswered;
    MilterStage stage;
} CommandSteps;

static const CommandSteps commands[] = {
    {MILTER_COMMAND_CONNECT, TRUE, MILTER_STEP_NOCONNECT, MILTER_STEP_NR_CONN,
     MILTER_STAGE_CONNECT},
    {MILTER_COMMAND_HELO, TRUE, MILTER_STEP_NOHELO, MILTER_STEP_NR_HELO, MILTER_STAGE_HELO},
    {MILTER_COMMAND_MAIL, TRUE, MILTER_STEP_NOMAIL, MILTER_STEP_NR_MAIL, MILTER_STAGE_ENVFROM},
    {MILTER_COMMAND_RCPT, TRUE, MILTER_STEP_NORCPT, MILTER_STEP_NR_RCPT, MILTER_STAGE_ENVRCPT},
    {MILTER_COMMAND_DATA, TRUE, MILTER_STEP_NODATA, MILTER_STEP_NR_DATA, MILTER_STAGE_DATA},
    {MILTER_COMMAND_UNKNOWN, TRUE, MILTER_STEP_NOUNKNOWN, MILTER_STEP_NR_UNKN, MILTER_STAGE_NONE},
    {MILTER_COMMAND_HEADER, TRUE, MILTER_STEP_NOHDRS, MILTER_STEP_NR_HDR, MILTER_STAGE_NONE},
    {MILTER_COMMAND_EOH, TRUE, MILTER_STEP_NOEOH, MILTER_STEP_NR_EOH, MILTER_STAGE_EOH},
    {MILTER_COMMAND_BODY, TRUE, MILTER_STEP_NOBODY, MILTER_STEP_NR_BODY, MILTER_STAGE_NONE},
    {MILTER_COMMAND_BODYEOB, TRUE, 0, 0, MILTER_STAGE_EOM},
    {MILTER_COMMAND_OPTNEG, TRUE, 0, 0, MILTER_STAGE_NONE},
};

void
milter_negotiation_clear(MilterNegotiation *negotiation)
{
    for (guint i = 0; i < MILTER_STAGES; i++)
        g_clear_pointer(&negotiation->macros[i], g_free);
}

MilterNegotiation
milter_negotiation_offer(guint32 version)
{
    g_assert(version >= MILTER_VERSION_MIN && version <= MILTER_VERSION_MAX);
    return (MilterNegotiation){
        .version = version,
        .actions = offers[version].actions,
        .steps = offers[version].steps,
    };
}

gsize
milter_negotiation_append(GString *out, const MilterNegotiation *negotiation)
{
    gsize begun = milter_packet_begin(out, MILTER_COMMAND_OPTNEG);

    milter_long_append(out, negotiation->version);
    milter_long_append(out, negotiation->actions);
    milter_long_append(out, negotiation->steps);
    for (guint32 i = 0; i < MILTER_STAGES; i++)
        if (negotiation->macros[i] != NULL) {
            milter_long_append(out, i);
            milter_string_append(out, negotiation->macros[i]);
        }
    return milter_packet_end(out, begun);
}

static gboolean
parse_list(MilterFields *fields, MilterNegotiation *negotiation, GError **error)
{
    guint32 stage;
    const char *names;

    if (!milter_fields_long(fields, "stage of its macros", &stage, error) ||
        !milter_fields_string(fields, "macros", &names, error))
        return FALSE;
    if (stage < MILTER_STAGES) {
        g_free(negotiation->macros[stage]);
        negotiation->macros[stage] = g_strdup(names);
    }
    return TRUE;
}

gboolean
milter_negotiation_parse(const MilterPacket *packet, MilterNegotiation *negotiation, GError **error)
{
    MilterFields fields = milter_fields(packet);

    *negotiation = (MilterNegotiation){0};
    if (packet->code != MILTER_COMMAND_OPTNEG)
        return milter_fields_fail(packet->code, error, "where SMFIC_OPTNEG is due");
    if (!milter_fields_long(&fields, "version", &negotiation->version, error) ||
        !milter_fields_long(&fields, "actions", &negotiation->actions, error) ||
        !milter_fields_long(&fields, "steps", &negotiation->steps, error))
        return FALSE;
    while (fields.left > 0)
        if (!parse_list(&fields, negotiation, error))
            return FALSE;
    return TRUE;
}

gboolean
milter_negotiation_settle(const MilterNegotiation *offer, MilterNegotiation *answer, GError **error)
{
    if (answer->version < MILTER_VERSION_MIN || answer->version > offer->version)
        return error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                          "SMFIC_OPTNEG: the filter's version is %" G_GUINT32_FORMAT
                          ", not between %d and %" G_GUINT32_FORMAT,
                          answer->version, MILTER_VERSION_MIN, offer->version);
    if ((answer->actions & ~offer->actions) != 0)
        return error_fail(error, REPLYMILTER_ERROR_PROTOCOL,
                          "SMFIC_OPTNEG: the filter wants actions that were not offered: 0x%x",
                          answer->actions & ~offer->actions);
    answer->steps &= MILTER_STEPS_V6 | (offer->steps & MILTER_STEPS_MDS);
    answer->steps |= milter_version_lacks(answer->version);
    return TRUE;
}

guint32
milter_version_lacks(guint32 version)
{
    return (version < 3 ? MILTER_STEP_NOUNKNOWN : 0u) | (version < 4 ? MILTER_STEP_NODATA : 0u);
}

gsize
milter_steps_data_max(guint32 steps)
{
    if ((steps & MILTER_STEP_MDS_1M) != 0)
        return 1024 * 1024 - 1;
    return (steps & MILTER_STEP_MDS_256K) != 0 ? 256 * 1024 - 1 : MILTER_DATA_MAX;
}

static const CommandSteps *
find(MilterCommandCode code)
{
    static const CommandSteps none = {.stage = MILTER_STAGE_NONE};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].code == code)
            return &commands[i];
    return &none;
}

guint32
milter_step_unwanted(MilterCommandCode code)
{
    return find(code)->unwanted;
}

guint32
milter_step_unanswered(MilterCommandCode code)
{
    return find(code)->unanswered;
}

gboolean
milter_steps_answered(guint32 steps, MilterCommandCode code)
{
    return find(code)->answered && (find(code)->unanswered & steps) == 0;
}

MilterStage
milter_command_stage(MilterCommandCode code)
{
    return find(code)->stage;
}
