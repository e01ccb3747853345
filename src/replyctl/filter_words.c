/*
 * filter_words: what other milters are asked, may do and do, in words.
 */
#include "replyctl/filter_words.h"

#include <string.h>

typedef struct {
    guint32 flag, silent; /* MILTER_STEP_NO* and NR_*, or MILTER_ACTION_* and 0 */
    const char *words;
} FlagWords;

static const FlagWords commands[] = {
    {MILTER_STEP_NOCONNECT, MILTER_STEP_NR_CONN, "connect"},
    {MILTER_STEP_NOHELO, MILTER_STEP_NR_HELO, "HELO"},
    {MILTER_STEP_NOMAIL, MILTER_STEP_NR_MAIL, "MAIL"},
    {MILTER_STEP_NORCPT, MILTER_STEP_NR_RCPT, "RCPT"},
    {MILTER_STEP_NODATA, MILTER_STEP_NR_DATA, "DATA"},
    {MILTER_STEP_NOHDRS, MILTER_STEP_NR_HDR, "headers"},
    {MILTER_STEP_NOEOH, MILTER_STEP_NR_EOH, "end of headers"},
    {MILTER_STEP_NOBODY, MILTER_STEP_NR_BODY, "body"},
    {0, 0, "end of message"},
    {MILTER_STEP_NOUNKNOWN, MILTER_STEP_NR_UNKN, "unknown commands"},
};

static const FlagWords actions_known[] = {
    {MILTER_ACTION_ADDHDRS, 0, "add and insert headers"},
    {MILTER_ACTION_CHGHDRS, 0, "change and delete headers"},
    {MILTER_ACTION_CHGBODY, 0, "replace the body"},
    {MILTER_ACTION_ADDRCPT, 0, "add recipients"},
    {MILTER_ACTION_ADDRCPT_PAR, 0, "add recipients with arguments"},
    {MILTER_ACTION_DELRCPT, 0, "delete recipients"},
    {MILTER_ACTION_CHGFROM, 0, "change the sender"},
    {MILTER_ACTION_QUARANTINE, 0, "quarantine"},
    {MILTER_ACTION_SETSYMLIST, 0, "choose its macros"},
};

static void
add_words(GString *list, const char *words)
{
    g_string_append_printf(list, "%s%s", list->len > 0 ? ", " : "", words);
}

static char *
list_or_nothing(GString *list)
{
    if (list->len == 0)
        g_string_append(list, "nothing");
    return g_string_free(list, FALSE);
}

char *
filter_words_told(guint32 steps)
{
    GString *list = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if ((steps & commands[i].flag) == 0)
            add_words(list, commands[i].words);
    return list_or_nothing(list);
}

char *
filter_words_answered(guint32 steps)
{
    GString *list = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if ((steps & (commands[i].flag | commands[i].silent)) == 0)
            add_words(list, commands[i].words);
    return list_or_nothing(list);
}

char *
filter_words_actions(guint32 actions)
{
    GString *list = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(actions_known); i++)
        if ((actions & actions_known[i].flag) != 0)
            add_words(list, actions_known[i].words);
    return list_or_nothing(list);
}

const char *
filter_words_stage(MilterStage stage)
{
    static const char *const names[MILTER_STAGES] = {
        [MILTER_STAGE_CONNECT] = "connect",    [MILTER_STAGE_HELO] = "HELO",
        [MILTER_STAGE_ENVFROM] = "MAIL",       [MILTER_STAGE_ENVRCPT] = "RCPT",
        [MILTER_STAGE_DATA] = "DATA",          [MILTER_STAGE_EOH] = "end of headers",
        [MILTER_STAGE_EOM] = "end of message",
    };
    return names[stage];
}

char *
filter_words_seconds(gint64 time_us)
{
    return g_strdup_printf("%g", (double)time_us / G_USEC_PER_SEC);
}

const char *
filter_words_on_failure(FilterFailure on_failure)
{
    static const char *const words[] = {
        [FILTER_FAILURE_TEMPFAIL] = "the mail is put off",
        [FILTER_FAILURE_ACCEPT] = "the mail goes on without it",
        [FILTER_FAILURE_REJECT] = "the mail is refused",
    };
    return words[on_failure];
}

const char *
filter_words_verdict(FilterVerdict verdict)
{
    static const char *const words[] = {
        [FILTER_VERDICT_CONTINUE] = "has nothing against it",
        [FILTER_VERDICT_ACCEPT] = "accepts, and wants to hear no more",
        [FILTER_VERDICT_REPLY] = "refuses with a reply",
        [FILTER_VERDICT_REJECT] = "refuses without a text",
        [FILTER_VERDICT_TEMPFAIL] = "puts off without a text",
        [FILTER_VERDICT_DISCARD] = "throws the message away",
        [FILTER_VERDICT_SHUTDOWN] = "has the connection closed",
        [FILTER_VERDICT_CONN_FAIL] = "has the connection broken",
        [FILTER_VERDICT_FAILED] = "fails",
    };
    return words[verdict];
}

const char *
filter_words_change_name(ChangeKind kind)
{
    static const char *const names[] = {
        [CHANGE_ADD_HEADER] = "add-header",
        [CHANGE_INSERT_HEADER] = "insert-header",
        [CHANGE_SET_HEADER] = "change-header",
        [CHANGE_DELETE_HEADER] = "delete-header",
        [CHANGE_ADD_RECIPIENT] = "add-recipient",
        [CHANGE_ADD_RECIPIENT_PAR] = "add-recipient",
        [CHANGE_DELETE_RECIPIENT] = "delete-recipient",
        [CHANGE_SENDER] = "change-sender",
        [CHANGE_BODY] = "replace-body",
        [CHANGE_QUARANTINE] = "quarantine",
    };
    return names[kind];
}

char *
filter_words_change(const Change *change)
{
    const char *arguments = change->arguments != NULL ? change->arguments : "";
    const char *blank = *arguments != '\0' ? " " : "";
    switch (change->kind) {
    case CHANGE_ADD_HEADER:
        return g_strdup_printf("adds the header \"%s:%s\"", change->name, change->value);
    case CHANGE_INSERT_HEADER:
        return g_strdup_printf("inserts the header \"%s:%s\" at %u", change->name, change->value,
                               change->index);
    case CHANGE_SET_HEADER:
        return g_strdup_printf("makes header %u of its name \"%s:%s\"", change->index, change->name,
                               change->value);
    case CHANGE_DELETE_HEADER:
        return g_strdup_printf("deletes header %u of the name %s", change->index, change->name);
    case CHANGE_ADD_RECIPIENT:
    case CHANGE_ADD_RECIPIENT_PAR:
        return g_strdup_printf("adds the recipient %s%s%s", change->address, blank, arguments);
    case CHANGE_DELETE_RECIPIENT:
        return g_strdup_printf("deletes the recipient %s", change->address);
    case CHANGE_SENDER:
        return g_strdup_printf("makes the sender %s%s%s", change->address, blank, arguments);
    case CHANGE_BODY:
        return g_strdup("replaces the body");
    case CHANGE_QUARANTINE:
        return g_strdup_printf("has the message held: %s", change->reason);
    }
    g_assert_not_reached();
}
