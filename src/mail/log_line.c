/*
 * log_line: what a line of a mail log says about a delivery or a refusal.
 */
#include "mail/log_line.h"

#include <string.h>

#include "mail/address.h"
#include "mail/log_field.h"

#define QUEUE_ID_MIN 4
#define QUEUE_ID_MAX 24

/* ---- who wrote it ------------------------------------------------------------------------------
 */

/* The programs of Postfix that say something of this; its syslog_name stands before the slash. */
static gboolean
is_postfix_program(LogSpan program)
{
    static const char *const names[] = {"smtp",    "lmtp",  "local",      "virtual", "pipe",
                                        "error",   "retry", "discard",    "qmgr",    "oqmgr",
                                        "cleanup", "smtpd", "postscreen", "bounce",  NULL};
    const char *slash = memrchr(program.at, '/', program.length);
    if (slash == NULL)
        return FALSE;
    LogSpan name = log_span_from(program, slash + 1);
    for (guint i = 0; names[i] != NULL; i++)
        if (log_span_is(name, names[i]))
            return TRUE;
    return FALSE;
}

static gboolean
is_known_program(LogSpan program)
{
    return program.length == 0 || is_postfix_program(program) ||
           log_span_begins(program, "sendmail") || log_span_begins(program, "sm-");
}

/* ---- addresses and hosts -----------------------------------------------------------------------
 */

static char *
copy(LogSpan span)
{
    return g_strndup(span.at, span.length);
}

static char *
copy_address(LogSpan span)
{
    g_autofree char *path = copy(span);
    return address_parse(path);
}

static gboolean
is_comma(LogSpan span, gsize at)
{
    return span.at[at] == ',';
}

/* "<a@b.example>,<c@d.example>". */
static void
add_recipients(LogLine *line, LogSpan list)
{
    while (list.length > 0 && line->recipients->len < LOG_LINE_MAX_RECIPIENTS) {
        gsize length = log_span_skip(list, 0, is_comma);
        char *address = copy_address((LogSpan){list.at, length});
        if (address[0] != '\0')
            g_ptr_array_add(line->recipients, address);
        else
            g_free(address);
        list = log_span_from(list, list.at + MIN(length + 1, list.length));
    }
}

/* A mail without one is logged with "<>". */
static void
set_message_id(LogLine *line, LogSpan id)
{
    char *message_id = copy_address(id);
    if (line->message_id == NULL && message_id[0] != '\0')
        line->message_id = message_id;
    else
        g_free(message_id);
}

static void
set_sender(LogLine *line, LogSpan path)
{
    g_free(line->sender);
    line->sender = copy_address(path);
}

/* "mx.example.org[192.0.2.1]:25", "mx.example.org. [192.0.2.1]", "[192.0.2.1]"; "none" and the
 * names of transports are no hosts. */
static void
set_relay(LogLine *line, LogSpan relay)
{
    const char *open = memchr(relay.at, '[', relay.length);
    gsize name = open != NULL ? (gsize)(open - relay.at) : relay.length;
    while (name > 0 && (relay.at[name - 1] == ' ' || relay.at[name - 1] == '.'))
        name--;
    LogSpan host = {relay.at, name};
    gboolean named = name > 0 && memchr(host.at, ' ', name) == NULL &&
                     (open != NULL || memchr(host.at, '.', name) != NULL) &&
                     !log_span_is(host, "unknown");
    g_free(line->relay_name);
    line->relay_name = named ? copy(host) : NULL;
    if (open == NULL)
        return;
    LogSpan addr = log_span_from(relay, open + 1);
    const char *close = memchr(addr.at, ']', addr.length);
    g_free(line->relay_addr);
    line->relay_addr = close != NULL ? g_strndup(addr.at, (gsize)(close - addr.at)) : NULL;
}

static gboolean
begins_with_number(LogSpan text)
{
    return text.length >= 3 && g_ascii_isdigit(text.at[0]) && g_ascii_isdigit(text.at[1]) &&
           g_ascii_isdigit(text.at[2]) && (text.length == 3 || !g_ascii_isdigit(text.at[3]));
}

/* What was said; the status of dsn= goes before it where it has no code of its own. */
static void
set_text(LogLine *line, LogSpan text)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    gboolean whole = begins_with_number(text) || log_span_find(text, "said: ") != NULL;
    g_free(line->text);
    if (whole || !enhanced_status_is_set(line->status))
        line->text = copy(text);
    else
        line->text = g_strdup_printf("%s %.*s", enhanced_status_format(line->status, status),
                                     (int)text.length, text.at);
}

/* ---- deliveries --------------------------------------------------------------------------------
 */

static void
read_status(LogLine *line, LogSpan value)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    if (value.length >= sizeof(text))
        return;
    memcpy(text, value.at, value.length);
    text[value.length] = '\0';
    enhanced_status_parse(text, &line->status);
}

/* Postfix: "bounced (host mx[192.0.2.1] said: 550 ...)". */
static LogLineKind
read_postfix_status(LogLine *line, LogSpan value)
{
    static const struct {
        const char *word;
        LogLineKind kind;
    } words[] = {
        {"bounced", LOG_LINE_FAILED},        {"deferred", LOG_LINE_DEFERRED},
        {"sent", LOG_LINE_DELIVERED},        {"SOFTBOUNCE", LOG_LINE_DEFERRED},
        {"undeliverable", LOG_LINE_REFUSED}, /* a probe: no mail has failed */
        {"expired", LOG_LINE_EXPIRED},       {"force-expired", LOG_LINE_EXPIRED},
    };
    const char *open = memchr(value.at, '(', value.length);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!log_span_take(&value, words[i].word))
            continue;
        if (value.length > 0 && *value.at != ' ' && *value.at != ',')
            return LOG_LINE_OTHER;
        if (open != NULL) {
            LogSpan said = log_span_from(value, open + 1);
            const char *close = memrchr(said.at, ')', said.length);
            if (close != NULL) /* a syslog daemon may have cut the line */
                said.length = (gsize)(close - said.at);
            set_text(line, said);
        }
        return words[i].kind;
    }
    return LOG_LINE_OTHER;
}

/* Sendmail: "Sent (ok)", "Deferred: Connection refused by mx.example.", "User unknown". */
static LogLineKind
read_sendmail_stat(LogLine *line, LogSpan stat, LogSpan reply)
{
    if (log_span_begins(stat, "queued") || log_span_begins(stat, "quarantine") || stat.length == 0)
        return LOG_LINE_OTHER;
    if (log_span_begins(stat, "Sent") || line->status.class == 2)
        return LOG_LINE_DELIVERED;
    gboolean deferred = log_span_take(&stat, "Deferred");
    if (deferred && !log_span_take(&stat, ": "))
        stat = (LogSpan){"Deferred", strlen("Deferred")};
    set_text(line, begins_with_number(reply) ? reply : stat);
    return deferred || line->status.class == 4 ? LOG_LINE_DEFERRED : LOG_LINE_FAILED;
}

/*
 * "to=<a@b.example>, relay=..., dsn=..., status=..." or "..., stat=...". Of a message that Sendmail
 * refused at its end it writes "stat=" too, though nothing was tried: the client keeps that one.
 */
static LogLineKind
read_delivery(LogLine *line, LogSpan rest)
{
    LogField field;
    LogSpan reply = {rest.at, 0};
    gboolean tried = FALSE;
    while (log_field_next(&rest, &field)) {
        tried = tried || log_span_is(field.key, "mailer") || log_span_is(field.key, "dsn");
        if (log_span_is(field.key, "to"))
            add_recipients(line, field.value);
        else if (log_span_is(field.key, "relay"))
            set_relay(line, field.value);
        else if (log_span_is(field.key, "dsn"))
            read_status(line, field.value);
        else if (log_span_is(field.key, "reply"))
            reply = field.value;
        else if (log_span_is(field.key, "status"))
            return read_postfix_status(line, field.value);
        else if (log_span_is(field.key, "stat"))
            return tried ? read_sendmail_stat(line, field.value, reply) : LOG_LINE_OTHER;
    }
    return LOG_LINE_OTHER;
}

/* "from=<a@b.example>, size=..., msgid=<...>", "from=<a@b.example>, status=expired, ...". */
static LogLineKind
read_sender(LogLine *line, LogSpan rest)
{
    LogField field;
    LogLineKind kind = LOG_LINE_SENDER;
    while (log_field_next(&rest, &field)) {
        if (log_span_is(field.key, "from"))
            set_sender(line, field.value);
        else if (log_span_is(field.key, "msgid"))
            set_message_id(line, field.value);
        else if (log_span_is(field.key, "status"))
            kind = read_postfix_status(line, field.value);
    }
    return kind == LOG_LINE_SENDER || kind == LOG_LINE_EXPIRED ? kind : LOG_LINE_OTHER;
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

/* "from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<x>", and for what stands in a header, the
 * text behind it: ": 5.7.1 No". Returns where the last field ended. */
static const char *
read_envelope(LogLine *line, LogSpan rest)
{
    LogField field;
    const char *end = rest.at;
    while (log_field_next(&rest, &field)) {
        const char *close = memchr(field.value.at, '>', field.value.length);
        if (log_span_is(field.key, "from"))
            set_sender(line, field.value);
        else if (log_span_is(field.key, "to"))
            add_recipients(line, field.value);
        end = close != NULL ? close + 1 : field.value.at + field.value.length;
    }
    return end;
}

/* Where the envelope begins in "550 5.1.1 ...; from=<a@b.example> to=..."; NULL: nowhere. */
static const char *
find_envelope(LogSpan text)
{
    static const char *const marks[] = {"; from=<", "; to=<", "; proto="};
    for (guint i = 0; i < G_N_ELEMENTS(marks); i++) {
        const char *at = log_span_find_last(text, marks[i]);
        if (at != NULL)
            return at;
    }
    return NULL;
}

/* Postfix: "header Subject: buy from mx[192.0.2.1]; from=<...> to=<...> helo=<x>: 5.7.1 No". */
static LogLineKind
read_content_refusal(LogLine *line, LogSpan rest)
{
    const char *envelope = find_envelope(rest);
    if (envelope == NULL)
        return LOG_LINE_OTHER;
    const char *end = read_envelope(line, log_span_from(rest, envelope + 2));
    LogSpan text = log_span_from(rest, end);
    line->stage = SMTP_STAGE_EOM;
    if (!log_span_take(&text, ": "))
        return LOG_LINE_OTHER;
    set_text(line, text);
    return LOG_LINE_REFUSED;
}

/* Postfix: "RCPT from mx[192.0.2.1]: 550 5.1.1 ...; from=<...> to=<...> proto=ESMTP helo=<x>". */
static LogLineKind
read_postfix_refusal(LogLine *line, LogSpan rest)
{
    const char *from = log_span_find(rest, " from ");
    if (log_span_begins(rest, "header ") || log_span_begins(rest, "body ") ||
        log_span_begins(rest, "mime-header ") || log_span_begins(rest, "nested-header "))
        return read_content_refusal(line, rest);
    if (from == NULL)
        return LOG_LINE_OTHER;
    g_autofree char *command = g_strndup(rest.at, (gsize)(from - rest.at));
    line->stage = smtp_stage_from_command(command);
    LogSpan client = log_span_from(rest, from + strlen(" from "));
    const char *colon = log_span_find(client, ": ");
    if (colon == NULL)
        return LOG_LINE_OTHER;
    LogSpan text = log_span_from(client, colon + strlen(": "));
    client.length = (gsize)(colon - client.at);
    set_relay(line, client);
    const char *envelope = find_envelope(text);
    if (envelope != NULL) {
        read_envelope(line, log_span_from(text, envelope + 2));
        text.length = (gsize)(envelope - text.at);
    }
    set_text(line, text);
    return LOG_LINE_REFUSED;
}

/* arg1= of Sendmail's rule sets. */
static void
read_ruleset(LogLine *line, const char *ruleset, LogSpan argument)
{
    static const struct {
        const char *name;
        SmtpStage stage;
    } rulesets[] = {
        {"check_rcpt", SMTP_STAGE_RCPT},     {"check_mail", SMTP_STAGE_MAIL},
        {"check_relay", SMTP_STAGE_CONNECT}, {"check_data", SMTP_STAGE_DATA},
        {"check_eom", SMTP_STAGE_EOM},       {"check_eoh", SMTP_STAGE_EOM},
        {"check_helo", SMTP_STAGE_HELO},     {"tls_client", SMTP_STAGE_STARTTLS},
        {"trust_auth", SMTP_STAGE_AUTH},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rulesets); i++)
        if (g_str_has_prefix(ruleset, rulesets[i].name))
            line->stage = rulesets[i].stage;
    if (line->stage == SMTP_STAGE_RCPT)
        add_recipients(line, argument);
    else if (line->stage == SMTP_STAGE_MAIL)
        set_sender(line, argument);
}

/* Sendmail: "ruleset=check_rcpt, arg1=<a@b.example>, relay=mx [192.0.2.1], reject=550 ...",
 * "Milter: to=<a@b.example>, reject=550 ...", "Milter: cmd=data, reject=...", "Milter: data,
 * reject=...", the last at the end of the message; "milter=x, reject=...". */
static LogLineKind
read_sendmail_refusal(LogLine *line, LogSpan rest)
{
    LogField field;
    g_autofree char *ruleset = NULL;
    gboolean milter = log_span_take(&rest, "Milter: ");
    while (log_field_next(&rest, &field)) {
        if (log_span_is(field.key, "ruleset")) {
            g_free(ruleset);
            ruleset = copy(field.value);
        } else if (log_span_is(field.key, "arg1") && ruleset != NULL) {
            read_ruleset(line, ruleset, field.value);
        } else if (log_span_is(field.key, "relay")) {
            set_relay(line, field.value);
        } else if (log_span_is(field.key, "from")) {
            set_sender(line, field.value);
            line->stage = milter ? SMTP_STAGE_MAIL : line->stage;
        } else if (log_span_is(field.key, "to")) {
            add_recipients(line, field.value);
            line->stage = milter ? SMTP_STAGE_RCPT : line->stage;
        } else if (log_span_is(field.key, "data")) {
            line->stage = SMTP_STAGE_EOM;
        } else if (log_span_is(field.key, "cmd") && log_span_is(field.value, "data")) {
            line->stage = SMTP_STAGE_DATA;
        } else if (log_span_is(field.key, "helo")) {
            line->stage = SMTP_STAGE_HELO;
        } else if (log_span_is(field.key, "reject")) {
            set_text(line, field.value);
            return LOG_LINE_REFUSED;
        }
    }
    return LOG_LINE_OTHER;
}

/* Sendmail: "<nobody@b.example>... User unknown". */
static LogLineKind
read_unknown_user(LogLine *line, LogSpan rest)
{
    const char *dots = log_span_find(rest, ">... ");
    if (dots == NULL)
        return LOG_LINE_OTHER;
    LogSpan text = log_span_from(rest, dots + strlen(">... "));
    if (!log_span_is(text, "User unknown"))
        return LOG_LINE_OTHER;
    add_recipients(line, (LogSpan){rest.at, (gsize)(dots + 1 - rest.at)});
    line->stage = SMTP_STAGE_RCPT;
    line->status = (EnhancedStatus){5, 1, 1};
    set_text(line, text);
    return LOG_LINE_REFUSED;
}

/* ---- the line ----------------------------------------------------------------------------------
 */

/* "4XyZ12345zz: ": the queue id, or NULL and TRUE for NOQUEUE. "[1]" behind it: the first part of a
 * line that Sendmail had to cut; the others begin anywhere and say nothing. */
static gboolean
take_queue_id(LogSpan *rest, char **queue_id)
{
    gsize length = 0;
    while (length < rest->length && length <= QUEUE_ID_MAX && g_ascii_isalnum(rest->at[length]))
        length++;
    LogSpan id = {rest->at, length}, behind = log_span_from(*rest, rest->at + length);
    log_span_take(&behind, "[1]");
    if (length < QUEUE_ID_MIN || length > QUEUE_ID_MAX || !log_span_take(&behind, ": "))
        return FALSE;
    *queue_id = log_span_is(id, "NOQUEUE") ? NULL : copy(id);
    *rest = behind;
    return TRUE;
}

/* Sendmail: "xALC0001012345: sender notify: Cannot send message for 5 days". */
static gboolean
says_expired(LogSpan rest)
{
    static const char *const notices[] = {
        "sender notify: ", "postmaster notify: ", "return to sender: ", "DSN: "};
    g_autofree char *report = NULL;
    if (!take_queue_id(&rest, &report))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(notices); i++)
        if (log_span_take(&rest, notices[i]))
            return log_span_begins(rest, "Cannot send message ") ||
                   log_span_begins(rest, "Message could not be delivered for ");
    return FALSE;
}

static LogLineKind
read_rest(LogLine *line, LogSpan rest)
{
    if (log_span_begins(rest, "to="))
        return read_delivery(line, rest);
    if (log_span_take(&rest, "reject: ") || log_span_take(&rest, "milter-reject: "))
        return read_postfix_refusal(line, rest);
    if (log_span_begins(rest, "from="))
        return read_sender(line, rest);
    if (log_span_take(&rest, "message-id=")) {
        set_message_id(line, rest);
        return line->message_id != NULL ? LOG_LINE_MESSAGE_ID : LOG_LINE_OTHER;
    }
    if (log_span_is(rest, "removed"))
        return LOG_LINE_REMOVED;
    if (log_span_begins(rest, "ruleset=") || log_span_begins(rest, "Milter: ") ||
        log_span_begins(rest, "milter="))
        return read_sendmail_refusal(line, rest);
    if (log_span_begins(rest, "<"))
        return read_unknown_user(line, rest);
    return says_expired(rest) ? LOG_LINE_EXPIRED : LOG_LINE_OTHER;
}

void
log_line_clear(LogLine *line)
{
    g_clear_pointer(&line->queue_id, g_free);
    g_clear_pointer(&line->recipients, g_ptr_array_unref);
    g_clear_pointer(&line->sender, g_free);
    g_clear_pointer(&line->message_id, g_free);
    g_clear_pointer(&line->relay_name, g_free);
    g_clear_pointer(&line->relay_addr, g_free);
    g_clear_pointer(&line->text, g_free);
    line->kind = LOG_LINE_OTHER;
}

gboolean
log_line_parse(const char *text, gsize length, LogLine *line)
{
    LogSpan rest;
    *line = (LogLine){.kind = LOG_LINE_OTHER};
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    gboolean stamped = log_stamp_parse(text, length, &line->stamp);
    rest = line->stamp.body;
    if (!is_known_program(line->stamp.program) || !take_queue_id(&rest, &line->queue_id))
        return FALSE;
    /* Any word could stand there: "Subject: to=". */
    if (!stamped && line->queue_id != NULL && strpbrk(line->queue_id, "0123456789") == NULL) {
        log_line_clear(line);
        return FALSE;
    }
    line->recipients = g_ptr_array_new_with_free_func(g_free);
    line->kind = read_rest(line, rest);
    if (line->kind != LOG_LINE_OTHER)
        return TRUE;
    log_line_clear(line);
    return FALSE;
}

/* ---- as people paste it ------------------------------------------------------------------------
 */

/* What stands before a reply in a part of a line, and what ends it. */
typedef struct {
    const char *mark;
    const char *then; /* further words up to the reply; NULL: it follows at once */
    const char *end;  /* the last of these in the line; NULL: the line's end */
} PastedForm;

static const PastedForm pasted_forms[] = {
    {"status=bounced (", NULL, ")"},
    {"status=deferred (", NULL, ")"},
    {"status=undeliverable (", NULL, ")"},
    {"reject: ", "]: ", "; from=<"}, /* milter-reject: too */
    {"reject=", NULL, NULL},
    {"stat=", NULL, NULL},
    {"SMTP error from remote mail server after ", ": ", NULL},
};

static const char *
behind(const char *text, const char *words)
{
    const char *at = text != NULL ? strstr(text, words) : NULL;
    return at != NULL ? at + strlen(words) : NULL;
}

static const char *
pasted_reply(const char *text, const PastedForm *form)
{
    const char *at = behind(text, form->mark);
    if (form->then != NULL)
        at = behind(at, form->then);
    /* Exim puts the host before the reply where the message had more than one to go to. */
    gboolean host = at != NULL && form->end == NULL && g_str_has_prefix(at, "host ");
    return host ? behind(at, "]: ") : at;
}

static char *
pasted_text(const char *text, const char *reply, const PastedForm *form)
{
    LogLine line = {.kind = LOG_LINE_OTHER};
    LogSpan said = {reply, strlen(reply)};
    const char *end = form->end != NULL ? log_span_find_last(said, form->end) : NULL;
    const char *dsn = behind(text, "dsn=");
    if (end != NULL)
        said.length = (gsize)(end - reply);
    if (dsn != NULL)
        enhanced_status_scan(dsn, &line.status);
    set_text(&line, said);
    return line.text;
}

char *
log_line_reply(const char *text)
{
    LogLine line;
    LogSpan span = {text, strlen(text)};
    if (begins_with_number(span) || strpbrk(text, "\r\n") != NULL)
        return g_strdup(text);
    if (log_line_parse(span.at, span.length, &line)) {
        char *said = g_steal_pointer(&line.text);
        log_line_clear(&line);
        if (said != NULL)
            return said;
    }
    for (guint i = 0; i < G_N_ELEMENTS(pasted_forms); i++) {
        const char *reply = pasted_reply(text, &pasted_forms[i]);
        if (reply != NULL && reply[0] != '\0')
            return pasted_text(text, reply, &pasted_forms[i]);
    }
    return g_strdup(text);
}
