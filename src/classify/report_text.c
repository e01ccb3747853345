/*
 * report_text: lines, entries and addresses of the text that a report has for its reader.
 */
#include "classify/report_text.h"

#include <string.h>

/* Of an entry: octets, and lines before the address and behind it. */
#define ENTRY_OCTETS 1500
#define ENTRY_BEFORE 3
#define ENTRY_BEHIND 14

/* Places of one address that are looked at. */
#define MOST_ENTRIES 8

/* ---- lines ---------------------------------------------------------------------------------- */

static const char *
line_end(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end : line + strlen(line);
}

static const char *
next_line(const char *line)
{
    const char *end = line_end(line);
    return *end == '\n' ? end + 1 : NULL;
}

static const char *
line_start(const char *text, const char *at)
{
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

/* NULL for the first. */
static const char *
previous_line(const char *text, const char *line)
{
    return line > text ? line_start(text, line - 1) : NULL;
}

static gboolean
is_blank_line(const char *line)
{
    line += strspn(line, " \t\r>|");
    return *line == '\n' || *line == '\0';
}

static gboolean
is_name_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '-' || octet == '_';
}

/* The octets of "Name" where the line is "Name: value"; 0 if it is no field. */
static gsize
field_name(const char *line)
{
    gsize length = 0;
    while (is_name_octet(line[length]))
        length++;
    return length > 0 && line[length] == ':' ? length : 0;
}

static gboolean
is_field(const char *line, const char *const *names)
{
    gsize length = field_name(line);
    for (; length > 0 && *names != NULL; names++)
        if (strlen(*names) == length && g_ascii_strncasecmp(line, *names, length) == 0)
            return TRUE;
    return FALSE;
}

/* ---- the returned mail ---------------------------------------------------------------------- */

/* The first field of a mail that is returned behind the text: one that only a mail's header has. */
static gboolean
begins_header(const char *line)
{
    static const char *const names[] = {"Received",         "Return-Path", "DKIM-Signature",
                                        "X-Received",       "ARC-Seal",    "Delivered-To",
                                        "X-Originating-IP", NULL};
    return is_field(line, names);
}

static const char *
returned_mail(const char *text)
{
    for (const char *line = text; line != NULL; line = next_line(line))
        if (begins_header(line))
            return line;
    return text + strlen(text);
}

/* ---- report fields in a text ---------------------------------------------------------------- */

static const char *const recipient_fields[] = {"Final-Recipient", "Original-Recipient", NULL};

/* Fields that only a report has. */
static const char *const report_fields[] = {
    "Reporting-MTA", "Final-Recipient",   "Original-Recipient", "Action",
    "Status",        "Diagnostic-Code",   "Remote-MTA",         "Received-From-MTA",
    "Arrival-Date",  "Last-Attempt-Date", "Will-Retry-Until",   "Original-Envelope-Id",
    "DSN-Gateway",   "Final-Log-ID",      "X-Actual-Recipient", NULL};

/* "  goes on" or blank: belongs to the run if what is behind it does. */
static gboolean
goes_on(const char *line)
{
    return *line == ' ' || *line == '\t' || is_blank_line(line);
}

static gboolean
is_own_field(const char *line)
{
    return is_field(line, report_fields) || (g_ascii_strncasecmp(line, "X-", 2) == 0 &&
                                             field_name(line) > 0 && !begins_header(line));
}

/* Up from the recipient's field to the first field of the run. */
static const char *
run_start(const char *text, const char *line)
{
    const char *start = line;
    for (const char *above = previous_line(text, line); above != NULL;
         above = previous_line(text, above)) {
        if (is_own_field(above))
            start = above;
        else if (!goes_on(above))
            break;
    }
    return start;
}

static const char *
run_end(const char *line)
{
    const char *end = line_end(line);
    for (line = next_line(line); line != NULL; line = next_line(line)) {
        if (is_own_field(line))
            end = line_end(line);
        else if (!goes_on(line))
            break;
        else if (!is_blank_line(line) && end + 1 == line)
            end = line_end(line);
    }
    return end;
}

/* The run of fields with a recipient and its fate, or NULL. */
static char *
find_fields(const char *text, const char **start)
{
    static const char *const fates[] = {"Action", "Status", "Diagnostic-Code", NULL};
    for (const char *line = text; line != NULL; line = next_line(line)) {
        if (!is_field(line, recipient_fields))
            continue;
        const char *from = run_start(text, line), *end = run_end(line);
        for (const char *field = from; field != NULL && field < end; field = next_line(field)) {
            if (is_field(field, fates)) {
                *start = from;
                return g_strndup(from, (gsize)(end - from));
            }
        }
        line = end;
        if (*line == '\0')
            break;
    }
    return NULL;
}

/* ---- life ----------------------------------------------------------------------------------- */

static gboolean
is_wanted(const MimeView *view, const MimePart *part)
{
    if (part->kind == MIME_PART_TEXT)
        return TRUE;
    return part->kind == MIME_PART_HTML && mime_view_part(view, MIME_PART_TEXT) == NULL;
}

static GString *
text_of(const MimeView *view)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < view->parts->len && text->len < REPORT_TEXT_OCTETS; i++) {
        const MimePart *part = g_ptr_array_index(view->parts, i);
        if (part->kind == MIME_PART_ORIGINAL)
            break;
        if (!is_wanted(view, part))
            continue;
        g_string_append_len(text, part->text,
                            (gssize)MIN(part->length, REPORT_TEXT_OCTETS - text->len));
        g_string_append(text, "\n\n");
    }
    return text;
}

ReportText *
report_text_new(const MimeView *view)
{
    ReportText *report = g_new0(ReportText, 1);
    GString *text = text_of(view);
    report->truncated = text->len > REPORT_TEXT_OCTETS;
    const char *fields = NULL, *end = returned_mail(text->str);
    report->fields = find_fields(text->str, &fields);
    if (fields != NULL && fields < end)
        end = fields;
    g_string_truncate(text, (gsize)(end - text->str));
    report->text = g_string_free(text, FALSE);
    return report;
}

void
report_text_free(ReportText *text)
{
    if (text == NULL)
        return;
    g_free(text->text);
    g_free(text->fields);
    g_free(text);
}

HeaderFields *
report_text_returned(const MimeView *view)
{
    for (guint i = 0; i < view->parts->len; i++) {
        const MimePart *part = g_ptr_array_index(view->parts, i);
        const char *header = part->kind == MIME_PART_TEXT ? returned_mail(part->text) : "";
        if (*header != '\0')
            return header_fields_parse(header, (gsize)(part->text + part->length - header), TRUE,
                                       NULL);
    }
    return NULL;
}

/* ---- entries -------------------------------------------------------------------------------- */

static const char *
find_caseless(const char *text, const char *word)
{
    char first[] = {g_ascii_tolower(*word), g_ascii_toupper(*word), '\0'};
    gsize length = strlen(word);
    for (const char *at = strpbrk(text, first); at != NULL; at = strpbrk(at + 1, first))
        if (g_ascii_strncasecmp(at, word, length) == 0)
            return at;
    return NULL;
}

static gboolean
is_address_octet(char octet)
{
    return g_ascii_isalnum(octet) || strchr("!#$%&'*+-/=?^_`{|}~.", octet) != NULL ||
           (guchar)octet >= 0x80;
}

/* Not a piece of a longer address? */
static gboolean
stands_alone(const char *text, const char *at, gsize length)
{
    char behind = at[length];
    return (at == text || !is_address_octet(at[-1]) || strchr("'*=", at[-1]) != NULL) &&
           (behind == '\0' || !is_address_octet(behind) || strchr(".'*?!", behind) != NULL);
}

/* "<address>: ..." */
static gboolean
begins_with(const char *line, const char *address)
{
    line += strspn(line, " \t<\"");
    return g_ascii_strncasecmp(line, address, strlen(address)) == 0;
}

/* Names somebody, and not (only) this address; or begins to tell of it anew? */
static gboolean
is_about_another(const char *line, const char *address)
{
    const char *end = line_end(line);
    if (begins_with(line, address))
        return TRUE;
    const char *at = memchr(line, '@', (gsize)(end - line));
    if (at == NULL)
        return FALSE;
    const char *own = find_caseless(line, address);
    return own == NULL || own >= end;
}

/* "----- Transcript of session follows -----", "The following addresses failed:" */
static gboolean
is_heading(const char *line)
{
    const char *end = line_end(line);
    while (end > line && g_ascii_isspace(end[-1]))
        end--;
    return end == line || end[-1] == ':' || strncmp(line + strspn(line, " \t#*"), "---", 3) == 0;
}

/* "________": a gateway's words follow, or a signature. */
static gboolean
is_rule(const char *line)
{
    line += strspn(line, " \t*");
    gsize length = strspn(line, "_-=~#");
    return length >= 8 && strspn(line + length, " \t\r*") == strcspn(line + length, "\n");
}

static const char *
entry_start(const char *text, const char *line, const char *address)
{
    for (guint i = 0; i < ENTRY_BEFORE; i++) {
        const char *above = previous_line(text, line);
        if (above == NULL || is_blank_line(above) || is_heading(above) ||
            is_about_another(above, address))
            break;
        line = above;
    }
    return line;
}

static const char *
entry_end(const char *line, const char *address)
{
    const char *from = line, *end = line_end(line);
    for (guint i = 0; i < ENTRY_BEHIND; i++) {
        line = next_line(line);
        if (line == NULL || is_blank_line(line) || is_rule(line) ||
            is_about_another(line, address) || line_end(line) - from > ENTRY_OCTETS)
            break;
        end = line_end(line);
    }
    return end;
}

/* Nothing but the address and what may stand around it? Then what is said follows. */
static gboolean
is_address_only(const char *line, gsize address)
{
    gsize length = (gsize)(line_end(line) - line);
    return length <= address + 12;
}

static char *
entry_at(const char *text, const char *at, const char *address)
{
    const char *line = line_start(text, at);
    const char *start = entry_start(text, line, address), *end = entry_end(line, address);
    if (is_address_only(line, strlen(address)) && end == line_end(line)) {
        const char *behind = next_line(end);
        while (behind != NULL && is_blank_line(behind))
            behind = next_line(behind);
        if (behind != NULL && !is_rule(behind) && !is_about_another(behind, address))
            end = entry_end(behind, address);
        start = line;
    }
    return g_strndup(start, MIN((gsize)(end - start), (gsize)ENTRY_OCTETS));
}

GPtrArray *
report_text_near(const ReportText *text, const char *address)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(g_free);
    gsize length = strlen(address);
    if (length == 0)
        return entries;
    for (const char *at = find_caseless(text->text, address);
         at != NULL && entries->len < MOST_ENTRIES; at = find_caseless(at + length, address))
        if (stands_alone(text->text, at, length))
            g_ptr_array_add(entries, entry_at(text->text, at, address));
    return entries;
}

/* ---- replies of many lines ------------------------------------------------------------------ */

/* Where a transcript's line begins with `reply`, behind "<<< " or nothing. */
static const char *
transcript_line(const char *text, const char *reply, gsize length)
{
    for (const char *line = text; line != NULL; line = next_line(line)) {
        const char *at = line + strspn(line, " \t");
        if (g_str_has_prefix(at, "<<< "))
            at += 4;
        if (strncmp(at, reply, length) == 0)
            return line;
    }
    return NULL;
}

char *
report_text_whole_reply(const ReportText *text, const char *first_line)
{
    gsize length = strcspn(first_line, "\r\n");
    if (length < 4 || first_line[3] != '-' || !g_ascii_isdigit(first_line[0]))
        return NULL;
    const char *line = transcript_line(text->text, first_line, length);
    if (line == NULL)
        return NULL;
    GString *whole = g_string_new(NULL);
    for (; line != NULL && whole->len < ENTRY_OCTETS; line = next_line(line)) {
        const char *at = line + strspn(line, " \t");
        if (g_str_has_prefix(at, "<<< "))
            at += 4;
        if (strncmp(at, first_line, 3) != 0 || (at[3] != '-' && at[3] != ' '))
            break;
        g_string_append_len(whole, at, line_end(line) - at);
        g_string_append_c(whole, '\n');
        if (at[3] == ' ')
            break;
    }
    return g_string_free(whole, FALSE);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static char *
address_around(const char *text, const char *sign)
{
    const char *start = sign, *end = sign + 1;
    while (start > text && is_address_octet(start[-1]))
        start--;
    while (g_ascii_isalnum(*end) || *end == '.' || *end == '-')
        end++;
    while (end > sign + 1 && (end[-1] == '.' || end[-1] == '-'))
        end--;
    if (start == sign || memchr(sign, '.', (gsize)(end - sign)) == NULL)
        return NULL;
    return g_strndup(start, (gsize)(end - start));
}

static gboolean
is_among(const char *address, const char *const *others)
{
    for (; *others != NULL; others++)
        if (g_ascii_strcasecmp(address, *others) == 0)
            return TRUE;
    return FALSE;
}

char *
report_text_address(const ReportText *text, const char *const *others)
{
    for (const char *at = strchr(text->text, '@'); at != NULL; at = strchr(at + 1, '@')) {
        char *address = address_around(text->text, at);
        if (address != NULL && !is_among(address, others))
            return address;
        g_free(address);
    }
    return NULL;
}
