/*
 * filter_setup: scripted filters and a chain to them.
 */
#include "filter_setup.h"

#include <string.h>

static const char *const setup_names[SETUP_FILTERS] = {"one", "two", "three"};

static const char *const verdict_names[] = {
    [FILTER_VERDICT_CONTINUE] = "CONTINUE", [FILTER_VERDICT_ACCEPT] = "ACCEPT",
    [FILTER_VERDICT_REPLY] = "REPLY",       [FILTER_VERDICT_REJECT] = "REJECT",
    [FILTER_VERDICT_TEMPFAIL] = "TEMPFAIL", [FILTER_VERDICT_DISCARD] = "DISCARD",
    [FILTER_VERDICT_SHUTDOWN] = "SHUTDOWN", [FILTER_VERDICT_CONN_FAIL] = "CONN_FAIL",
    [FILTER_VERDICT_FAILED] = "FAILED",
};

static const char *
setup_macro(gpointer data, const char *name)
{
    Setup *setup = data;
    return g_hash_table_lookup(setup->macros, name);
}

static void
setup_progress(gpointer data)
{
    Setup *setup = data;
    setup->progress++;
}

static void
setup_heard(gpointer data, const FilterNews *news)
{
    Setup *setup = data;
    g_assert_cmpint(news->spent_us, >=, 0);
    g_assert_true((news->failure != NULL) == (news->verdict == FILTER_VERDICT_FAILED));
    g_string_append_printf(setup->news, "%s %c %s", news->filter->name, news->stage,
                           verdict_names[news->verdict]);
    if (news->changes > 0)
        g_string_append_printf(setup->news, " %u", news->changes);
    if (news->again)
        g_string_append(setup->news, " again");
    if (news->stage == MILTER_COMMAND_OPTNEG)
        setup->negotiating_us += news->spent_us;
    g_string_append_c(setup->news, '\n');
}

void
setup_chain(Setup *setup)
{
    const PolicyFilter *filters[SETUP_FILTERS];
    FilterHost host = {.macro = setup_macro,
                       .progress = setup_progress,
                       .heard = setup_heard,
                       .data = setup,
                       .memory_limit = 64 * 1024 * 1024};
    for (guint i = 0; i < setup->count; i++)
        filters[i] = &setup->policy[i];
    filter_chain_free(setup->chain);
    setup->chain = filter_chain_new(filters, setup->count, setup->states, &host);
}

Setup *
setup_new(const Script *scripts, guint count)
{
    Setup *setup = g_new0(Setup, 1);
    setup->count = count;
    setup->states = filter_states_new();
    setup->news = g_string_new(NULL);
    setup->macros = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++) {
        setup->filters[i] = scripted_filter_start(&scripts[i]);
        setup->policy[i] = (PolicyFilter){
            .name = (char *)setup_names[i],
            .socket = (char *)scripted_filter_socket(setup->filters[i]),
            .timeout_us = PATIENCE_US,
            .connect_timeout_us = PATIENCE_US,
        };
    }
    setup_chain(setup);
    return setup;
}

void
setup_begin(Setup *setup)
{
    filter_chain_begin(setup->chain, MILTER_ACTIONS_V6, MILTER_STEPS_V6);
}

void
setup_stop(Setup *setup)
{
    g_clear_pointer(&setup->chain, filter_chain_free);
    for (guint i = 0; i < setup->count; i++)
        if (setup->filters[i] != NULL)
            setup->notes[i] = scripted_filter_stop(setup->filters[i]);
    memset(setup->filters, 0, sizeof(setup->filters));
}

void
setup_free(Setup *setup)
{
    setup_stop(setup);
    for (guint i = 0; i < setup->count; i++)
        g_free(setup->notes[i]);
    filter_states_free(setup->states);
    g_string_free(setup->news, TRUE);
    g_hash_table_unref(setup->macros);
    g_free(setup);
}

char *
result_text(char stage, const FilterResult *result)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%c %s", stage, verdict_names[result->verdict]);
    if (result->filter != NULL)
        g_string_append_printf(text, " %s", result->filter->name);
    if (result->reply != NULL)
        g_string_append_printf(text, " %s", result->reply);
    if (result->verdict == FILTER_VERDICT_FAILED && result->on_failure == FILTER_FAILURE_REJECT)
        g_string_append(text, " reject");
    if (result->repeated)
        g_string_append(text, " again");
    g_assert_true((result->failure != NULL) == (result->verdict == FILTER_VERDICT_FAILED));
    return g_string_free(text, FALSE);
}

const char *const setup_mail[] = {"<a@example.org>", "SIZE=1", NULL};
const char *const setup_rcpt[] = {"<b@example.org>", NULL};

HeldMessage *
small_message(void)
{
    HeldMessage *message = held_message_new(64 * 1024 * 1024);
    held_message_header(message, "Subject", " x");
    held_message_header(message, "X-Tab", "\ty");
    held_message_body(message, "Body\r\n", 6);
    return message;
}

FilterResult
setup_event(Setup *setup, char stage, HeldMessage *message, ChangeList *changes)
{
    switch (stage) {
    case 'C':
        return filter_chain_connect(setup->chain, "mx.example.org", MILTER_FAMILY_INET, 25,
                                    "192.0.2.1");
    case 'H':
        return filter_chain_helo(setup->chain, "helo");
    case 'M':
        return filter_chain_mail(setup->chain, setup_mail);
    case 'R':
        return filter_chain_rcpt(setup->chain, setup_rcpt, FALSE);
    case 'T':
        return filter_chain_data(setup->chain);
    case 'U':
        return filter_chain_unknown(setup->chain, "XYZZY");
    default:
        return filter_chain_message(setup->chain, message, changes);
    }
}

char *
setup_play(Setup *setup, const char *stages)
{
    g_autoptr(HeldMessage) message = small_message();
    g_autoptr(ChangeList) changes = change_list_new();
    for (const char *stage = stages;; stage++) {
        FilterResult result = setup_event(setup, *stage, message, changes);
        gboolean on =
            result.verdict == FILTER_VERDICT_CONTINUE || result.verdict == FILTER_VERDICT_ACCEPT;
        if (!on || stage[1] == '\0')
            return result_text(*stage, &result);
    }
}
