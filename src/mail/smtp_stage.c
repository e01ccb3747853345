/*
 * smtp_stage: the points of an SMTP session at which a reply can be given.
 */
#include "mail/smtp_stage.h"

#include <string.h>

static const char *const names[] = {"connect", "helo", "starttls", "auth",  "mail",
                                    "rcpt",    "data", "eom",      "other", NULL};

static const struct {
    const char *prefix;
    SmtpStage stage;
} commands[] = {
    {"end of data", SMTP_STAGE_EOM},    {"sending end of data", SMTP_STAGE_EOM},
    {"end-of-message", SMTP_STAGE_EOM}, {".", SMTP_STAGE_EOM},
    {"bdat", SMTP_STAGE_EOM},           {"mail", SMTP_STAGE_MAIL},
    {"rcpt", SMTP_STAGE_RCPT},          {"data", SMTP_STAGE_DATA},
    {"ehlo", SMTP_STAGE_HELO},          {"helo", SMTP_STAGE_HELO},
    {"lhlo", SMTP_STAGE_HELO},          {"starttls", SMTP_STAGE_STARTTLS},
    {"auth", SMTP_STAGE_AUTH},          {"connect", SMTP_STAGE_CONNECT},
    {"initial", SMTP_STAGE_CONNECT},    {"vrfy", SMTP_STAGE_OTHER},
    {"expn", SMTP_STAGE_OTHER},         {"etrn", SMTP_STAGE_OTHER},
    {"rset", SMTP_STAGE_OTHER},         {"noop", SMTP_STAGE_OTHER},
    {"help", SMTP_STAGE_OTHER},         {"quit", SMTP_STAGE_OTHER},
};

const char *
smtp_stage_name(SmtpStage stage)
{
    g_assert(stage < SMTP_STAGE_COUNT);
    return stage == SMTP_STAGE_UNKNOWN ? NULL : names[stage - 1];
}

const char *const *
smtp_stage_names(void)
{
    return names;
}

SmtpStage
smtp_stage_from_name(const char *name)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return (SmtpStage)(i + 1);
    return SMTP_STAGE_UNKNOWN;
}

SmtpStage
smtp_stage_from_command(const char *command)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (g_ascii_strncasecmp(command, commands[i].prefix, strlen(commands[i].prefix)) == 0)
            return commands[i].stage;
    return SMTP_STAGE_UNKNOWN;
}
