/*
 * dsn_report: the fields of a delivery status notification, as real MTAs write them.
 *
 * The text is cut into groups at blank lines, and before a field that begins a recipient and has
 * been seen in the group; then each group is taken for the message's, for the next recipient's, or
 * for more of the last one's.
 */
#include "mail/dsn_report.h"

#include <string.h>

#include "mail/address.h"
#include "mail/octet_lines.h"

/* ---- values ------------------------------------------------------------------------------- */

static gboolean
is_type_octet(char octet)
{
    return g_ascii_isalnum(octet) || octet == '-' || octet == '_' || octet == '.';
}

/* Behind "rfc822;" and white space; in *type the length of the word before the ';', or 0. */
static const char *
skip_type(const char *value, gsize *type)
{
    gsize length = 0;
    while (is_type_octet(value[length]))
        length++;
    const char *behind = value + length + strspn(value + length, " \t");
    *type = 0;
    if (*behind == ';') {
        *type = length;
        value = behind + 1;
    }
    return value + strspn(value, " \t");
}

char *
dsn_report_host(const char *value)
{
    gsize type;
    if (value == NULL)
        return g_strdup("");
    const char *host = skip_type(value, &type);
    host += strspn(host, "[<");
    gsize length = strcspn(host, " \t()[]<>,;");
    while (length > 0 && host[length - 1] == '.')
        length--;
    return g_strndup(host, length);
}

/* What a local part in quotes holds is not looked at. */
static gsize
address_length(const char *text)
{
    gsize at = 0;
    if (text[0] == '"')
        for (at = 1; text[at] != '\0' && text[at] != '"'; at++)
            if (text[at] == '\\' && text[at + 1] != '\0')
                at++;
    return at + strcspn(text + at, " \t,;()");
}

/* The address in "rfc822; <u@example.org> (comment)"; "" if there is none. */
static char *
read_address(const char *value)
{
    gsize type;
    if (value == NULL)
        return g_strdup("");
    const char *path = skip_type(value, &type);
    if (*path == '|' || *path == '/')
        return g_strdup("");
    const char *close = path[0] == '<' ? strchr(path, '>') : NULL;
    gsize length = close != NULL ? (gsize)(close + 1 - path) : address_length(path);
    g_autofree char *piece = g_strndup(path, length);
    g_autofree char *address = address_parse(piece);
    g_strdelimit(address, "<>", ' ');
    g_strstrip(address);
    return g_strdup(address[0] == '@' ? "" : address);
}

/* "\x{e4}" (RFC 6533 section 3, utf-8-addr-xtext) at `text`: its letter, and in *length how long it
 * is; 0: it is none. */
static gunichar
unicode_escape(const char *text, gsize *length)
{
    if (!g_str_has_prefix(text, "\\x{"))
        return 0;
    char *end;
    guint64 letter = g_ascii_strtoull(text + 3, &end, 16);
    if (*end != '}' || end - text > 10 || letter == 0 || letter > 0x10ffff ||
        !g_unichar_validate((gunichar)letter))
        return 0;
    *length = (gsize)(end + 1 - text);
    return (gunichar)letter;
}

/* "+40" (RFC 3461 section 4) at `text`: its octet. In an address that has its '@', only what xtext
 * cannot do without: "user+20@example.org" is somebody's real address. 0: it is none. */
static char
xtext_octet(const char *text, gboolean has_at)
{
    if (text[0] != '+' || !g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2]) ||
        g_ascii_islower(text[1]) || g_ascii_islower(text[2]))
        return 0;
    int octet = g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]);
    if (has_at)
        return octet == '+' || octet == '=' ? (char)octet : 0;
    return octet > ' ' && octet < 0x7f ? (char)octet : 0;
}

static char *
read_original_address(const char *value)
{
    g_autofree char *address = read_address(value);
    gboolean has_at = strchr(address, '@') != NULL;
    GString *decoded = g_string_sized_new(strlen(address));
    for (const char *at = address; *at != '\0';) {
        gsize length;
        gunichar letter = unicode_escape(at, &length);
        char octet = xtext_octet(at, has_at);
        if (letter != 0) {
            g_string_append_unichar(decoded, letter);
            at += length;
        } else if (octet != 0) {
            g_string_append_c(decoded, octet);
            at += 3;
        } else {
            g_string_append_c(decoded, *at++);
        }
    }
    return g_string_free(decoded, FALSE);
}

/* The word's beginning decides; the longer ones first. */
static const struct {
    const char *prefix;
    DsnAction action;
} actions[] = {
    {"fail", DSN_ACTION_FAILED},        {"expired", DSN_ACTION_FAILED},
    {"undeliver", DSN_ACTION_FAILED},   {"non-deliver", DSN_ACTION_FAILED},
    {"not-deliver", DSN_ACTION_FAILED}, {"reject", DSN_ACTION_FAILED},
    {"bounce", DSN_ACTION_FAILED},      {"delay", DSN_ACTION_DELAYED},
    {"defer", DSN_ACTION_DELAYED},      {"deliver", DSN_ACTION_DELIVERED},
    {"success", DSN_ACTION_DELIVERED},  {"relay", DSN_ACTION_RELAYED},
    {"expanded", DSN_ACTION_EXPANDED},
};

static DsnAction
read_action(const char *value)
{
    if (value == NULL)
        return DSN_ACTION_UNKNOWN;
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++)
        if (g_ascii_strncasecmp(value, actions[i].prefix, strlen(actions[i].prefix)) == 0)
            return actions[i].action;
    return DSN_ACTION_UNKNOWN;
}

/* "5.1.1", "5.0.0 (permanent failure)", "#5.1.1", "550 5.1.1". */
static EnhancedStatus
read_status(const char *value)
{
    EnhancedStatus status = ENHANCED_STATUS_NONE;
    if (value == NULL)
        return status;
    for (const char *at = value; *at != '\0'; at++) {
        gboolean begins = at == value || !(g_ascii_isalnum(at[-1]) || at[-1] == '.');
        if (begins && g_ascii_isdigit(*at) && enhanced_status_scan(at, &status) > 0)
            return status;
    }
    return ENHANCED_STATUS_NONE;
}

static void
read_diagnostic(DsnRecipient *recipient, const char *value)
{
    gsize type = 0;
    const char *text = value != NULL ? skip_type(value, &type) : "";
    recipient->diagnostic_type = type > 0 ? g_ascii_strdown(value, (gssize)type) : g_strdup("");
    recipient->diagnostic = strstr(text, "=?") != NULL ? header_words_decode(text) : g_strdup(text);
}

/* ---- groups ------------------------------------------------------------------------------- */

typedef enum {
    FIELD_OTHER = 0,
    FIELD_FINAL = 1 << 0,
    FIELD_ORIGINAL = 1 << 1,
    FIELD_ACTUAL = 1 << 2,
    FIELD_ACTION = 1 << 3,
    FIELD_STATUS = 1 << 4,
    FIELD_DIAGNOSTIC = 1 << 5,
    FIELD_REMOTE = 1 << 6,
    FIELD_MESSAGE = 1 << 7, /* of the message's group */
    FIELD_MAIL = 1 << 8,    /* of no report, but of the original's header */
} FieldKind;

enum {
    FIELDS_IDENTITY = FIELD_FINAL | FIELD_ORIGINAL | FIELD_ACTUAL,
    FIELDS_RECIPIENT =
        FIELDS_IDENTITY | FIELD_ACTION | FIELD_STATUS | FIELD_DIAGNOSTIC | FIELD_REMOTE,
    /* A second one of these begins another recipient. */
    FIELDS_ONCE = FIELD_FINAL | FIELD_ORIGINAL | FIELD_ACTION,
};

static const struct {
    const char *name;
    gsize length;
    FieldKind kind;
} field_kinds[] = {
    {"Final-Recipient", sizeof("Final-Recipient") - 1, FIELD_FINAL},
    {"Original-Recipient", sizeof("Original-Recipient") - 1, FIELD_ORIGINAL},
    {"X-Actual-Recipient", sizeof("X-Actual-Recipient") - 1, FIELD_ACTUAL},
    {"Action", sizeof("Action") - 1, FIELD_ACTION},
    {"Status", sizeof("Status") - 1, FIELD_STATUS},
    {"Diagnostic-Code", sizeof("Diagnostic-Code") - 1, FIELD_DIAGNOSTIC},
    {"Remote-MTA", sizeof("Remote-MTA") - 1, FIELD_REMOTE},
    {"Reporting-MTA", sizeof("Reporting-MTA") - 1, FIELD_MESSAGE},
    {"Original-Envelope-Id", sizeof("Original-Envelope-Id") - 1, FIELD_MESSAGE},
    {"Received-From-MTA", sizeof("Received-From-MTA") - 1, FIELD_MESSAGE},
    {"Arrival-Date", sizeof("Arrival-Date") - 1, FIELD_MESSAGE},
    {"Return-Path", sizeof("Return-Path") - 1, FIELD_MAIL},
    {"Received", sizeof("Received") - 1, FIELD_MAIL},
    {"MIME-Version", sizeof("MIME-Version") - 1, FIELD_MAIL},
    {"Content-Type", sizeof("Content-Type") - 1, FIELD_MAIL},
    {"Subject", sizeof("Subject") - 1, FIELD_MAIL},
    {"From", sizeof("From") - 1, FIELD_MAIL},
};

static FieldKind
find_kind(const char *name, gsize length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(field_kinds); i++)
        if (field_kinds[i].length == length &&
            g_ascii_strncasecmp(name, field_kinds[i].name, length) == 0)
            return field_kinds[i].kind;
    return FIELD_OTHER;
}

/* Of the field that begins this line. */
static FieldKind
line_kind(const char *line, gsize length)
{
    const char *colon = memchr(line, ':', MIN(length, 40));
    if (colon == NULL)
        return FIELD_OTHER;
    gsize name = (gsize)(colon - line);
    while (name > 0 && (line[name - 1] == ' ' || line[name - 1] == '\t'))
        name--;
    return find_kind(line, name);
}

static gboolean
is_blank_line(const char *line, gsize length)
{
    for (gsize i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t')
            return FALSE;
    return TRUE;
}

/* The end of the group that begins at `at`, and in *kinds what is in it. */
static gsize
group_end(const OctetLines *lines, gsize at, guint *kinds)
{
    *kinds = 0;
    while (at < lines->length) {
        gsize octets, next = octet_lines_next(lines, at, &octets);
        const char *line = lines->text + at;
        if (is_blank_line(line, octets))
            return at;
        FieldKind kind = line_kind(line, octets);
        gboolean again = (kind & FIELDS_ONCE & *kinds) != 0;
        gboolean original = kind == FIELD_MAIL && (*kinds & FIELDS_RECIPIENT) != 0;
        if (again || original)
            return at;
        *kinds |= kind;
        at = next;
    }
    return at;
}

static gsize
skip_blank_lines(const OctetLines *lines, gsize at)
{
    while (at < lines->length) {
        gsize octets, next = octet_lines_next(lines, at, &octets);
        if (!is_blank_line(lines->text + at, octets))
            break;
        at = next;
    }
    return at;
}

/* ---- the report --------------------------------------------------------------------------- */

static void
recipient_free(gpointer data)
{
    DsnRecipient *recipient = data;
    g_free(recipient->final_recipient);
    g_free(recipient->original_recipient);
    g_free(recipient->actual_recipient);
    g_free(recipient->diagnostic);
    g_free(recipient->diagnostic_type);
    g_free(recipient->remote_mta);
    header_fields_free(recipient->fields);
    g_free(recipient);
}

static DsnReport *
report_new(void)
{
    DsnReport *report = g_new0(DsnReport, 1);
    report->fields = header_fields_new();
    report->recipients = g_ptr_array_new_with_free_func(recipient_free);
    return report;
}

void
dsn_report_free(DsnReport *report)
{
    if (report == NULL)
        return;
    g_free(report->reporting_mta);
    g_free(report->envelope_id);
    header_fields_free(report->fields);
    header_fields_free(report->original);
    g_ptr_array_unref(report->recipients);
    g_free(report);
}

/* What the fields of a recipient say, once they are all there. */
static void
recipient_finish(DsnRecipient *recipient)
{
    const HeaderFields *fields = recipient->fields;
    recipient->final_recipient =
        read_original_address(header_fields_get(fields, "Final-Recipient"));
    recipient->original_recipient =
        read_original_address(header_fields_get(fields, "Original-Recipient"));
    recipient->actual_recipient = read_address(header_fields_get(fields, "X-Actual-Recipient"));
    recipient->action = read_action(header_fields_get(fields, "Action"));
    recipient->status = read_status(header_fields_get(fields, "Status"));
    recipient->remote_mta = dsn_report_host(header_fields_get(fields, "Remote-MTA"));
    read_diagnostic(recipient, header_fields_get(fields, "Diagnostic-Code"));
}

static void
fields_append(HeaderFields *fields, const HeaderFields *more)
{
    for (guint i = 0; i < more->fields->len; i++) {
        const HeaderField *field = &g_array_index(more->fields, HeaderField, i);
        header_fields_add(fields, field->name, field->value);
    }
}

typedef struct {
    DsnReport *report;
    guint kinds; /* of the last recipient's fields */
} ReportReader;

/* Is it the next recipient's, or more of the last one's that a blank line parted? */
static gboolean
begins_recipient(const ReportReader *reader, guint kinds)
{
    if (reader->report->recipients->len == 0)
        return TRUE;
    if ((kinds & reader->kinds & FIELDS_ONCE) != 0)
        return TRUE;
    return (kinds & FIELDS_IDENTITY) != 0 && (reader->kinds & FIELDS_IDENTITY) != 0;
}

/* FALSE: there are too many. */
static gboolean
take_recipient_group(ReportReader *reader, HeaderFields *fields, guint kinds)
{
    GPtrArray *recipients = reader->report->recipients;
    if (!begins_recipient(reader, kinds)) {
        DsnRecipient *last = recipients->pdata[recipients->len - 1];
        fields_append(last->fields, fields);
        header_fields_free(fields);
        reader->kinds |= kinds;
        return TRUE;
    }
    if (recipients->len >= DSN_REPORT_MAX_RECIPIENTS) {
        header_fields_free(fields);
        reader->report->truncated = TRUE;
        return FALSE;
    }
    DsnRecipient *recipient = g_new0(DsnRecipient, 1);
    recipient->fields = fields;
    g_ptr_array_add(recipients, recipient);
    reader->kinds = kinds;
    return TRUE;
}

/* Takes `fields`. FALSE: there are too many recipients. */
static gboolean
take_group(ReportReader *reader, HeaderFields *fields, guint kinds)
{
    DsnReport *report = reader->report;
    gboolean of_recipient = (kinds & FIELDS_RECIPIENT) != 0;
    if (report->recipients->len == 0 && ((kinds & FIELD_MESSAGE) != 0 || !of_recipient))
        fields_append(report->fields, fields);
    if (of_recipient)
        return take_recipient_group(reader, fields, kinds);
    header_fields_free(fields);
    return TRUE;
}

/* A recipient of whom nothing is said, as a "Status: RO" in some text, is none. */
static void
drop_empty(GPtrArray *recipients)
{
    for (guint i = recipients->len; i > 0; i--) {
        const DsnRecipient *recipient = recipients->pdata[i - 1];
        if (recipient->final_recipient[0] == '\0' && recipient->original_recipient[0] == '\0' &&
            recipient->actual_recipient[0] == '\0' && recipient->diagnostic[0] == '\0' &&
            recipient->action == DSN_ACTION_UNKNOWN && !enhanced_status_is_set(recipient->status))
            g_ptr_array_remove_index(recipients, i - 1);
    }
}

/* Is the group at `at` no report's? In a `run`, one that does not begin with a field of a report
 * is other text. */
static gboolean
is_foreign(const OctetLines *lines, gsize at, guint kinds, gboolean run)
{
    gsize octets;
    if ((kinds & (FIELDS_RECIPIENT | FIELD_MESSAGE)) == 0)
        return run || (kinds & FIELD_MAIL) != 0;
    octet_lines_next(lines, at, &octets);
    return run && line_kind(lines->text + at, octets) == FIELD_OTHER;
}

/* Reads up to where the report ends; returns that offset. */
static gsize
read_groups(ReportReader *reader, const OctetLines *lines, gboolean run)
{
    gsize at = skip_blank_lines(lines, 0);
    while (at < lines->length) {
        guint kinds;
        gsize end = group_end(lines, at, &kinds);
        if (reader->report->recipients->len > 0 && is_foreign(lines, at, kinds, run))
            break;
        HeaderFields *fields = header_fields_parse(lines->text + at, end - at, FALSE, NULL);
        if (!take_group(reader, fields, kinds))
            break;
        at = skip_blank_lines(lines, end);
    }
    return at;
}

/* The header that begins at `at`, if it is a mail's; else NULL. */
static HeaderFields *
read_original(const OctetLines *lines, gsize at)
{
    guint kinds;
    group_end(lines, at, &kinds);
    return (kinds & FIELD_MAIL) != 0
               ? header_fields_parse(lines->text + at, lines->length - at, TRUE, NULL)
               : NULL;
}

static DsnReport *
parse_report(const char *text, gsize length, gboolean run)
{
    OctetLines lines = octet_lines(text, length);
    ReportReader reader = {.report = report_new()};
    DsnReport *report = reader.report;
    gsize end = read_groups(&reader, &lines, run);
    for (guint i = 0; i < report->recipients->len; i++)
        recipient_finish(report->recipients->pdata[i]);
    drop_empty(report->recipients);
    if (end < length && report->recipients->len > 0)
        report->original = read_original(&lines, end);
    report->reporting_mta = dsn_report_host(header_fields_get(report->fields, "Reporting-MTA"));
    const char *id = header_fields_get(report->fields, "Original-Envelope-Id");
    report->envelope_id = g_strdup(id != NULL ? id : "");
    return report;
}

DsnReport *
dsn_report_parse(const char *text, gsize length)
{
    return parse_report(text, length, FALSE);
}

/* ---- among other text --------------------------------------------------------------------- */

/* The length of "> > " or of an indent before a field of a report that can begin one; -1: this line
 * begins none. */
static gssize
field_prefix(const char *line, gsize length)
{
    gsize prefix = 0;
    while (prefix < length && prefix < 40 && strchr("> \t|", line[prefix]) != NULL &&
           line[prefix] != '\0')
        prefix++;
    FieldKind kind = line_kind(line + prefix, length - prefix);
    return (kind & (FIELDS_IDENTITY | FIELD_MESSAGE)) != 0 ? (gssize)prefix : -1;
}

/* The text from `at` on without the prefix that its first line has; shorter lines are blank. */
static GString *
without_prefix(const OctetLines *lines, gsize at, gsize prefix)
{
    GString *plain = g_string_sized_new(lines->length - at);
    while (at < lines->length) {
        gsize octets;
        const char *line = lines->text + at;
        at = octet_lines_next(lines, at, &octets);
        gsize skipped = 0;
        while (skipped < prefix && skipped < octets && strchr("> \t|", line[skipped]) != NULL &&
               line[skipped] != '\0')
            skipped++;
        g_string_append_len(plain, line + skipped, (gssize)(octets - skipped));
        g_string_append_c(plain, '\n');
    }
    return plain;
}

static gboolean
has_recipient(const DsnReport *report)
{
    for (guint i = 0; i < report->recipients->len; i++) {
        const DsnRecipient *recipient = report->recipients->pdata[i];
        gboolean named =
            recipient->final_recipient[0] != '\0' || recipient->original_recipient[0] != '\0';
        gboolean said =
            recipient->action != DSN_ACTION_UNKNOWN || enhanced_status_is_set(recipient->status);
        if (named && said)
            return TRUE;
    }
    return FALSE;
}

DsnReport *
dsn_report_find(const char *text, gsize length)
{
    OctetLines lines = octet_lines(text, length);
    gsize begin = 0, at = 0, octets;
    gssize prefix = -1;
    while (at < length && prefix < 0) {
        begin = at;
        at = octet_lines_next(&lines, at, &octets);
        prefix = field_prefix(text + begin, octets);
    }
    if (prefix < 0)
        return NULL;
    g_autoptr(GString) plain = prefix > 0 ? without_prefix(&lines, begin, (gsize)prefix) : NULL;
    g_autoptr(DsnReport) report = plain != NULL ? parse_report(plain->str, plain->len, TRUE)
                                                : parse_report(text + begin, length - begin, TRUE);
    return has_recipient(report) ? g_steal_pointer(&report) : NULL;
}
