/*
 * check_plan: at which point of a session a check speaks, and what it can say there.
 *
 * The MTAs lose the text of a refusal at connect or HELO, so what is known there is said at RCPT,
 * unless the check wants it at once.
 */
#include "policy/check_plan.h"

#include <string.h>

#include "catalog/catalog.h"
#include "policy/condition_reader.h"
#include "policy/rule_reader.h"

/* Where each variable is known first; a point of 0 (connect) for what every reply of ours has. */
static const CheckPoint variable_known_at[VARIABLE_COUNT] = {
    [VARIABLE_CLIENT_ADDR] = CHECK_POINT_CONNECT,
    [VARIABLE_CLIENT_NAME] = CHECK_POINT_CONNECT,
    [VARIABLE_HELO] = CHECK_POINT_HELO,
    [VARIABLE_SENDER] = CHECK_POINT_MAIL,
    [VARIABLE_SENDER_DOMAIN] = CHECK_POINT_MAIL,
    [VARIABLE_RECIPIENT] = CHECK_POINT_RCPT,
    [VARIABLE_RECIPIENT_DOMAIN] = CHECK_POINT_RCPT,
    [VARIABLE_QUEUE_ID] = CHECK_POINT_MAIL,
    [VARIABLE_ORIGINAL] = CHECK_POINT_NEVER,
};

/* The `then` of the check, or the check. */
static const config_setting_t *
place_of(const config_setting_t *entry, const char *name)
{
    const config_setting_t *then = config_setting_get_member(entry, "then");
    const config_setting_t *at = config_setting_get_member(then, name);
    return at != NULL ? at : then;
}

/* ---- the point
 * ------------------------------------------------------------------------------------- */

static CheckPoint
conditions_known_at(const GArray *conditions)
{
    CheckPoint latest = CHECK_POINT_CONNECT;
    for (guint i = 0; i < conditions->len; i++) {
        CheckPoint point = fact_known_at(g_array_index(conditions, Condition, i).fact);
        latest = MAX(latest, point);
    }
    return latest;
}

/* The first point at which the action is possible at all. A discard hits all recipients. */
static CheckPoint
first_point_of_action(const PolicyCheck *check)
{
    switch (check->action) {
    case CHECK_QUARANTINE:
        return CHECK_POINT_EOM;
    case CHECK_DISCARD:
        return conditions_find(check->conditions, FACT_RECIPIENT) != NULL ? CHECK_POINT_DATA
                                                                          : CHECK_POINT_MAIL;
    case CHECK_REFUSE:
        break;
    }
    return CHECK_POINT_CONNECT;
}

static CheckPoint
natural_point(const PolicyCheck *check)
{
    CheckPoint point = MAX(check->known_at, first_point_of_action(check));
    gboolean chosen = check->at_once || conditions_find(check->conditions, FACT_STAGE) != NULL;
    if (point < CHECK_POINT_MAIL && !chosen)
        return CHECK_POINT_RCPT;
    while (point < CHECK_POINT_NEVER &&
           !conditions_take_stage(check->conditions, check_point_stage(point)))
        point++;
    return point;
}

static gboolean
find_point(Reading *reading, const config_setting_t *entry, PolicyCheck *check)
{
    const config_setting_t *stage =
        config_setting_get_member(config_setting_get_member(entry, "when"), "stage");
    check->known_at = conditions_known_at(check->conditions);
    check->speaks_at = natural_point(check);
    if (check->speaks_at == CHECK_POINT_NEVER) {
        reading_problem(reading, stage,
                        "the check never speaks: what it asks for is known from \"%s\" on, and "
                        "what it does is possible from \"%s\" on",
                        check_point_name(check->known_at),
                        check_point_name(first_point_of_action(check)));
        return FALSE;
    }
    if (check->speaks_at < CHECK_POINT_MAIL && !check->at_once) {
        reading_problem(reading, stage,
                        "the MTA loses the text of a refusal at \"%s\": leave the stage out, and "
                        "the check speaks at RCPT, or say at_once = true",
                        check_point_name(check->speaks_at));
        return FALSE;
    }
    check->asks_report = conditions_ask_report(check->conditions);
    check->all_recipients = check->speaks_at > CHECK_POINT_RCPT &&
                            conditions_find(check->conditions, FACT_RECIPIENT) != NULL;
    return TRUE;
}

static void
warn_of_at_once(Reading *reading, const config_setting_t *entry, const PolicyCheck *check)
{
    if (!check->at_once)
        return;
    if (check->speaks_at >= CHECK_POINT_MAIL)
        reading_warning(reading, place_of(entry, "at_once"),
                        "\"at_once\" changes nothing: the check speaks at \"%s\" anyway",
                        check_point_name(check->speaks_at));
    else
        reading_warning(reading, place_of(entry, "at_once"),
                        "the client will not see this text: the MTA has its own at \"%s\"",
                        check_point_name(check->speaks_at));
}

/* ---- the reply
 * -------------------------------------------------------------------------------------- */

static void
complete_reply(PolicyCheck *check)
{
    SmtpStage stage = check_point_stage(check->speaks_at);
    ReplyTemplate *reply = &check->reply;
    if (reply->code == 0)
        reply->code = catalog_code_for_stage(reply->status.class == 4 ? 450 : 550, stage);
    if (!enhanced_status_is_set(reply->status))
        reply->status = catalog_default_status(reply->code, stage);
    if (!enhanced_status_is_set(reply->status))
        reply->status = (EnhancedStatus){(guint8)(reply->code / 100), 7, 1};
}

static void
check_code(Reading *reading, const config_setting_t *entry, const PolicyCheck *check)
{
    guint code = check->reply.code;
    SmtpStage stage = check_point_stage(check->speaks_at);
    if (catalog_code_at_stage(code, stage) == CATALOG_STAGE_WRONG)
        reading_problem(reading, place_of(entry, "code"),
                        "the check speaks at \"%s\", where code %u cannot be given: use %u",
                        check_point_name(check->speaks_at), code,
                        catalog_code_for_stage(code, stage));
    else if (smtp_code_hangs_up(code))
        reading_warning(reading, place_of(entry, "code"),
                        "the MTA closes the connection behind a %u: later recipients and messages "
                        "of that session are lost to the client",
                        code);
}

static void
check_variables(Reading *reading, const config_setting_t *entry, const PolicyCheck *check)
{
    const config_setting_t *at = place_of(entry, "text");
    for (guint i = 0; i < VARIABLE_COUNT; i++) {
        Variable variable = (Variable)i;
        if (!reply_template_uses(&check->reply, variable))
            continue;
        gboolean recipient =
            variable == VARIABLE_RECIPIENT || variable == VARIABLE_RECIPIENT_DOMAIN;
        if (variable_known_at[i] == CHECK_POINT_NEVER)
            reading_problem(reading, at, "%%{%s} has no value in a check: there is no other reply",
                            variable_name(variable));
        else if (variable_known_at[i] > check->speaks_at)
            reading_problem(reading, at, "%%{%s} is not known at \"%s\", where the check speaks",
                            variable_name(variable), check_point_name(check->speaks_at));
        else if (recipient && check->speaks_at > CHECK_POINT_RCPT)
            reading_warning(reading, at,
                            "the line with %%{%s} is left out where a message has several "
                            "recipients: the check speaks at \"%s\"",
                            variable_name(variable), check_point_name(check->speaks_at));
    }
}

void
check_plan(Reading *reading, const config_setting_t *entry, PolicyCheck *check)
{
    if (!find_point(reading, entry, check))
        return;
    warn_of_at_once(reading, entry, check);
    check_variables(reading, entry, check);
    if (check->action != CHECK_REFUSE)
        return;
    complete_reply(check);
    check_code(reading, entry, check);
}
