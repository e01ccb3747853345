/*
 * smtp_reply_parse: reads a reply from what MTAs, logs and reports write.
 *
 * In four steps, each linear in the input: lines (folded ones are joined again), the envelope (what
 * a log or a report puts around the reply: who said it, in reply to what), code and status of each
 * line, and lines that were flattened into one. Whatever cannot be read as one of these is text.
 * The envelope is read from its start only, never searched for in a reply that begins with a code,
 * so that a reply's own words cannot pass for somebody else's.
 */
#include <string.h>

#include "mail/smtp_reply_internal.h"

typedef struct {
    char *at; /* in a private copy of the input, which ends with a NUL at `end` */
    char *end;
    gboolean enveloped;   /* something stands before the reply's own code */
    gboolean transcript;  /* Sendmail's "<<< " stands before each line */
    EnhancedStatus outer; /* of "5.7.1 host mx[192.0.2.1] said: 550 ..." */
    SmtpReply *reply;
} Scan;

/* ---- characters and words ------------------------------------------------------------------- */

static gboolean
is_blank(char octet)
{
    return octet == ' ' || octet == '\t';
}

static void
skip_blanks(Scan *scan)
{
    while (is_blank(*scan->at) || *scan->at == '\n')
        scan->at++;
}

/* Takes `word`, which is in lower case, with the blanks behind it. */
static gboolean
take(Scan *scan, const char *word)
{
    gsize length = strlen(word);
    /* Most words fail at the first octet; the bit tells capital letters from small ones. */
    if ((*scan->at | 0x20) != (*word | 0x20) || g_ascii_strncasecmp(scan->at, word, length) != 0)
        return FALSE;
    scan->at += length;
    skip_blanks(scan);
    return TRUE;
}

/* `word` is in lower case. */
static char *
find_caseless(char *text, const char *word)
{
    const char first[] = {*word, g_ascii_toupper(*word), '\0'};
    gsize length = strlen(word);
    for (char *at = strpbrk(text, first); at != NULL; at = strpbrk(at + 1, first))
        if (g_ascii_strncasecmp(at, word, length) == 0)
            return at;
    return NULL;
}

/*
 * A reply code at the start of `text`: three digits of which the first is 1 to 6, then what can
 * stand behind a code. A bare number is a code only if it could be a refusal ("255" is an exit
 * status). Returns 0 if there is none.
 */
static guint
code_at(const char *text)
{
    if (text[0] < '1' || text[0] > '6' || !g_ascii_isdigit(text[1]) || !g_ascii_isdigit(text[2]))
        return 0;
    guint code =
        (guint)(text[0] - '0') * 100 + (guint)(text[1] - '0') * 10 + (guint)(text[2] - '0');
    gboolean refusal = code / 100 == 4 || code / 100 == 5;
    switch (text[3]) {
    case ' ':
    case '\t':
    case '-':
        return code;
    case '\0':
    case '\n':
    case '#':
        return refusal ? code : 0;
    default:
        return 0;
    }
}

/* ---- lines ---------------------------------------------------------------------------------- */

static gsize
break_length(const char *text)
{
    if (text[0] == '\r')
        return text[1] == '\n' ? 2 : 1;
    return text[0] == '\n' ? 1 : 0;
}

static char *
behind_text(char *text, char *end)
{
    while (end > text && is_blank(end[-1]))
        end--;
    return end;
}

static char *
first_break(char *text, gsize length)
{
    char *feed = memchr(text, '\n', length);
    char *end = feed != NULL ? feed : text + length;
    char *carriage = memchr(text, '\r', (gsize)(end - text));
    return carriage != NULL ? carriage : end;
}

/* One '\n' between lines, no blank lines; a line that begins with a blank goes on with the last.
 * Done in place; returns the end. */
static char *
unfold(char *text, gsize length)
{
    char *out = first_break(text, length);
    for (const char *at = out; *at != '\0';) {
        at += break_length(at);
        out = behind_text(text, out);
        gboolean fold = is_blank(*at);
        at += strspn(at, " \t");
        gsize line = strcspn(at, "\r\n");
        if (line > 0 && out > text)
            *out++ = fold ? ' ' : '\n';
        memmove(out, at, line);
        out += line;
        at += line;
    }
    out = behind_text(text, out);
    *out = '\0';
    return out;
}

static char *
copy_without_nul(const char *text, gsize length)
{
    char *copy = g_malloc(length + 1), *end = copy + length;
    memcpy(copy, text, length);
    *end = '\0';
    for (char *at = memchr(copy, '\0', length); at != NULL;
         at = memchr(at, '\0', (gsize)(end - at)))
        *at = ' ';
    return copy;
}

/* ---- the envelope --------------------------------------------------------------------------- */

static gboolean
is_host_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '.' || octet == '-' || octet == '_';
}

static gboolean
is_address_octet(char octet)
{
    return g_ascii_isxdigit(octet) || octet == '.' || octet == ':';
}

static gsize
span(const char *text, gboolean (*belongs)(char octet))
{
    gsize length = 0;
    while (belongs(text[length]))
        length++;
    return length;
}

static void
set_remote(SmtpReply *reply, const char *name, gsize name_length, const char *addr,
           gsize addr_length)
{
    enum { LONGEST_NAME = 255, LONGEST_ADDRESS = 45 };
    while (name_length > 0 && name[name_length - 1] == '.')
        name_length--;
    if (name_length > 0 && name_length <= LONGEST_NAME) {
        g_free(reply->remote_name);
        reply->remote_name = g_strndup(name, name_length);
    }
    if (addr_length > 0 && addr_length <= LONGEST_ADDRESS) {
        g_free(reply->remote_addr);
        reply->remote_addr = g_strndup(addr, addr_length);
    }
}

static void
take_port(Scan *scan)
{
    if (*scan->at != ':' || !g_ascii_isdigit(scan->at[1]))
        return;
    scan->at++;
    while (g_ascii_isdigit(*scan->at))
        scan->at++;
}

/* "mx.example.org[192.0.2.1]", "mx [IPv6:2001:db8::1]:25", "mx (192.0.2.1)", "mx". */
static gboolean
take_remote(Scan *scan)
{
    const char *name = scan->at;
    gsize name_length = span(name, is_host_octet), addr_length = 0;
    const char *addr = NULL;
    scan->at += name_length;
    const char *open = scan->at + (*scan->at == ' ' ? 1 : 0);
    if (*open == '[' || *open == '(') {
        addr = open + 1;
        if (g_ascii_strncasecmp(addr, "ipv6:", 5) == 0)
            addr += 5;
        addr_length = span(addr, is_address_octet);
        const char *close = addr + strcspn(addr, "])\n");
        if (*close != ']' && *close != ')')
            return FALSE;
        if (addr + addr_length != close)
            addr_length = 0; /* a socket's path */
        scan->at += close + 1 - scan->at;
    }
    take_port(scan);
    set_remote(scan->reply, name, name_length, addr, addr_length);
    return name_length > 0 || addr_length > 0;
}

/* What must follow an envelope, so that it is one. */
static gboolean
code_follows(Scan *scan)
{
    skip_blanks(scan);
    return code_at(scan->at) != 0;
}

/* Postfix: "host mx[192.0.2.1] said: 550 ...", "... refused to talk to me: 421 ...". Exim: "host mx
 * [192.0.2.1]: 550 ...". */
static gboolean
take_host_said(Scan *scan)
{
    gboolean host = take(scan, "host ");
    if (!take_remote(scan) || (!host && scan->at[-1] != ']'))
        return FALSE;
    skip_blanks(scan);
    if (take(scan, "refused to talk to me:"))
        scan->reply->stage = SMTP_STAGE_CONNECT;
    else if (!take(scan, "said:") && !(host && take(scan, ":")))
        return host && g_ascii_strncasecmp(scan->at, "smtp error", 10) == 0;
    return code_follows(scan);
}

/* Postfix: "connect to mx[192.0.2.1]:25: server refused to talk to me: 421 ...". */
static gboolean
take_connect_refused(Scan *scan)
{
    if (!take(scan, "connect to ") || !take_remote(scan) || !take(scan, ":") ||
        !take(scan, "server refused to talk to me:"))
        return FALSE;
    scan->reply->stage = SMTP_STAGE_CONNECT;
    return code_follows(scan);
}

/* The ':' that ends a command which may hold a path: "RCPT TO:<a@b.example>:". */
static char *
command_end(char *text)
{
    const char *last = strrchr(text, '>');
    for (; *text != '\0'; text++) {
        if (*text == '<' && text < last) {
            text = strchr(text, '>');
        } else if (*text == ':' && (is_blank(text[1]) || text[1] == '\n' || text[1] == '\0')) {
            return text;
        }
    }
    return NULL;
}

/* Exim: "SMTP error from remote mail server after RCPT TO:<a@b.example>: host mx [192.0.2.1]: 550
 * ...". Others: "... for TEXT command, host: mx.example (192.0.2.1) reason: 550 ...". */
static gboolean
take_exim(Scan *scan)
{
    if (!take(scan, "smtp error from remote ") ||
        (!take(scan, "mail server ") && !take(scan, "mailer ") && !take(scan, "server ")))
        return FALSE;
    if (take(scan, "for ")) {
        char *host = find_caseless(scan->at, "host: ");
        if (host == NULL)
            return FALSE;
        scan->reply->stage = smtp_stage_from_command(scan->at);
        scan->at = host + strlen("host: ");
        return take_remote(scan) && (skip_blanks(scan), take(scan, "reason:")) &&
               code_follows(scan);
    }
    if (!take(scan, "after "))
        return FALSE;
    take(scan, "pipelined ");
    scan->reply->stage = smtp_stage_from_command(scan->at);
    char *end = command_end(scan->at);
    if (end == NULL)
        return FALSE;
    scan->at = end + 1;
    skip_blanks(scan);
    return code_follows(scan) || g_str_has_prefix(scan->at, "host ");
}

/* Cuts what closes a quotation, from the last `mark` on. */
static void
cut_from(Scan *scan, const char *mark)
{
    char *found = g_strrstr(scan->at, mark);
    if (found != NULL && found > scan->at) {
        *found = '\0';
        scan->end = found;
    }
}

/* Exchange: "Remote Server returned '550 5.1.1 ...'". */
static gboolean
take_exchange(Scan *scan)
{
    if (!take(scan, "remote server returned "))
        return FALSE;
    const char mark[] = {*scan->at, '\0'};
    if ((*mark != '\'' && *mark != '"') || code_at(scan->at + 1) == 0)
        return FALSE;
    scan->at++;
    cut_from(scan, mark);
    return TRUE;
}

/* Exchange: "mx.example #<mx.example #5.1.1 smtp;550 5.1.1 ...> #SMTP#", "#5.5.0 smtp;550 ...". */
static gboolean
take_exchange_hash(Scan *scan)
{
    char *status = scan->at;
    if (*status != '#' && *status != '<') {
        gsize name = span(status, is_host_octet);
        if (name == 0 || !g_str_has_prefix(status + name, " #"))
            return FALSE;
        status += name + 1;
    }
    char *hash = *status == '#' && g_ascii_isdigit(status[1]) ? status : strstr(status, " #");
    if (hash == NULL || hash > status + 300)
        return FALSE;
    scan->at = hash + (*hash == ' ' ? 2 : 1);
    gsize taken = enhanced_status_scan(scan->at, &scan->outer);
    if (taken > 0)
        scan->at += taken;
    skip_blanks(scan);
    if ((taken > 0 && !take(scan, "smtp;")) || !code_follows(scan))
        return FALSE;
    cut_from(scan, "> #SMTP#");
    cut_from(scan, "##");
    return TRUE;
}

/* The command that was answered, in qmail's words. */
static SmtpStage
qmail_stage(char *text)
{
    static const struct {
        const char *words;
        SmtpStage stage;
    } steps[] = {
        {"but greeting failed", SMTP_STAGE_CONNECT},
        {"but my name was rejected", SMTP_STAGE_HELO},
        {"but sender was rejected", SMTP_STAGE_MAIL},
        {"does not like recipient", SMTP_STAGE_RCPT},
        {"failed on data command", SMTP_STAGE_DATA},
        {"failed after i sent the message", SMTP_STAGE_EOM},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (find_caseless(text, steps[i].words) != NULL)
            return steps[i].stage;
    return SMTP_STAGE_UNKNOWN;
}

/* qmail: "192.0.2.1 does not like recipient.\nRemote host said: 550 ...\nGiving up on 192.0.2.1."
 * or "...; remote host 192.0.2.1 said: 550 ...". */
static gboolean
take_qmail(Scan *scan)
{
    /* The second of each where the lines were joined. */
    static const char *const ends[] = {"\nGiving up on ", " Giving up on ",
                                       "\nI'm not going to try again",
                                       " I'm not going to try again"};
    char *remote = find_caseless(scan->at, "remote host ");
    if (remote == NULL)
        return FALSE;
    gsize addr = span(scan->at, is_address_octet);
    if (addr > 0 && scan->at[addr] == ' ')
        set_remote(scan->reply, NULL, 0, scan->at, addr);
    char after = *remote;
    *remote = '\0';
    scan->reply->stage = qmail_stage(scan->at);
    *remote = after;
    scan->at = remote + strlen("remote host ");
    addr = span(scan->at, is_address_octet);
    if (addr > 0 && scan->at[addr] == ' ') {
        set_remote(scan->reply, NULL, 0, scan->at, addr);
        scan->at += addr + 1;
    }
    if (!take(scan, "said:") || !code_follows(scan))
        return FALSE;
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        cut_from(scan, ends[i]);
    return TRUE;
}

/* Sendmail: "... while talking to mx.example.:\n>>> RCPT To:<a@b.example>\n<<< 550 5.1.1 ...". */
static gboolean
take_sendmail(Scan *scan)
{
    gboolean talking = take(scan, "... while talking to ") && take_remote(scan);
    if (talking)
        take(scan, ":");
    skip_blanks(scan);
    if (take(scan, ">>> ")) {
        scan->reply->stage = smtp_stage_from_command(scan->at);
        char *answer = strstr(scan->at, "<<< ");
        if (answer == NULL)
            return FALSE;
        scan->at = answer;
    }
    if (take(scan, "<<< ")) {
        scan->transcript = TRUE;
        return code_follows(scan);
    }
    return talking && code_follows(scan);
}

/* Cisco: "5.1.0 - Unknown address error 550-'5.1.1 no such user' (delivery attempts: 0)". */
static gboolean
take_cisco(Scan *scan)
{
    if (!enhanced_status_is_set(scan->outer) || !g_str_has_prefix(scan->at, "- "))
        return FALSE;
    char *quote = strstr(scan->at, "-'");
    if (quote == NULL || quote - scan->at < 5 || quote[-4] != ' ' || code_at(quote - 3) == 0)
        return FALSE;
    quote[0] = quote[1] = ' ';
    scan->at = quote - 3;
    cut_from(scan, "' (delivery attempts");
    return TRUE;
}

/* What may stand before an envelope: "5.1.1 ", "<a@b.example>: ", "delivery temporarily suspended:
 * ". */
static void
take_preamble(Scan *scan)
{
    gsize status = enhanced_status_scan(scan->at, &scan->outer);
    scan->at += status;
    skip_blanks(scan);
    if (*scan->at == '<') {
        char *close = strchr(scan->at, '>');
        if (close != NULL && close[1] == ':') {
            scan->at = close + 2;
            skip_blanks(scan);
        }
    }
    take(scan, "delivery temporarily suspended:");
}

static gboolean
take_label(Scan *scan)
{
    if (take(scan, "diagnostic-code:") || take(scan, "smtp;") || take(scan, "lmtp;"))
        return TRUE;
    if (g_ascii_strncasecmp(scan->at, "x-", 2) != 0)
        return FALSE;
    gsize type = span(scan->at, is_host_octet);
    if (scan->at[type] != ';')
        return FALSE;
    scan->at += type + 1;
    return TRUE;
}

/* What a form has noted counts only if all of it was there. */
static gboolean
take_form(Scan *scan, gboolean (*form)(Scan *))
{
    SmtpReply *reply = scan->reply, before = *reply;
    Scan start = *scan;
    reply->remote_name = g_strdup(before.remote_name);
    reply->remote_addr = g_strdup(before.remote_addr);
    gboolean taken = form(scan);
    g_free(taken ? before.remote_name : reply->remote_name);
    g_free(taken ? before.remote_addr : reply->remote_addr);
    if (!taken) {
        *reply = before;
        *scan = start;
    }
    return taken;
}

static gboolean
take_envelope(Scan *scan)
{
    static gboolean (*const forms[])(Scan *) = {
        take_host_said, take_connect_refused, take_exim,  take_exchange,
        take_sendmail,  take_exchange_hash,   take_cisco, take_qmail,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++)
        if (take_form(scan, forms[i]))
            return TRUE;
    return FALSE;
}

/* Leaves `at` where the reply's own text begins. */
static void
skip_envelope(Scan *scan)
{
    enum { MOST_LAYERS = 8 };
    for (int i = 0; i < MOST_LAYERS; i++) {
        skip_blanks(scan);
        if (code_at(scan->at) != 0)
            return;
        if (take_label(scan))
            continue;
        char *before = scan->at;
        EnhancedStatus outer = scan->outer;
        take_preamble(scan);
        if (code_at(scan->at) != 0 || take_envelope(scan))
            continue;
        scan->at = before;
        scan->outer = outer;
        return;
    }
}

/* ---- what stands at the end ----------------------------------------------------------------- */

static void
trim(Scan *scan)
{
    while (scan->end > scan->at && (is_blank(scan->end[-1]) || scan->end[-1] == '\n'))
        *--scan->end = '\0';
}

/* Behind the server's lines Sendmail goes on in its own words. */
static void
end_transcript(Scan *scan)
{
    char *line = strchr(scan->at, '\n');
    while (line != NULL && g_str_has_prefix(line + 1, "<<< "))
        line = strchr(line + 1, '\n');
    if (line != NULL) {
        *line = '\0';
        scan->end = line;
    }
}

/* Notes "(in reply to RCPT TO command)", and cuts what a log added with it, with a second ')' where
 * all of it stood in brackets. */
static gboolean
cut_command(Scan *scan)
{
    enum { LONGEST_COMMAND = 80 };
    static const char mark[] = "(in reply to ";
    char *from = scan->end - scan->at > LONGEST_COMMAND ? scan->end - LONGEST_COMMAND : scan->at;
    if (scan->end == scan->at || scan->end[-1] != ')')
        return FALSE;
    char *open = g_strrstr(from, mark);
    if (open == NULL)
        return FALSE;
    char *close = open + strcspn(open, ")\n");
    if (close + 1 != scan->end && !(close + 2 == scan->end && *close == ')'))
        return FALSE;
    scan->reply->stage = smtp_stage_from_command(open + strlen(mark));
    if (!scan->enveloped)
        return FALSE;
    *open = '\0';
    scan->end = open;
    return TRUE;
}

/* Postfix where no reply came: "connect to mx[192.0.2.1]:25: ...", "lost connection with mx[...]
 * while sending RCPT TO", "conversation with mx[...] timed out while ...". */
static void
note_connection(Scan *scan)
{
    Scan look = *scan;
    look.at += enhanced_status_scan(look.at, NULL);
    skip_blanks(&look);
    take(&look, "delivery temporarily suspended:");
    if (take(&look, "connect to ")) {
        if (take_remote(&look))
            scan->reply->stage = SMTP_STAGE_CONNECT;
        return;
    }
    if ((!take(&look, "lost connection with ") && !take(&look, "conversation with ")) ||
        !take_remote(&look))
        return;
    char *sending = find_caseless(look.at, " while ");
    if (sending == NULL)
        return;
    look.at = sending + strlen(" while ");
    if (take(&look, "sending ") || take(&look, "performing the "))
        scan->reply->stage = smtp_stage_from_command(look.at);
    else if (take(&look, "receiving the initial "))
        scan->reply->stage = SMTP_STAGE_CONNECT;
}

/* ---- code and status of a line -------------------------------------------------------------- */

static const char *
skip_spaces(const char *text, const char *end)
{
    while (text < end && is_blank(*text))
        text++;
    return text;
}

/* "550-5.7.1 text", "550 #5.7.1 text", "5.7.1 text", "text". `end` is the line's end. */
static void
append_line(SmtpReply *reply, const char *at, const char *end)
{
    if (reply->line_count == SMTP_REPLY_MAX_LINES) {
        reply->truncated = TRUE;
        return;
    }
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    guint code = at < end ? code_at(at) : 0;
    char separator = '\0';
    if (code != 0) {
        at += 3;
        separator = '-';
        if (at == end || *at != '-')
            separator = at < end && is_blank(*at) ? ' ' : '\0';
        if (separator != '\0')
            at++;
    }
    at = skip_spaces(at, end);
    gboolean hash = at < end && *at == '#';
    gsize taken = at < end ? enhanced_status_scan(at + (hash ? 1 : 0), &status) : 0;
    if (taken > 0) {
        at += taken + (hash ? 1 : 0);
        if (end - at > 1 && at[0] == ':' && is_blank(at[1]))
            at++;
        at = skip_spaces(at, end);
    }
    while (end > at && is_blank(end[-1]))
        end--;
    smtp_reply_append(reply, code, separator, status, at, (gsize)(end - at));
}

/* ---- lines that were flattened into one ----------------------------------------------------- */

/* The word that ends just before `at` is `word`? */
static gboolean
follows_word(const char *start, const char *at, const char *word)
{
    gsize length = strlen(word);
    return at - start >= (gssize)length && g_ascii_strncasecmp(at - length, word, length) == 0;
}

/* "of 550 bytes", "error 550 seen": the number is part of the sentence. */
static gboolean
is_quantity(const char *start, const char *number)
{
    static const char *const before[] = {" of ",    " than ", " size ",    " limit ", " code ",
                                         " error ", " port ", " exceeds ", " status "};
    static const char *const after[] = {"byte",    "octet", "kb",   "kib",  "mb",     "mib",
                                        "message", "recip", "line", "char", "second", "minute",
                                        "hour",    "day",   "time", "conn", "user",   "%"};
    for (size_t i = 0; i < G_N_ELEMENTS(before); i++)
        if (follows_word(start, number, before[i]))
            return TRUE;
    for (size_t i = 0; i < G_N_ELEMENTS(after); i++)
        if (g_ascii_strncasecmp(number + 4, after[i], strlen(after[i])) == 0)
            return TRUE;
    return FALSE;
}

typedef struct {
    guint code;
    gboolean status; /* the first line has one, so each line must */
    gboolean log;    /* Postfix's log: line breaks became "??" ("__" in a bounce) */
} Flattening;

/* A line's code stands at `at`, behind a blank or a log's line break? */
static gboolean
line_begins(const Flattening *flat, const char *start, const char *at)
{
    if (code_at(at) != flat->code)
        return FALSE;
    if (flat->log)
        return (at[-1] == '?' && at[-2] == '?') || (at[-1] == '_' && at[-2] == '_');
    if (!is_blank(at[-1]) || (at[3] != '-' && at[3] != ' '))
        return FALSE;
    return flat->status ? enhanced_status_scan(at + 4, NULL) > 0
                        : at[3] == '-' || !is_quantity(start, at);
}

/*
 * The places at which a line of its own begins: each "550-" up to the last, and of the "550 "
 * behind that the last one. A reply that ends without one was cut off.
 */
static GArray *
line_starts(const Flattening *flat, const char *start, const char *end)
{
    GArray *starts = g_array_new(FALSE, FALSE, sizeof(const char *));
    const char *final = NULL;
    for (const char *at = start + 5; at + 3 < end; at++) {
        if (!line_begins(flat, start, at))
            continue;
        if (at[3] == '-' || flat->log) {
            g_array_append_val(starts, at);
            final = NULL;
        } else {
            final = at;
        }
    }
    if (final != NULL)
        g_array_append_val(starts, final);
    return starts;
}

/* The first "??" (`mark` doubled) that has a refusal's code behind it, or NULL. */
static const char *
logged_break(const char *start, const char *end, char mark)
{
    const char *at = memchr(start, mark, (gsize)(end - start));
    for (; at != NULL && at + 5 < end; at = memchr(at + 1, mark, (gsize)(end - at - 1))) {
        guint class = at[1] == mark ? code_at(at + 2) / 100 : 0;
        if (class == 4 || class == 5)
            return at;
    }
    return NULL;
}

/* In a log the first line may have lost its code: "5.6.0 one??554 5.6.0 two". */
static guint
logged_code(const char *start, const char *end)
{
    const char *first = logged_break(start, end, '?'), *other = logged_break(start, end, '_');
    if (first == NULL || (other != NULL && other < first))
        first = other;
    return first != NULL ? code_at(first + 2) : 0;
}

static void
append_flattened(SmtpReply *reply, const char *at, const char *end)
{
    guint own = code_at(at), logged = logged_code(at, end);
    Flattening flat = {.code = own};
    if (logged != 0 && (own == logged || (own == 0 && enhanced_status_scan(at, NULL) > 0))) {
        flat.code = logged;
        flat.log = TRUE;
    } else if (own == 0 || at[3] != '-') {
        append_line(reply, at, end);
        return;
    }
    flat.status = enhanced_status_scan(at + 4, NULL) > 0;
    g_autoptr(GArray) starts = line_starts(&flat, at, end);
    for (guint i = 0; i < starts->len; i++) {
        const char *next = g_array_index(starts, const char *, i);
        append_line(reply, at, next - (flat.log ? 2 : 1));
        reply->flattened = TRUE;
        at = next;
    }
    append_line(reply, at, end);
}

/* ---- the whole ------------------------------------------------------------------------------ */

static guint
coded_lines(const char *text)
{
    guint count = 0;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        count += code_at(line + (g_str_has_prefix(line, "<<< ") ? 4 : 0)) != 0 ? 1 : 0;
    }
    return count;
}

static void
append_lines(Scan *scan)
{
    gboolean flat = coded_lines(scan->at) <= 1;
    const char *line = scan->at;
    while (line < scan->end) {
        const char *end = strchr(line, '\n');
        if (end == NULL)
            end = scan->end;
        if (scan->transcript && g_str_has_prefix(line, "<<< "))
            line += 4;
        if (flat)
            append_flattened(scan->reply, line, end);
        else
            append_line(scan->reply, line, end);
        line = end + (end < scan->end ? 1 : 0);
    }
    if (scan->reply->line_count == 0)
        append_line(scan->reply, scan->end, scan->end);
}

/* qmail and others put it at the end: "sorry, no mailbox here by that name (#5.1.1)". */
static EnhancedStatus
trailing_status(const char *text)
{
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    const char *hash = strrchr(text, '#');
    while (hash != NULL && (hash == text || hash[-1] != '('))
        hash = memrchr(text, '#', (gsize)(hash - text));
    if (hash == NULL)
        return status;
    gsize taken = enhanced_status_scan(hash + 1, &status);
    return hash[1 + taken] == ')' ? status : ENHANCED_STATUS_NONE;
}

static void
adopt_status(SmtpReply *reply, EnhancedStatus status)
{
    if (!enhanced_status_is_set(reply->status) &&
        (reply->code == 0 || reply->code / 100 == status.class))
        reply->status = status;
}

static void
resolve(SmtpReply *reply, EnhancedStatus outer)
{
    for (guint i = 0; i < reply->line_count; i++) {
        const SmtpReplyLine *line = smtp_reply_line(reply, i);
        if (line->code != 0)
            reply->code = line->code;
        if (enhanced_status_is_set(line->status))
            reply->status = line->status;
    }
    adopt_status(reply, trailing_status(smtp_reply_line(reply, reply->line_count - 1)->text));
    adopt_status(reply, outer);
}

SmtpReply *
smtp_reply_parse(const char *text, gssize length)
{
    SmtpReply *reply = smtp_reply_empty();
    gsize size = length < 0 ? strlen(text) : (gsize)length;
    if (size > SMTP_REPLY_MAX_TEXT) {
        size = SMTP_REPLY_MAX_TEXT;
        reply->truncated = TRUE;
    }
    g_autofree char *copy = copy_without_nul(text, size);
    Scan scan = {.at = copy, .end = unfold(copy, size), .reply = reply};
    skip_blanks(&scan);
    scan.enveloped = code_at(scan.at) == 0;
    skip_envelope(&scan);
    if (scan.transcript)
        end_transcript(&scan);
    trim(&scan);
    while (cut_command(&scan))
        trim(&scan);
    if (code_at(scan.at) == 0)
        note_connection(&scan);
    append_lines(&scan);
    resolve(reply, scan.outer);
    return reply;
}
