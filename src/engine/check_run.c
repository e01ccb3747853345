/*
 * check_run: the checks of one MTA session, as its facts come in.
 *
 * A few octets for each check: whether what was known so far rules it out, and whether all accepted
 * recipients met its condition on the recipient. No recipient list is kept, so a session with many
 * recipients takes no more memory than one with two.
 */
#include "engine/check_run.h"

#include "engine/conditions.h"

typedef struct {
    guint8 failed_at;           /* bits 1 << CheckPoint: a condition that is known there failed */
    gboolean recipients_differ; /* an accepted recipient did not meet it */
} CheckState;

G_STATIC_ASSERT(CHECK_POINT_COUNT <= 8);

/* What a new HELO or a new message does not undo. */
#define SESSION_POINTS (1u << CHECK_POINT_CONNECT | 1u << CHECK_POINT_HELO)

struct CheckRun {
    const Policy *policy;
    CheckState *states; /* one for each check */
    guint accepted;
    char *recipient; /* the first accepted one; NULL: none */
};

CheckRun *
check_run_new(const Policy *policy)
{
    CheckRun *run = g_new0(CheckRun, 1);
    run->policy = policy;
    run->states = g_new0(CheckState, policy_check_count(policy));
    return run;
}

void
check_run_free(CheckRun *run)
{
    if (run == NULL)
        return;
    g_free(run->states);
    g_free(run->recipient);
    g_free(run);
}

void
check_run_begin_message(CheckRun *run)
{
    for (guint i = 0; i < policy_check_count(run->policy); i++) {
        run->states[i].failed_at &= SESSION_POINTS;
        run->states[i].recipients_differ = FALSE;
    }
    run->accepted = 0;
    g_clear_pointer(&run->recipient, g_free);
}

static gboolean
recipient_meets(const PolicyCheck *check, const char *recipient)
{
    const char *const values[] = {recipient, NULL};
    for (guint i = 0; i < check->conditions->len; i++) {
        const Condition *condition = &g_array_index(check->conditions, Condition, i);
        if (condition->fact == FACT_RECIPIENT && !matcher_match(condition->matcher, values, NULL))
            return FALSE;
    }
    return TRUE;
}

void
check_run_accept_recipient(CheckRun *run, const char *recipient)
{
    for (guint i = 0; i < policy_check_count(run->policy); i++) {
        const PolicyCheck *check = policy_check(run->policy, i);
        if (check->all_recipients && !run->states[i].recipients_differ)
            run->states[i].recipients_differ = !recipient_meets(check, recipient);
    }
    run->accepted++;
    if (run->recipient == NULL)
        run->recipient = g_strdup(recipient);
}

/* The stage is another one at each point, the recipient another one at each RCPT. */
static gboolean
stays_known(Fact fact, CheckPoint point)
{
    return fact != FACT_STAGE && fact != FACT_RECIPIENT && fact_known_at(fact) == point;
}

/* For a check that needs the message: what is known from this point on, and speaks against it. */
static void
note_failure(CheckState *state, const PolicyCheck *check, CheckPoint point, MatchView *view)
{
    state->failed_at &= (guint8) ~(1u << point);
    for (guint i = 0; i < check->conditions->len; i++) {
        const Condition *condition = &g_array_index(check->conditions, Condition, i);
        if (stays_known(condition->fact, point) &&
            condition_try(view, condition, NULL) == CONDITION_FAILS)
            state->failed_at |= (guint8)(1u << point);
    }
}

static gboolean
needs_message(const PolicyCheck *check)
{
    return check->speaks_at >= CHECK_POINT_HEADERS;
}

/* All accepted recipients have met it, and the first one stands for them. */
static gboolean
recipients_meet(const CheckRun *run, guint index)
{
    return run->accepted > 0 && !run->states[index].recipients_differ;
}

static gboolean
check_matches(const CheckRun *run, guint index, const Facts *facts, MatchView *view,
              MatchCaptures *captures)
{
    const PolicyCheck *check = policy_check(run->policy, index);
    if (!check->all_recipients)
        return conditions_hold(view, check->conditions, captures);
    if (!recipients_meet(run, index))
        return FALSE;
    Facts with_recipient = *facts; /* borrows all of it */
    with_recipient.known[FACT_RECIPIENT] = run->recipient;
    return engine_conditions_match(check->conditions, &with_recipient, NULL, NULL, captures);
}

/* The reply may name the recipient where there was only one. */
static void
speak(const CheckRun *run, guint index, const Facts *facts, const MatchCaptures *captures,
      const EngineMoment *moment, Decision *decision)
{
    const PolicyCheck *check = policy_check(run->policy, index);
    Facts with_recipient = *facts;
    if (check->all_recipients && run->accepted == 1)
        with_recipient.known[FACT_RECIPIENT] = run->recipient;
    engine_check(run->policy, check, &with_recipient, captures, moment, decision);
}

gboolean
check_run_at(CheckRun *run, CheckPoint point, const Facts *facts, const EngineMoment *moment,
             Decision *decision)
{
    gboolean spoken = FALSE;
    MatchView view;
    match_view_init(&view, facts, NULL, NULL);
    for (guint i = 0; i < policy_check_count(run->policy) && !spoken; i++) {
        const PolicyCheck *check = policy_check(run->policy, i);
        if (needs_message(check) && check->speaks_at > point)
            note_failure(&run->states[i], check, point, &view);
        if (check->speaks_at != point)
            continue;
        MatchCaptures captures = {.value = NULL};
        spoken = check_matches(run, i, facts, &view, &captures);
        if (spoken)
            speak(run, i, facts, &captures, moment, decision);
        match_captures_clear(&captures);
    }
    match_view_clear(&view);
    return spoken;
}

gboolean
check_run_wants_message(const CheckRun *run, CheckPoint point, gboolean report)
{
    for (guint i = 0; i < policy_check_count(run->policy); i++) {
        const PolicyCheck *check = policy_check(run->policy, i);
        if (!needs_message(check) || check->speaks_at <= point || run->states[i].failed_at != 0)
            continue;
        if (!report && check->asks_report)
            continue;
        if (!check->all_recipients || recipients_meet(run, i))
            return TRUE;
    }
    return FALSE;
}
