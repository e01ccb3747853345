/*
 * reply_key: what the text of a Postfix refusal gives away for certain.
 */
#include "engine/reply_key.h"

#include <string.h>

#include "mail/address.h"

#define NO_FACT FACT_COUNT

/* Longer than any address or host name that is one. */
#define NAMED_MAX 512

/* What Postfix puts behind "<...>: ". */
static const struct {
    const char *words;
    Fact named;
    SmtpStage stage;
} named_phrases[] = {
    {"Recipient address rejected", FACT_RECIPIENT, SMTP_STAGE_RCPT},
    {"Relay access denied", FACT_RECIPIENT, SMTP_STAGE_RCPT},
    {"Sender address rejected", FACT_SENDER, SMTP_STAGE_UNKNOWN},
    {"Helo command rejected", FACT_HELO, SMTP_STAGE_UNKNOWN},
    {"Data command rejected", NO_FACT, SMTP_STAGE_DATA},
    {"End-of-data rejected", NO_FACT, SMTP_STAGE_EOM},
    {"Etrn command rejected", NO_FACT, SMTP_STAGE_OTHER},
};

/* And what it says without naming anybody. */
static const struct {
    const char *words;
    SmtpStage stage;
} plain_phrases[] = {
    {"Error: too many recipients", SMTP_STAGE_RCPT},
    {"Error: no valid recipients", SMTP_STAGE_DATA},
    {"Error: queue file write error", SMTP_STAGE_EOM},
    {"Error: too many hops", SMTP_STAGE_EOM},
    {"Error: content rejected", SMTP_STAGE_EOM},
    {"Temporary authentication failure", SMTP_STAGE_AUTH},
    {"Error: authentication failed", SMTP_STAGE_AUTH},
    {"TLS not available", SMTP_STAGE_STARTTLS},
};

/*
 * The end of "<...>" at the start of `text`, or NULL. A quoted local part may hold anything, a '>'
 * or one of our phrases included; outside of quotes a blank or a bracket is not Postfix's.
 */
static const char *
bracket_end(const char *text)
{
    gboolean quoted = FALSE;
    for (const char *at = text + 1; *at != '\0' && at - text <= NAMED_MAX; at++) {
        if (quoted && *at == '\\' && at[1] != '\0')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && *at == '>')
            return at;
        else if (!quoted && (*at == ' ' || *at == '<'))
            return NULL;
    }
    return NULL;
}

static void
set_named(Facts *facts, Fact fact, const char *text, const char *end)
{
    if (fact == NO_FACT)
        return;
    g_autofree char *named = g_strndup(text, (gsize)(end - text));
    g_autofree char *address = fact == FACT_HELO ? NULL : address_parse(named);
    facts_set(facts, fact, address == NULL ? named : address);
}

static void
read_named(const char *text, Facts *facts)
{
    const char *end = bracket_end(text);
    if (end == NULL || !g_str_has_prefix(end, ">: "))
        return;
    for (guint i = 0; i < G_N_ELEMENTS(named_phrases); i++)
        if (g_str_has_prefix(end + strlen(">: "), named_phrases[i].words)) {
            facts->stage = named_phrases[i].stage;
            set_named(facts, named_phrases[i].named, text + 1, end);
            return;
        }
}

static void
read_plain(const char *text, Facts *facts)
{
    for (guint i = 0; i < G_N_ELEMENTS(plain_phrases); i++)
        if (g_str_has_prefix(text, plain_phrases[i].words))
            facts->stage = plain_phrases[i].stage;
}

void
reply_key_read(const SmtpReply *reply, Facts *facts)
{
    const char *text = smtp_reply_line(reply, 0)->text;
    if (*text == '<')
        read_named(text, facts);
    else
        read_plain(text, facts);
}
