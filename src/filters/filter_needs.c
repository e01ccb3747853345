/*
 * filter_needs: what filters need of an MTA in the milter protocol, joined.
 */
#include "filters/filter_needs.h"

#include <string.h>

static const struct {
    const char *defaults; /* what Postfix or Sendmail send */
    const char *extra;    /* what they may be told to send as well */
} macros[MILTER_STAGES] = {
    [MILTER_STAGE_CONNECT] = {"j _ v {daemon_name} {daemon_addr} {if_name} {if_addr}",
                              "{daemon_port} {client_addr} {client_connections} {client_name} "
                              "{client_port} {client_ptr} {client_resolve} {client_rate}"},
    [MILTER_STAGE_HELO] = {"{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
                           "{cert_md5} {server_addr} {server_name} {verify}"},
    [MILTER_STAGE_ENVFROM] = {"i {auth_type} {auth_authen} {auth_ssf} {auth_author} {mail_addr} "
                              "{mail_host} {mail_mailer}",
                              "{client_addr} {client_name} {client_port} {client_ptr} {dsn_envid} "
                              "{dsn_ret} {msg_size}"},
    [MILTER_STAGE_ENVRCPT] = {"i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
                              "{client_addr} {client_name} {dsn_notify} {nbadrcpts} {nrcpts}"},
    [MILTER_STAGE_DATA] = {"i", "{nbadrcpts} {nrcpts}"},
    [MILTER_STAGE_EOH] = {"i", ""},
    [MILTER_STAGE_EOM] = {"i {msg_id}", ""},
};

const char *
filter_needs_default_macros(MilterStage stage)
{
    return macros[stage].defaults;
}

const char *
filter_needs_extra_macros(MilterStage stage)
{
    return macros[stage].extra;
}

guint32
filter_needs_version(guint32 actions, guint32 steps)
{
    guint32 later = MILTER_STEPS_V6 & ~(guint32)MILTER_STEPS_V4;
    if ((steps & later) != 0 || (actions & MILTER_ACTIONS_V6 & ~(guint32)MILTER_ACTIONS_V2) != 0)
        return 6;
    if ((steps & MILTER_STEP_NODATA) != 0)
        return 4;
    return (steps & MILTER_STEP_NOUNKNOWN) != 0 ? 3 : 2;
}

static gboolean
is_silent(guint32 steps, MilterCommandCode code)
{
    return (steps & (milter_step_unwanted(code) | milter_step_unanswered(code))) != 0;
}

guint32
filter_needs_join(guint32 steps, guint32 others)
{
    static const MilterCommandCode commands[] = {
        MILTER_COMMAND_CONNECT, MILTER_COMMAND_HELO, MILTER_COMMAND_MAIL,
        MILTER_COMMAND_RCPT,    MILTER_COMMAND_DATA, MILTER_COMMAND_UNKNOWN,
        MILTER_COMMAND_HEADER,  MILTER_COMMAND_EOH,  MILTER_COMMAND_BODY,
    };
    const guint32 silent = MILTER_STEPS_NO | MILTER_STEPS_NR;
    guint32 both = (steps & others & MILTER_STEPS_NO) | ((steps | others) & ~silent);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++)
        if (is_silent(steps, commands[i]) && is_silent(others, commands[i]))
            both |= milter_step_unanswered(commands[i]);
    return both;
}

/* ---- lists of macros ------------------------------------------------------------------------- */

#define BETWEEN_NAMES " ,\t\r\n"

/* In a list, or a string of its own: not terminated. */
typedef struct {
    const char *start;
    gsize length;
} MacroName;

/* One of no octets: there is none. */
static MacroName
next_name(const char **names)
{
    const char *start = *names + strspn(*names, BETWEEN_NAMES);
    MacroName name = {start, strcspn(start, BETWEEN_NAMES)};
    *names = start + name.length;
    return name;
}

gboolean
filter_needs_next_macro(const char **names, GString *name)
{
    MacroName next = next_name(names);
    g_string_truncate(name, 0);
    g_string_append_len(name, next.start, (gssize)next.length);
    return next.length > 0;
}

/* "{i}" is "i". */
static MacroName
bare(MacroName name)
{
    if (name.length < 2 || name.start[0] != '{' || name.start[name.length - 1] != '}')
        return name;
    return (MacroName){name.start + 1, name.length - 2};
}

static gboolean
has_name(const char *names, MacroName sought)
{
    MacroName name;
    sought = bare(sought);
    while ((name = next_name(&names)).length > 0) {
        name = bare(name);
        if (name.length == sought.length && memcmp(name.start, sought.start, name.length) == 0)
            return TRUE;
    }
    return FALSE;
}

gboolean
filter_needs_has_macro(const char *names, const char *name)
{
    return has_name(names, (MacroName){name, strlen(name)});
}

gboolean
filter_needs_has_macros(const char *names, const char *others)
{
    MacroName name;
    while ((name = next_name(&others)).length > 0)
        if (!has_name(names, name))
            return FALSE;
    return TRUE;
}

void
filter_needs_add_macros(GString *list, const char *names)
{
    MacroName name;
    if (names == NULL)
        return;
    while ((name = next_name(&names)).length > 0) {
        if (has_name(list->str, name))
            continue;
        if (list->len > 0)
            g_string_append_c(list, ' ');
        g_string_append_len(list, name.start, (gssize)name.length);
    }
}
