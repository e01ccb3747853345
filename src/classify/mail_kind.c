/*
 * mail_kind: what a mail tells of mail that was sent before.
 */
#include "classify/mail_kind.h"

static const char *const names[MAIL_KIND_COUNT + 1] = {
    [MAIL_KIND_NOT_A_BOUNCE] = "not-a-bounce",
    [MAIL_KIND_FAILURE] = "failure",
    [MAIL_KIND_DELAY] = "delay",
    [MAIL_KIND_DELIVERED] = "delivered",
    [MAIL_KIND_FEEDBACK] = "feedback",
    [MAIL_KIND_AUTO_REPLY] = "auto-reply",
};

const char *
mail_kind_name(MailKind kind)
{
    g_assert((guint)kind < MAIL_KIND_COUNT);
    return names[kind];
}

const char *const *
mail_kind_names(void)
{
    return names;
}

gboolean
mail_kind_fails(MailKind kind)
{
    return kind == MAIL_KIND_FAILURE || kind == MAIL_KIND_DELAY;
}

Finality
mail_kind_finality(MailKind kind)
{
    return kind == MAIL_KIND_DELAY ? FINALITY_DELAYED : FINALITY_FAILED;
}
