/*
 * filter_macros: the macros of the MTA that one filter is told.
 */
#include "filters/filter_macros.h"

#include "filters/filter_needs.h"
#include "wire/milter_command.h"

/* In the order of a message. */
static const struct {
    MilterStage stage;
    MilterCommandCode code;
} stages[] = {
    {MILTER_STAGE_CONNECT, MILTER_COMMAND_CONNECT}, {MILTER_STAGE_HELO, MILTER_COMMAND_HELO},
    {MILTER_STAGE_ENVFROM, MILTER_COMMAND_MAIL},    {MILTER_STAGE_ENVRCPT, MILTER_COMMAND_RCPT},
    {MILTER_STAGE_DATA, MILTER_COMMAND_DATA},       {MILTER_STAGE_EOH, MILTER_COMMAND_EOH},
    {MILTER_STAGE_EOM, MILTER_COMMAND_BODYEOB},
};

enum {
    STAGES_OF_CONNECTION = 1 << MILTER_STAGE_CONNECT | 1 << MILTER_STAGE_HELO,
};

/* Those of `names` that have a value, but for those that are in `others`. Returns how many. */
static guint
append_values(const FilterHost *host, const char *names, const char *others, GString *out)
{
    g_autoptr(GString) name = g_string_new(NULL);
    guint count = 0;
    while (filter_needs_next_macro(&names, name)) {
        const char *value = host->macro(host->data, name->str);
        if (value == NULL || filter_needs_has_macro(others, name->str))
            continue;
        milter_command_append_macro(out, name->str, value);
        count++;
    }
    return count;
}

static guint
append_values_of(const FilterMacros *macros, MilterStage stage, GString *out)
{
    const FilterHost *host = macros->host;
    const char *asked = macros->negotiated->macros[stage];
    if (asked != NULL)
        return append_values(host, asked, "", out);
    /* What is there only because another filter has asked for it is not for this one. */
    return append_values(host, filter_needs_default_macros(stage), "", out) +
           append_values(host, filter_needs_extra_macros(stage), host->asked_macros, out);
}

static void
append_stage(FilterMacros *macros, MilterStage stage, MilterCommandCode code, gboolean even_none,
             GString *out)
{
    const char *asked = macros->negotiated->macros[stage];
    gsize begun = milter_command_begin_macros(out, code);
    guint count = append_values_of(macros, stage, out);
    gsize size = milter_packet_end(out, begun);
    gboolean wanted = count > 0 || (even_none && (asked == NULL || asked[0] != '\0'));
    if (!wanted || size > milter_steps_data_max(macros->negotiated->steps))
        g_string_truncate(out, begun);
    macros->told |= 1u << stage;
}

void
filter_macros_append(FilterMacros *macros, MilterCommandCode code, GString *out)
{
    MilterStage stage = milter_command_stage(code);
    guint32 lacks = milter_version_lacks(macros->negotiated->version);
    if (code == MILTER_COMMAND_MAIL)
        macros->told &= STAGES_OF_CONNECTION;
    for (gsize i = 0; stage != MILTER_STAGE_NONE && i < G_N_ELEMENTS(stages); i++) {
        gboolean now = stages[i].stage == stage;
        gboolean told = (macros->told & 1u << stages[i].stage) != 0;
        gboolean known = (lacks & milter_step_unwanted(stages[i].code)) == 0;
        if (known && (now || !told))
            append_stage(macros, stages[i].stage, stages[i].code, now, out);
        if (now)
            return;
    }
}
