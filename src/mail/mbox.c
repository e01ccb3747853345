/*
 * mbox: the mails in an mbox file, one after the other, as a stream.
 */
#include "mail/mbox.h"

#include <string.h>

enum {
    BLOCK = 128 * 1024,
    LINE_MAX_OCTETS = 64 * 1024, /* of a longer line, the rest is a piece of its own */
    FROM_LINE_MAX = 1024,
    FIELD_NAME_MAX = 76,
};

struct MboxSplitter {
    MboxRead read;
    gpointer source;
    gsize most;
    GString *held; /* what has been read; from `at` on it is still to be split */
    gsize at;
    gboolean ended;
    GError *error; /* of the read that ended it */
    gboolean begun;
    gboolean dateless; /* the first From_ line has no date */
};

MboxSplitter *
mbox_splitter_new(MboxRead read, gpointer source, gsize most)
{
    MboxSplitter *splitter = g_new0(MboxSplitter, 1);
    splitter->read = read;
    splitter->source = source;
    splitter->most = most;
    splitter->held = g_string_sized_new(2 * BLOCK);
    return splitter;
}

void
mbox_splitter_free(MboxSplitter *splitter)
{
    g_string_free(splitter->held, TRUE);
    g_clear_error(&splitter->error);
    g_free(splitter);
}

/* ---- what is ahead -----------------------------------------------------------------------------
 */

/* What is done with goes; at most half of what is held is moved, so that time stays linear. */
static void
drop_done(MboxSplitter *splitter)
{
    if (splitter->at < BLOCK || splitter->at < splitter->held->len / 2)
        return;
    g_string_erase(splitter->held, 0, (gssize)splitter->at);
    splitter->at = 0;
}

/* At least `count` octets ahead, or all there are; how many. */
static gsize
look_ahead(MboxSplitter *splitter, gsize count)
{
    GString *held = splitter->held;
    while (held->len - splitter->at < count && !splitter->ended) {
        drop_done(splitter);
        gsize before = held->len;
        g_string_set_size(held, before + BLOCK);
        gssize got = splitter->read(splitter->source, held->str + before, BLOCK, &splitter->error);
        g_string_set_size(held, before + (got > 0 ? (gsize)got : 0));
        splitter->ended = got <= 0;
    }
    return held->len - splitter->at;
}

static const char *
ahead(const MboxSplitter *splitter)
{
    return splitter->held->str + splitter->at;
}

/* The line ahead with its newline, or a piece of it. 0: the end. */
static gsize
line_ahead(MboxSplitter *splitter)
{
    gsize seen = 0;
    for (gsize wanted = 512; seen < LINE_MAX_OCTETS; wanted *= 4) {
        gsize there = MIN(look_ahead(splitter, MIN(wanted, LINE_MAX_OCTETS)), LINE_MAX_OCTETS);
        const char *newline = memchr(ahead(splitter) + seen, '\n', there - seen);
        if (newline != NULL)
            return (gsize)(newline + 1 - ahead(splitter));
        if (there < MIN(wanted, LINE_MAX_OCTETS))
            return there;
        seen = there;
    }
    return seen;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static gboolean
is_blank_line(const char *line, gsize length)
{
    return length > 0 && line[length - 1] == '\n' &&
           (length == 1 || (length == 2 && line[0] == '\r'));
}

static gboolean
begins_from(const char *line, gsize length)
{
    return length >= 5 && memcmp(line, "From ", 5) == 0;
}

static gboolean
is_one_of(const char *word, const char *names)
{
    for (; *names != '\0'; names += 3)
        if (memcmp(word, names, 3) == 0)
            return TRUE;
    return FALSE;
}

/* Blanks, and one or two digits. */
static gboolean
skip_number(const char *text, gsize length, gsize *at)
{
    while (*at < length && text[*at] == ' ')
        ++*at;
    gsize start = *at;
    while (*at < length && g_ascii_isdigit(text[*at]))
        ++*at;
    return *at > start && *at - start <= 2;
}

/* "Sat Nov 21 12:00": what asctime() makes, however the rest is written. */
static gboolean
is_date(const char *text, gsize length)
{
    if (length < 16 || !is_one_of(text, "MonTueWedThuFriSatSun") || text[3] != ' ' ||
        !is_one_of(text + 4, "JanFebMarAprMayJunJulAugSepOctNovDec") || text[7] != ' ')
        return FALSE;
    gsize at = 8;
    return skip_number(text, length, &at) && skip_number(text, length, &at) && length - at >= 3 &&
           text[at] == ':' && g_ascii_isdigit(text[at + 1]) && g_ascii_isdigit(text[at + 2]);
}

static gboolean
has_date(const char *line, gsize length)
{
    for (gsize at = 5; at + 16 <= MIN(length, FROM_LINE_MAX); at++)
        if (line[at - 1] == ' ' && is_date(line + at, length - at))
            return TRUE;
    return FALSE;
}

/* "Return-Path:". */
static gboolean
begins_field(const char *line, gsize length)
{
    gsize name = 0;
    while (name < MIN(length, FIELD_NAME_MAX) && g_ascii_isgraph(line[name]) && line[name] != ':')
        name++;
    return name > 0 && name < length && line[name] == ':';
}

gboolean
mbox_begins(const char *head, gsize length)
{
    gsize at = 0;
    while (at < length && (head[at] == '\n' || head[at] == '\r'))
        at++;
    const char *line = head + at;
    gsize rest = length - at;
    const char *newline = memchr(line, '\n', rest);
    gsize line_length = newline != NULL ? (gsize)(newline + 1 - line) : rest;
    if (!begins_from(line, line_length) || line_length > FROM_LINE_MAX)
        return FALSE;
    return has_date(line, line_length) || begins_field(line + line_length, rest - line_length);
}

/* Is the line ahead a From_ line? `blank`: the line before it is empty. */
static gboolean
is_separator(MboxSplitter *splitter, gsize length, gboolean blank)
{
    if (!begins_from(ahead(splitter), length) || length > FROM_LINE_MAX)
        return FALSE;
    if (splitter->dateless)
        return blank;
    if (!has_date(ahead(splitter), length))
        return FALSE;
    gsize there = look_ahead(splitter, length + FIELD_NAME_MAX + 1);
    return blank || begins_field(ahead(splitter) + length, there - length);
}

/* ---- a mail ------------------------------------------------------------------------------------
 */

typedef struct {
    GString *octets;
    gsize most;
    gboolean truncated;
    gint64 content_length; /* -1: not said */
} Mail;

/* One '>' of ">From ", ">>From " goes. */
static gsize
quote_length(const char *line, gsize length)
{
    gsize quotes = 0;
    while (quotes < length && line[quotes] == '>')
        quotes++;
    return quotes > 0 && begins_from(line + quotes, length - quotes) ? 1 : 0;
}

static void
mail_append(Mail *mail, const char *octets, gsize length)
{
    gsize room = mail->most - MIN(mail->most, mail->octets->len);
    mail->truncated = mail->truncated || length > room;
    g_string_append_len(mail->octets, octets, (gssize)MIN(length, room));
}

static void
mail_append_line(Mail *mail, const char *line, gsize length)
{
    gsize quote = quote_length(line, length);
    mail_append(mail, line + quote, length - quote);
}

static void
note_content_length(Mail *mail, const char *line, gsize length)
{
    static const char name[] = "content-length:";
    gsize at = sizeof(name) - 1;
    gint64 value = 0;
    if (length <= at || g_ascii_strncasecmp(line, name, at) != 0)
        return;
    while (at < length && (line[at] == ' ' || line[at] == '\t'))
        at++;
    gsize start = at;
    for (; at < length && g_ascii_isdigit(line[at]) && at - start < 15; at++)
        value = value * 10 + (line[at] - '0');
    if (at > start)
        mail->content_length = value;
}

/* Octets of empty lines at `at`. */
static gsize
blank_lines(const MboxSplitter *splitter, gsize at)
{
    const char *octets = ahead(splitter);
    gsize there = splitter->held->len - splitter->at, start = at;
    while (at < there && at - start < 4 && (octets[at] == '\n' || octets[at] == '\r'))
        at++;
    return at - start;
}

/* Does the body ahead end behind as many octets as the header says? */
static gboolean
is_length_right(MboxSplitter *splitter, gsize length, gsize *blank)
{
    gsize there = look_ahead(splitter, length + FROM_LINE_MAX + 8);
    *blank = 0;
    if (there < length)
        return FALSE;
    *blank = blank_lines(splitter, length);
    gsize behind = length + *blank;
    const char *next = ahead(splitter) + behind;
    if (behind == there)
        return splitter->ended;
    return begins_from(next, there - behind) &&
           (splitter->dateless || has_date(next, there - behind));
}

static void
take_lines(MboxSplitter *splitter, gsize length, Mail *mail)
{
    const char *octets = ahead(splitter);
    for (gsize at = 0; at < length;) {
        const char *newline = memchr(octets + at, '\n', length - at);
        gsize line = newline != NULL ? (gsize)(newline + 1 - octets) - at : length - at;
        mail_append_line(mail, octets + at, line);
        at += line;
    }
    splitter->at += length;
}

/* TRUE: the body has been taken whole. */
static gboolean
take_counted_body(MboxSplitter *splitter, Mail *mail)
{
    gsize blank;
    if (mail->content_length < 0 || (guint64)mail->content_length > mail->most)
        return FALSE;
    gsize length = (gsize)mail->content_length;
    if (!is_length_right(splitter, length, &blank))
        return FALSE;
    take_lines(splitter, length, mail);
    splitter->at += blank;
    return TRUE;
}

/* The empty line before a From_ line is not the mail's. */
static void
drop_last_blank(GString *octets)
{
    if (g_str_has_suffix(octets->str, "\r\n\r\n"))
        g_string_truncate(octets, octets->len - 2);
    else if (g_str_has_suffix(octets->str, "\n\n"))
        g_string_truncate(octets, octets->len - 1);
}

static void
take_mail(MboxSplitter *splitter, Mail *mail)
{
    gboolean header = TRUE, blank = FALSE, line_start = TRUE;
    gsize length;
    while ((length = line_ahead(splitter)) > 0) {
        if (line_start && is_separator(splitter, length, blank))
            break;
        const char *line = ahead(splitter);
        blank = line_start && is_blank_line(line, length);
        if (header && line_start)
            note_content_length(mail, line, length);
        if (line_start)
            mail_append_line(mail, line, length);
        else
            mail_append(mail, line, length);
        line_start = line[length - 1] == '\n';
        splitter->at += length;
        drop_done(splitter);
        if (header && blank) {
            header = FALSE;
            if (take_counted_body(splitter, mail))
                return;
        }
    }
    drop_last_blank(mail->octets);
}

/* Up to behind the From_ line, if one is there. */
static void
take_from_line(MboxSplitter *splitter)
{
    gsize length = line_ahead(splitter);
    while (!splitter->begun && is_blank_line(ahead(splitter), length)) {
        splitter->at += length;
        length = line_ahead(splitter);
    }
    gboolean from = begins_from(ahead(splitter), length) && length <= FROM_LINE_MAX;
    if (!splitter->begun)
        splitter->dateless = from && !has_date(ahead(splitter), length);
    splitter->begun = TRUE;
    if (from)
        splitter->at += length;
}

gboolean
mbox_splitter_next(MboxSplitter *splitter, GString *octets, gboolean *truncated, GError **error)
{
    Mail mail = {.octets = octets, .most = splitter->most, .content_length = -1};
    g_string_truncate(octets, 0);
    *truncated = FALSE;
    if (look_ahead(splitter, 1) > 0) {
        take_from_line(splitter);
        take_mail(splitter, &mail);
        *truncated = mail.truncated;
        return TRUE;
    }
    if (splitter->error != NULL)
        g_propagate_error(error, g_steal_pointer(&splitter->error));
    return FALSE;
}
