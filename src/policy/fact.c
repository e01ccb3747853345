/*
 * fact: what can be known about a session, and from which check point on.
 */
#include "policy/fact.h"

#include <string.h>

static const char *const names[FACT_COUNT + 1] = {
    [FACT_STAGE] = "stage",
    [FACT_CLIENT] = "client",
    [FACT_CLIENT_NAME] = "client_name",
    [FACT_HELO] = "helo",
    [FACT_SENDER] = "sender",
    [FACT_RECIPIENT] = "recipient",
    [FACT_AUTH_USER] = "auth_user",
    [FACT_TLS] = "tls",
    [FACT_CODE] = "code",
    [FACT_STATUS] = "status",
    [FACT_CATEGORY] = "category",
    [FACT_PROVIDER] = "provider",
    [FACT_KIND] = "kind",
    [FACT_TEXT] = "text",
    [FACT_FILTER] = "filter",
    [FACT_HEADER] = "header",
    [FACT_SIZE] = "size",
    [FACT_DAEMON] = "daemon",
    [FACT_DIRECTION] = "direction",
};

/* AUTH and STARTTLS may come between HELO and MAIL; the direction hangs on AUTH. */
static const CheckPoint known_at[FACT_COUNT] = {
    [FACT_STAGE] = CHECK_POINT_CONNECT,
    [FACT_CLIENT] = CHECK_POINT_CONNECT,
    [FACT_CLIENT_NAME] = CHECK_POINT_CONNECT,
    [FACT_HELO] = CHECK_POINT_HELO,
    [FACT_SENDER] = CHECK_POINT_MAIL,
    [FACT_RECIPIENT] = CHECK_POINT_RCPT,
    [FACT_AUTH_USER] = CHECK_POINT_MAIL,
    [FACT_TLS] = CHECK_POINT_MAIL,
    [FACT_CODE] = CHECK_POINT_NEVER,
    [FACT_STATUS] = CHECK_POINT_NEVER,
    [FACT_CATEGORY] = CHECK_POINT_EOM,
    [FACT_PROVIDER] = CHECK_POINT_NEVER,
    [FACT_KIND] = CHECK_POINT_EOM,
    [FACT_TEXT] = CHECK_POINT_NEVER,
    [FACT_FILTER] = CHECK_POINT_NEVER,
    [FACT_HEADER] = CHECK_POINT_HEADERS,
    [FACT_SIZE] = CHECK_POINT_EOM,
    [FACT_DAEMON] = CHECK_POINT_CONNECT,
    [FACT_DIRECTION] = CHECK_POINT_MAIL,
};

static const char *const point_names[CHECK_POINT_COUNT + 1] = {
    [CHECK_POINT_CONNECT] = "connect", [CHECK_POINT_HELO] = "helo",
    [CHECK_POINT_MAIL] = "mail",       [CHECK_POINT_RCPT] = "rcpt",
    [CHECK_POINT_DATA] = "data",       [CHECK_POINT_HEADERS] = "headers",
    [CHECK_POINT_EOM] = "eom",         [CHECK_POINT_NEVER] = "never",
};

const char *
fact_name(Fact fact)
{
    g_assert((guint)fact < FACT_COUNT);
    return names[fact];
}

gboolean
fact_from_name(const char *name, Fact *fact)
{
    for (guint i = 0; i < FACT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *fact = (Fact)i;
            return TRUE;
        }
    }
    return FALSE;
}

const char *const *
fact_names(void)
{
    return names;
}

CheckPoint
fact_known_at(Fact fact)
{
    g_assert((guint)fact < FACT_COUNT);
    return known_at[fact];
}

gboolean
fact_of_reply(Fact fact)
{
    return fact != FACT_KIND;
}

gboolean
fact_of_report(Fact fact)
{
    return fact == FACT_CATEGORY || fact == FACT_KIND;
}

const char *
check_point_name(CheckPoint point)
{
    g_assert((guint)point <= CHECK_POINT_COUNT);
    return point_names[point];
}

SmtpStage
check_point_stage(CheckPoint point)
{
    static const SmtpStage stages[CHECK_POINT_COUNT] = {
        [CHECK_POINT_CONNECT] = SMTP_STAGE_CONNECT, [CHECK_POINT_HELO] = SMTP_STAGE_HELO,
        [CHECK_POINT_MAIL] = SMTP_STAGE_MAIL,       [CHECK_POINT_RCPT] = SMTP_STAGE_RCPT,
        [CHECK_POINT_DATA] = SMTP_STAGE_DATA,       [CHECK_POINT_HEADERS] = SMTP_STAGE_EOM,
        [CHECK_POINT_EOM] = SMTP_STAGE_EOM,
    };
    return (guint)point < CHECK_POINT_COUNT ? stages[point] : SMTP_STAGE_UNKNOWN;
}
