/*
 * check_filters: the filters of a policy, what the MTA must know of them, and whether they answer.
 */
#include "replyctl/check_filters.h"

#include <unistd.h>

#include "filters/filter_chain.h"
#include "replyctl/command.h"
#include "replyctl/filter_words.h"
#include "replyctl/screen.h"

enum { FIELD_INDENT = 4, FIELD_COLUMN = 18 };

/* What MTAs wait by themselves for the answer to one command, in seconds. */
enum { POSTFIX_WAITS = 30, SENDMAIL_WAITS = 10 };

/* ---- by the policy alone ------------------------------------------------------------------------
 */

static void
put_filter(const PolicyFilter *filter)
{
    g_autofree char *answer = filter_words_seconds(filter->timeout_us);
    g_autofree char *connect = filter_words_seconds(filter->connect_timeout_us);
    g_autofree char *times =
        g_strdup_printf("at most %s s for an answer, %s s for the connection", answer, connect);
    screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, filter->name);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "socket", filter->socket);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "waited for", times);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "if it fails",
                 filter_words_on_failure(filter->on_failure));
}

/* For one command, if each of them only just answers. */
static gint64
longest_answer_us(const Policy *policy)
{
    gint64 sum_us = 0;
    for (guint i = 0; i < policy_filter_count(policy); i++)
        sum_us += policy_filter(policy, i)->timeout_us;
    return sum_us;
}

static void
put_demands(const Policy *policy)
{
    g_autofree char *longest = filter_words_seconds(longest_answer_us(policy));
    g_autofree char *times = g_strdup_printf(
        "together they may take %s s for one command, and the MTA must wait longer: "
        "milter_command_timeout in Postfix (%d s unless you set it), T=R: in Sendmail (%d s)",
        longest, POSTFIX_WAITS, SENDMAIL_WAITS);
    screen_heading("What the MTA must know of the filters");
    screen_field(SCREEN_INDENT, FIELD_COLUMN, "smtpd_milters",
                 "names only replymilter: the filters are taken out of it (of INPUT_MAIL_FILTER "
                 "in Sendmail), else they see each mail twice");
    screen_field(SCREEN_INDENT, FIELD_COLUMN, "default action",
                 "tempfail: default_action=tempfail, or milter_default_action = tempfail (F=T in "
                 "Sendmail); with accept, all mail gets "
                 "by all filters while replymilter is not there");
    screen_field(SCREEN_INDENT, FIELD_COLUMN, "time", times);
    screen_field(SCREEN_INDENT, FIELD_COLUMN, "besides",
                 "it is asked for whatever the filters ask for: it waits where one of them "
                 "answers, and sends headers and body if one of them wants them; --connect says "
                 "what that is");
}

void
check_filters_print(const Policy *policy)
{
    guint count = policy_filter_count(policy);
    if (count == 0)
        return;
    screen_heading("Filters behind us, in their order");
    for (guint i = 0; i < count; i++)
        put_filter(policy_filter(policy, i));
    put_demands(policy);
}

/* ---- by asking them -----------------------------------------------------------------------------
 */

static void
put_macros(const char *const *macros)
{
    g_autoptr(GString) all = g_string_new(NULL);
    for (guint i = 0; i < MILTER_STAGES; i++)
        if (macros[i] != NULL)
            g_string_append_printf(all, "%s%s: %s", all->len > 0 ? "; " : "",
                                   filter_words_stage((MilterStage)i),
                                   *macros[i] != '\0' ? macros[i] : "none");
    screen_field(FIELD_INDENT, FIELD_COLUMN, "macros",
                 all->len > 0 ? all->str : "those that the MTA sends by itself");
}

static void
put_wishes(guint32 steps, guint32 actions)
{
    g_autofree char *told = filter_words_told(steps), *answered = filter_words_answered(steps);
    g_autofree char *may = filter_words_actions(actions);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "is told", told);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "answers", answered);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "may", may);
}

static void
put_standing(const FilterStanding *standing)
{
    g_autofree char *version = g_strdup_printf("%s: it answers, protocol version %u",
                                               standing->filter->name, standing->version);
    screen_paragraph(STYLE_GOOD, SCREEN_INDENT, version);
    put_wishes(standing->steps, standing->actions);
    put_macros((const char *const *)standing->macros);
    if ((standing->steps & MILTER_STEP_RCPT_REJ) != 0)
        screen_field(FIELD_INDENT, FIELD_COLUMN, "besides", "recipients that the MTA has refused");
}

static void
put_silence(const FilterStanding *standing)
{
    g_autofree char *name = g_strconcat(standing->filter->name, ": it does not answer", NULL);
    screen_paragraph(STYLE_BAD, SCREEN_INDENT, name);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "because", standing->failure);
    screen_field(FIELD_INDENT, FIELD_COLUMN, "until then",
                 filter_words_on_failure(standing->filter->on_failure));
}

/* Root may connect anywhere, the daemon may not. */
static void
note_root(void)
{
    if (geteuid() == 0)
        screen_field(SCREEN_INDENT, FIELD_COLUMN, "asked as root",
                     "whether the daemon may connect, too, says \"runuser -u replymilter -- "
                     "replyctl check --connect\"");
}

static const char *
no_macro(gpointer data, const char *name)
{
    (void)data;
    (void)name;
    return NULL;
}

static FilterChain *
begun_chain(const Policy *policy, FilterStates *states)
{
    const FilterHost host = {.macro = no_macro,
                             .memory_limit = policy_settings(policy)->limits.memory};
    guint count = policy_filter_count(policy);
    g_autofree const PolicyFilter **filters = g_new(const PolicyFilter *, count);
    for (guint i = 0; i < count; i++)
        filters[i] = policy_filter(policy, i);
    FilterChain *chain = filter_chain_new(filters, count, states, &host);
    filter_chain_begin(chain, MILTER_ACTIONS_V6, MILTER_STEPS_V6);
    return chain;
}

gboolean
check_filters_connect(const Policy *policy, gboolean quiet)
{
    guint count = policy_filter_count(policy), answers = 0;
    g_autoptr(FilterStates) states = filter_states_new();
    g_autoptr(FilterChain) chain = begun_chain(policy, states);
    if (!quiet)
        screen_heading("Whether the filters answer, and what they ask for");
    if (!quiet && count == 0)
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, "the policy has no filters");
    for (guint i = 0; i < count; i++) {
        FilterStanding standing = filter_chain_standing(chain, i);
        answers += standing.negotiated ? 1 : 0;
        if (quiet && !standing.negotiated)
            command_complain("check: filter \"%s\" does not answer: %s", standing.filter->name,
                             standing.failure);
        else if (!quiet && !standing.negotiated)
            put_silence(&standing);
        else if (!quiet)
            put_standing(&standing);
    }
    if (!quiet && answers > 0)
        note_root();
    if (!quiet && count > 1 && answers == count) {
        screen_paragraph(STYLE_PLAIN, SCREEN_INDENT, "all of them together");
        put_wishes(filter_chain_steps(chain), filter_chain_actions(chain));
    }
    return answers == count;
}
