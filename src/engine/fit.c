/*
 * fit: texts made to fit the wire.
 */
#include "engine/fit.h"

#include <string.h>

#define LONG_LINK "(link too long)"
#define ELLIPSIS  " ..."

/* ---- clean text ----------------------------------------------------------------------------- */

/* Not white space, no format character that could turn the line around or hide in it. */
static gboolean
is_plain_letter(gunichar letter)
{
    switch (g_unichar_type(letter)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
        return FALSE;
    default:
        return TRUE;
    }
}

/* Appends the nearest 7-bit letters; one '?' for a run of letters that have none. */
static void
append_nearest(GString *out, gunichar letter, gboolean *unknown)
{
    char utf8[7] = "";
    if (g_unichar_ismark(letter))
        return;
    utf8[g_unichar_to_utf8(letter, utf8)] = '\0';
    g_autofree char *near = g_str_to_ascii(utf8, "C");
    gboolean known = strcmp(near, "?") != 0;
    if (!known && !*unknown)
        g_string_append_c(out, '?');
    for (const char *at = near; known && *at != '\0'; at++)
        g_string_append_c(out, g_ascii_isprint(*at) ? *at : ' ');
    *unknown = !known;
}

/* Appends what stands at `at`, which is not 7-bit; returns what stands behind it. */
static const char *
append_8_bit(GString *out, const char *at, gboolean smtputf8, gboolean *unknown)
{
    gunichar letter = g_utf8_get_char_validated(at, -1);
    gboolean valid = letter != (gunichar)-1 && letter != (gunichar)-2;
    if (valid && smtputf8 && is_plain_letter(letter)) {
        g_string_append_unichar(out, letter);
    } else if (valid && !smtputf8) {
        append_nearest(out, letter, unknown);
    } else if (!*unknown) {
        g_string_append_c(out, '?');
        *unknown = TRUE;
    }
    return valid ? g_utf8_next_char(at) : at + 1;
}

/* "??550 " and "__550 " would be read as a log's line break (mail/smtp_reply.h). */
static void
part_from_code(GString *out, char octet)
{
    gsize length = out->len;
    if (length >= 2 && g_ascii_isdigit(octet) && out->str[length - 1] == out->str[length - 2] &&
        (out->str[length - 1] == '?' || out->str[length - 1] == '_'))
        g_string_append_c(out, ' ');
}

char *
fit_clean(const char *text, gboolean smtputf8)
{
    GString *out = g_string_new(NULL);
    gboolean unknown = FALSE;
    while (*text != '\0') {
        if ((*text & 0x80) != 0) {
            text = append_8_bit(out, text, smtputf8, &unknown);
            continue;
        }
        part_from_code(out, *text);
        if (g_ascii_isspace(*text))
            g_string_append_c(out, ' ');
        else
            g_string_append_c(out, g_ascii_isprint(*text) ? *text : '?');
        unknown = FALSE;
        text++;
    }
    return g_strstrip(g_string_free(out, FALSE));
}

static gsize
count_8_bit(const char *text)
{
    gsize count = 0;
    for (; *text != '\0'; text++)
        count += (*text & 0x80) != 0 ? 1 : 0;
    return count;
}

static gboolean
has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if (g_ascii_iscntrl(*text) && *text != '\t')
            return TRUE;
    return FALSE;
}

static void
note_octets(const char *text, const char *clean, guint line, GPtrArray *findings)
{
    if (has_control(text))
        lint_note(findings, LINT_CONTROL_OCTET, line,
                  g_strdup_printf("Line %u holds a control octet, which is sent as it is.", line),
                  g_strdup("It becomes '?' or a space."));
    if (count_8_bit(text) != count_8_bit(clean))
        lint_note(findings, LINT_8_BIT_OCTET, line,
                  g_strdup_printf("Line %u holds octets that are not 7-bit; only a client with "
                                  "SMTPUTF8 may get them, as UTF-8, and Sendmail cuts off their "
                                  "eighth bit.",
                                  line),
                  g_strdup("Letters become their nearest 7-bit ones, or '?'."));
}

/* ---- a status within the text -----------------------------------------------------------------
 */

gsize
fit_malformed_status(const char *text)
{
    gsize length = 0;
    guint dots = 0;
    if (text[0] < '2' || text[0] > '5' || text[1] != '.')
        return 0;
    for (; g_ascii_isdigit(text[length]) || text[length] == '.'; length++) {
        if (text[length] == '.' && !g_ascii_isdigit(text[length + 1]))
            return 0;
        dots += text[length] == '.' ? 1 : 0;
    }
    gboolean ends = text[length] == '\0' || text[length] == ' ';
    return dots == 2 && ends && enhanced_status_scan(text, NULL) == 0 ? length : 0;
}

/* Length of what reads like the status itself at the start of a text, or, where none belongs, like
 * any. */
static gsize
status_length(const char *text, EnhancedStatus status)
{
    EnhancedStatus found;
    gsize hash = *text == '#' ? 1 : 0, length = enhanced_status_scan(text + hash, &found);
    if (length == 0)
        return enhanced_status_is_set(status) ? 0 : fit_malformed_status(text);
    if (enhanced_status_is_set(status) && !enhanced_status_equal(status, found))
        return 0;
    length += hash;
    return length + (text[length] == ':' && text[length + 1] == ' ' ? 1 : 0);
}

/* Cuts it off in place; a reader would take it for the line's status. */
static gboolean
strip_status(char *text, EnhancedStatus status)
{
    char *at = text;
    for (gsize length; (length = status_length(at, status)) > 0;)
        at += length + strspn(at + length, " ");
    gboolean found = at != text;
    memmove(text, at, strlen(at) + 1);
    return found;
}

static void
note_status(EnhancedStatus status, guint line, GPtrArray *findings)
{
    if (enhanced_status_is_set(status))
        lint_note(
            findings, LINT_STATUS_TWICE, line,
            g_strdup_printf("The text of line %u begins with the enhanced status again.", line),
            g_strdup("It stands there once."));
    else
        lint_note(findings, LINT_STATUS_MISPLACED, line,
                  g_strdup_printf("The text of line %u begins with an enhanced status, and none "
                                  "belongs there.",
                                  line),
                  g_strdup("It is left out."));
}

/* ---- lines ---------------------------------------------------------------------------------- */

static gsize
prefix_octets(guint code, EnhancedStatus status)
{
    char text[ENHANCED_STATUS_TEXT_SIZE];
    gsize length = strlen(enhanced_status_format(status, text));
    return (code != 0 ? 4 : 0) + (length > 0 ? length + 1 : 0);
}

FitWidth
fit_width(guint code, EnhancedStatus status, const LintContext *context)
{
    enum { LEAST_ROOM = 64 };
    gsize room = SMTP_REPLY_LINE_OCTETS - strlen("\r\n") - prefix_octets(code, status);
    FitWidth width = {.first = room, .other = room};
    if (context == NULL || context->address == NULL ||
        (context->stage != SMTP_STAGE_MAIL && context->stage != SMTP_STAGE_RCPT))
        return width;
    gsize taken = strlen("<>... ") + strlen(context->address);
    width.first = taken + LEAST_ROOM < room ? room - taken : LEAST_ROOM;
    return width;
}

/* How much of `text` fits into `room` octets, and into libmilter with each '%' doubled. */
static gsize
fitting(const char *text, gsize room)
{
    gsize octets = 0, doubled = 0;
    for (; text[octets] != '\0' && octets < room; octets++) {
        doubled += text[octets] == '%' ? 2 : 1;
        if (doubled > FIT_MAX_MILTER_TEXT)
            break;
    }
    return octets;
}

static gboolean
fits(const char *text, gsize room)
{
    return text[fitting(text, room)] == '\0';
}

static gboolean
is_link(const char *word, gsize length)
{
    return g_strstr_len(word, (gssize)length, "://") != NULL;
}

/* Not within a UTF-8 sequence. */
static gsize
letter_boundary(const char *text, gsize at)
{
    gsize cut = at;
    while (cut > 0 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    return cut > 0 ? cut : at;
}

/* Takes the first line off `text`; returns what is left. */
static const char *
take_line(GPtrArray *lines, const char *text, gsize room, gsize other)
{
    gsize most = fitting(text, room), cut = most;
    while (cut > 0 && text[cut] != ' ')
        cut--;
    gsize word = strcspn(text, " ");
    if (cut == 0 && is_link(text, word)) {
        gboolean whole = word == fitting(text, MIN(other, word));
        g_ptr_array_add(lines, whole ? g_strndup(text, word) : g_strdup(LONG_LINK));
        return text + word;
    }
    if (cut == 0)
        cut = letter_boundary(text, most);
    g_ptr_array_add(lines, g_strchomp(g_strndup(text, cut)));
    return text + cut;
}

GPtrArray *
fit_wrap(const char *text, FitWidth width)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    gsize room = width.first;
    while (!fits(text, room)) {
        text = take_line(lines, text, room, width.other);
        text += strspn(text, " ");
        room = width.other;
    }
    if (*text != '\0' || lines->len == 0)
        g_ptr_array_add(lines, g_strdup(text));
    return lines;
}

/* ---- a whole reply -------------------------------------------------------------------------- */

/* Clean, and without a second status: NULL where nothing is left. */
static char *
clean_line(const SmtpReply *reply, guint index, const LintContext *context, GPtrArray *findings)
{
    const char *text = smtp_reply_line(reply, index)->text;
    char *clean = fit_clean(text, context->smtputf8);
    note_octets(text, clean, index + 1, findings);
    if (strip_status(clean, reply->status))
        note_status(reply->status, index + 1, findings);
    if (*clean != '\0')
        return clean;
    g_free(clean);
    return NULL;
}

static void
wrap_into(GPtrArray *lines, const char *text, EnhancedStatus status, FitWidth width)
{
    if (lines->len > 0)
        width.first = width.other;
    g_autoptr(GPtrArray) wrapped = fit_wrap(text, width);
    for (guint i = 0; i < wrapped->len; i++) {
        char *line = g_strdup(g_ptr_array_index(wrapped, i));
        strip_status(line, status);
        if (*line != '\0')
            g_ptr_array_add(lines, line);
        else
            g_free(line);
    }
}

static GPtrArray *
wrapped_lines(const SmtpReply *reply, const LintContext *context, FitWidth width,
              GPtrArray *findings)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    guint count = smtp_reply_line_count(reply);
    for (guint i = 0; i < count; i++) {
        g_autofree char *text = clean_line(reply, i, context, findings);
        if (text == NULL) {
            if (count > 1)
                lint_note(findings, LINT_TEXT_EMPTY, i + 1,
                          g_strdup_printf("Line %u has no text.", i + 1),
                          g_strdup("It is left out."));
            continue;
        }
        if (!fits(text, lines->len == 0 ? width.first : width.other))
            lint_note(findings, LINT_LINE_TOO_LONG, i + 1,
                      g_strdup_printf("Line %u is too long: with code, status and CRLF a line has "
                                      "at most %d octets.",
                                      i + 1, SMTP_REPLY_LINE_OCTETS),
                      g_strdup("It is wrapped at words."));
        wrap_into(lines, text, reply->status, width);
    }
    return lines;
}

/* Cut at a word so that the ellipsis has room. */
static char *
shortened(const char *text, gsize room)
{
    gsize most = fitting(text, room - strlen(ELLIPSIS)), cut = most;
    while (cut > 0 && text[cut] != ' ')
        cut--;
    g_autofree char *start =
        g_strchomp(g_strndup(text, cut > 0 ? cut : letter_boundary(text, most)));
    return g_strconcat(start, ELLIPSIS, NULL);
}

/* All words again in as few lines as hold them; what is too much is left out. */
static GPtrArray *
refilled(GPtrArray *lines, EnhancedStatus status, FitWidth width)
{
    g_ptr_array_add(lines, NULL);
    g_autofree char *all = g_strjoinv(" ", (char **)lines->pdata);
    g_ptr_array_unref(lines);
    GPtrArray *fewer = g_ptr_array_new_with_free_func(g_free);
    wrap_into(fewer, all, status, width);
    if (fewer->len <= FIT_MAX_LINES)
        return fewer;
    char **last = (char **)&g_ptr_array_index(fewer, FIT_MAX_LINES - 1);
    char *cut = shortened(*last, MIN(strlen(*last) + strlen(ELLIPSIS), width.other));
    g_free(*last);
    *last = cut;
    g_ptr_array_set_size(fewer, FIT_MAX_LINES);
    return fewer;
}

void
fit_reply(SmtpReply *reply, const LintContext *context, GPtrArray *findings)
{
    static const LintContext nothing_known;
    const LintContext *known = context != NULL ? context : &nothing_known;
    guint code = reply->code;
    EnhancedStatus status = reply->status;
    FitWidth width = fit_width(code, status, known);
    GPtrArray *lines = wrapped_lines(reply, known, width, findings);
    if (lines->len > FIT_MAX_LINES) {
        lint_note(findings, LINT_TOO_MANY_LINES, 0,
                  g_strdup_printf("The reply has %u lines; libmilter takes %d.", lines->len,
                                  FIT_MAX_LINES),
                  g_strdup("Short lines are joined, and what is still too much is left out."));
        lines = refilled(lines, status, width);
    }
    if (lines->len == 0)
        g_ptr_array_add(lines, g_strdup(""));
    smtp_reply_set_texts(reply, lines);
    smtp_reply_set_code(reply, code, status);
    reply->flattened = FALSE;
    g_ptr_array_unref(lines);
}

/* ---- annotation ----------------------------------------------------------------------------- */

typedef struct {
    gsize overhead; /* code, status and CRLF */
    gsize octets;   /* left */
    guint lines;
} Room;

static gboolean
take_room(Room *room, const char *text)
{
    gsize octets = strlen(text) + room->overhead;
    if (room->lines == 0 || octets > room->octets)
        return FALSE;
    room->lines--;
    room->octets -= octets;
    return TRUE;
}

/* The line, a part of it that makes sense, or NULL. */
static char *
added_line(Room *room, const char *text)
{
    enum { LEAST_SENSE = 40 };
    if (take_room(room, text))
        return g_strdup(text);
    if (room->lines == 0 || room->octets < room->overhead + LEAST_SENSE ||
        strstr(text, "://") != NULL)
        return NULL;
    char *part = shortened(text, room->octets - room->overhead);
    take_room(room, part);
    return part;
}

GPtrArray *
fit_added_lines(const SmtpReply *reply, const GPtrArray *lines, guint kept)
{
    guint present = MIN(smtp_reply_line_count(reply), FIT_MAX_LINES);
    guint first_kept = lines->len - MIN(kept, lines->len);
    Room room = {.overhead = prefix_octets(reply->code, reply->status) + strlen("\r\n"),
                 .octets = FIT_MAX_ADDED_OCTETS,
                 .lines = MIN(FIT_MAX_ADDED_LINES, FIT_MAX_LINES - present)};
    g_autoptr(GPtrArray) last = g_ptr_array_new();
    for (guint i = lines->len; i > first_kept; i--)
        if (take_room(&room, g_ptr_array_index(lines, i - 1)))
            g_ptr_array_insert(last, 0, g_ptr_array_index(lines, i - 1));
    GPtrArray *added = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < first_kept; i++) {
        char *line = added_line(&room, g_ptr_array_index(lines, i));
        if (line != NULL)
            g_ptr_array_add(added, line);
    }
    for (guint i = 0; i < last->len; i++)
        g_ptr_array_add(added, g_strdup(g_ptr_array_index(last, i)));
    return added;
}
