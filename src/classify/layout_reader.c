/*
 * layout_reader: walks over the lines and keeps drafts of findings.
 *
 * A line gives its text to the recipient named last. What is said before any recipient is kept
 * aside: it goes to those who got nothing of their own. So does, backwards, the text below a list
 * of recipients. Last of all the words of the heading are taken.
 */
#include "classify/layout_reader.h"

#include <string.h>

#include "classify/layout_guess.h"
#include "mail/address.h"
#include "mail/utf8_text.h"

/* Octets of a finding's text. */
#define TEXT_OCTETS 2000

/* Recipients without a domain that are looked for in the original: each costs a look at all of To.
 */
#define MOST_LOOKUPS 100

/* A finding while it is made. */
typedef struct {
    char *recipient;
    char *remote_mta;
    GString *text;
    LayoutVerdict verdict;
    guint section;    /* counted from the first */
    gboolean closed;  /* takes no more text */
    gboolean replied; /* the text is the remote host's */
} Draft;

typedef struct {
    const LayoutSource *source;
    GPtrArray *drafts;     /* of Draft * */
    GHashTable *known;     /* address in small letters -> Draft * */
    GString *aside;        /* said before any recipient */
    GString *heading;      /* of the first section of recipients */
    char *host;            /* named last; NULL: none in this section */
    Draft *current;        /* whom the lines speak of; NULL: nobody yet */
    LayoutSection section; /* LAYOUT_SECTION_NOTHING before the first */
    guint section_count;
    guint place;         /* the next in the source's places */
    guint heading_end;   /* the line after the section's phrase */
    gboolean collecting; /* lines say why */
    gboolean truncated;  /* a recipient was left out */
    guint lookups;       /* of names in the original's header */
    LinePiece own;       /* the address of him who got the report, named in a heading */
} Reader;

/* ---- texts --------------------------------------------------------------------------------- */

/* Control octets become spaces. */
static void
append_clean(GString *out, const char *text, gsize length)
{
    for (gsize i = 0; i < length; i++)
        g_string_append_c(out, g_ascii_iscntrl(text[i]) ? ' ' : text[i]);
}

/* "550-5.7.1 " or "550 ": octets that later lines of the same reply repeat. */
static gsize
reply_mark_length(const char *text, gsize length)
{
    if (length < 4 || !g_ascii_isdigit(text[0]) || !g_ascii_isdigit(text[1]) ||
        !g_ascii_isdigit(text[2]) || (text[3] != '-' && text[3] != ' '))
        return 0;
    gsize used = 4, digits = 4;
    while (digits < length && (g_ascii_isdigit(text[digits]) || text[digits] == '.'))
        digits++;
    if (digits > 8 && (digits == length || text[digits] == ' '))
        used = MIN(digits + 1, length);
    return used;
}

/* Has a line of this reply, with the same code and status, been taken already? */
static gboolean
reply_goes_on(const GString *text, const char *mark, gsize length)
{
    g_autofree char *again = g_strndup(mark, length);
    for (const char *separator = "- "; *separator != '\0'; separator++) {
        again[3] = *separator;
        const char *found = strstr(text->str, again);
        if (found != NULL && (found == text->str || found[-1] == ' '))
            return TRUE;
    }
    return FALSE;
}

/* Adds a line; the code that it repeats is left out. */
static void
append_line(GString *out, LinePiece line)
{
    const char *text = line.start, *end = line.start + line.length;
    while (text < end && g_ascii_isspace(*text))
        text++;
    while (end > text && g_ascii_isspace(end[-1]))
        end--;
    gsize mark = reply_mark_length(text, (gsize)(end - text));
    if (mark > 0 && reply_goes_on(out, text, mark))
        text += mark;
    if (text >= end || out->len >= TEXT_OCTETS)
        return;
    if (out->len > 0)
        g_string_append_c(out, ' ');
    append_clean(out, text, MIN((gsize)(end - text), TEXT_OCTETS));
}

/* No longer than TEXT_OCTETS, and no letter cut in two. */
static char *
text_finish(const char *text)
{
    return g_strndup(text, utf8_text_cut(text, strlen(text), TEXT_OCTETS));
}

/* ---- drafts -------------------------------------------------------------------------------- */

static void
draft_free(void *data)
{
    Draft *draft = data;
    g_free(draft->recipient);
    g_free(draft->remote_mta);
    g_string_free(draft->text, TRUE);
    g_free(draft);
}

static LayoutVerdict
section_verdict(const Reader *reader)
{
    switch (reader->section) {
    case LAYOUT_SECTION_DELAYED:
        return LAYOUT_DELAYED;
    case LAYOUT_SECTION_DELIVERED:
        return LAYOUT_DELIVERED;
    default:
        return reader->source->failed;
    }
}

static Draft *
add_draft(Reader *reader, const char *recipient)
{
    if (reader->drafts->len >= LAYOUT_MAX_FINDINGS) {
        reader->truncated = TRUE;
        return NULL;
    }
    Draft *draft = g_new0(Draft, 1);
    draft->recipient = g_strdup(recipient);
    draft->remote_mta = g_strdup(reader->host);
    draft->text = g_string_new(NULL);
    draft->verdict = section_verdict(reader);
    draft->section = reader->section_count;
    g_ptr_array_add(reader->drafts, draft);
    g_hash_table_insert(reader->known, g_ascii_strdown(recipient, -1), draft);
    return draft;
}

static Draft *
known_draft(const Reader *reader, const char *recipient)
{
    g_autofree char *key = g_ascii_strdown(recipient, -1);
    return g_hash_table_lookup(reader->known, key);
}

/* The draft of a recipient who is named here, perhaps again; NULL: there are too many. */
static Draft *
named_draft(Reader *reader, const char *recipient)
{
    Draft *draft = known_draft(reader, recipient);
    LayoutAgain again = reader->source->form->again;
    if (draft == NULL || again == LAYOUT_AGAIN_NEW)
        return add_draft(reader, recipient);
    if (again == LAYOUT_AGAIN_REPLACE)
        g_string_truncate(draft->text, 0);
    draft->closed = draft->text->len > 0;
    return draft;
}

static void
close_drafts(Reader *reader)
{
    for (guint i = 0; i < reader->drafts->len; i++) {
        Draft *draft = g_ptr_array_index(reader->drafts, i);
        draft->closed = draft->text->len > 0;
    }
}

/* "________" and "* * *" tell nothing. */
static gboolean
has_letters(LinePiece text)
{
    for (gsize i = 0; i < text.length; i++)
        if (g_ascii_isalnum(text.start[i]) || (guchar)text.start[i] >= 0x80)
            return TRUE;
    return FALSE;
}

static void
say(Reader *reader, Draft *draft, LinePiece text)
{
    if (!has_letters(text))
        return;
    if (draft == NULL) {
        append_line(reader->aside, text);
        return;
    }
    if (!draft->closed)
        append_line(draft->text, text);
    if (draft->remote_mta == NULL)
        draft->remote_mta = g_strdup(reader->host);
}

/* The line's {text}, and before it its {code}. */
static void
say_match(Reader *reader, Draft *draft, const LineMatch *match)
{
    LinePiece code = match->code, text = match->text;
    if (code.start != NULL && code.start + code.length == text.start) {
        say(reader, draft, (LinePiece){code.start, code.length + text.length});
        return;
    }
    if (code.start != NULL)
        say(reader, draft, code);
    if (text.start != NULL)
        say(reader, draft, text);
}

/* ---- sections ------------------------------------------------------------------------------ */

static gboolean
lists_recipients(LayoutSection section)
{
    return section <= LAYOUT_SECTION_DELIVERED;
}

static void
append_heading(Reader *reader, guint first, guint last)
{
    const LayoutText *text = reader->source->text;
    for (guint i = first; i <= last && i < text->lines->len; i++) {
        const Line *line = layout_text_line(text, i);
        append_line(reader->heading, (LinePiece){line->text, line->length});
    }
}

static void
begin_section(Reader *reader, LayoutSection section, guint first, guint last)
{
    if (lists_recipients(section) && reader->heading->len == 0)
        append_heading(reader, first, last);
    if (section == LAYOUT_SECTION_TRANSCRIPT)
        close_drafts(reader);
    g_clear_pointer(&reader->host, g_free);
    reader->section = section;
    reader->section_count++;
    reader->heading_end = last + 1;
    if (reader->source->form->why != LAYOUT_WHY_ALL)
        reader->current = NULL;
    reader->collecting = lists_recipients(section);
}

/* Begins the sections whose phrase begins at this line. */
static void
follow_places(Reader *reader, guint line)
{
    const GArray *places = reader->source->places;
    for (; reader->place < places->len; reader->place++) {
        const LayoutPlace *place = &g_array_index(places, LayoutPlace, reader->place);
        if (place->first > line)
            return;
        if (place->section < LAYOUT_SECTION_END)
            begin_section(reader, place->section, place->first, place->last);
    }
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Without a route (RFC 5321 appendix C), quotes and brackets around it. */
static char *
piece_address(LinePiece piece)
{
    g_autofree char *text = g_strndup(piece.start, piece.length);
    return address_parse(text);
}

/* {addresses}: a draft for each. */
static void
add_recipients(Reader *reader, LinePiece piece)
{
    LinePiece one;
    while (line_address_find(piece.start, piece.length, &one)) {
        g_autofree char *recipient = piece_address(one);
        Draft *draft = named_draft(reader, recipient);
        if (draft != NULL)
            reader->current = draft;
        const char *behind = one.start + one.length;
        piece.length -= (gsize)(behind - piece.start);
        piece.start = behind;
    }
}

static void
add_recipient(Reader *reader, LinePiece piece)
{
    g_autofree char *recipient = piece_address(piece);
    Draft *draft = named_draft(reader, recipient);
    if (draft != NULL)
        reader->current = draft;
}

/* It is the current recipient's, or, before any or after one who has his, that of those who
 * follow. */
static void
keep_host(Reader *reader, LinePiece host)
{
    if (host.start[0] == '[' && host.length > 2)
        host = (LinePiece){host.start + 1, host.length - 2};
    while (host.length > 0 && host.start[host.length - 1] == '.')
        host.length--;
    Draft *current = reader->current;
    char **kept =
        current != NULL && current->remote_mta == NULL ? &current->remote_mta : &reader->host;
    g_free(*kept);
    *kept = g_strndup(host.start, host.length);
}

/* A reply that names its recipient may be wrapped so that the name begins a line. */
static gboolean
repeats_current(const Reader *reader, const Line *line, const LineMatch *match)
{
    const Draft *current = reader->current;
    gboolean may_be_new = reader->source->form->again != LAYOUT_AGAIN_KEEP && !line->indented;
    if (current == NULL || current->text->len == 0 || match->several || may_be_new)
        return FALSE;
    g_autofree char *recipient = piece_address(match->address);
    return g_ascii_strcasecmp(recipient, current->recipient) == 0;
}

/* A line that names a recipient. */
static gboolean
take_recipient(Reader *reader, LayoutLineKind kind, const Line *line)
{
    LineMatch match;
    if (!layout_form_match(reader->source->form, kind, line, &match) ||
        match.address.start == NULL || repeats_current(reader, line, &match))
        return FALSE;
    if (match.several)
        add_recipients(reader, match.address);
    else
        add_recipient(reader, match.address);
    reader->collecting = TRUE;
    if (reader->current == NULL)
        return TRUE;
    if (match.host.start != NULL)
        keep_host(reader, match.host);
    say_match(reader, reader->current, &match);
    return TRUE;
}

/* Of whom a line speaks: the recipient that it names, else the current one; in a transcript the
 * only one, if there is but one. */
static Draft *
meant_draft(const Reader *reader, const LineMatch *match)
{
    if (match->address.start != NULL) {
        g_autofree char *recipient = piece_address(match->address);
        Draft *named = known_draft(reader, recipient);
        if (named != NULL)
            return named;
    }
    if (reader->current == NULL && reader->section == LAYOUT_SECTION_TRANSCRIPT &&
        reader->drafts->len == 1)
        return g_ptr_array_index(reader->drafts, 0);
    return reader->current;
}

/* The first line of the remote host's own words takes the place of all others. */
static gboolean
take_reply(Reader *reader, const Line *line)
{
    LineMatch match;
    if (!layout_form_match(reader->source->form, LAYOUT_LINE_REPLY, line, &match))
        return FALSE;
    Draft *draft = meant_draft(reader, &match);
    if (draft != NULL && !draft->replied && !draft->closed) {
        g_string_truncate(draft->text, 0);
        draft->replied = TRUE;
    }
    say_match(reader, draft, &match);
    return TRUE;
}

static gboolean
take_text(Reader *reader, const Line *line)
{
    LineMatch match;
    if (!layout_form_match(reader->source->form, LAYOUT_LINE_TEXT, line, &match))
        return FALSE;
    if (match.text.start == NULL)
        match.text = (LinePiece){line->text, line->length};
    Draft *draft = meant_draft(reader, &match);
    if (draft == NULL || !draft->replied)
        say_match(reader, draft, &match);
    return TRUE;
}

static void
take_host(Reader *reader, const Line *line)
{
    LineMatch match;
    if (layout_form_match(reader->source->form, LAYOUT_LINE_HOST, line, &match) &&
        match.host.start != NULL)
        keep_host(reader, match.host);
}

static void
rename_draft(Draft *draft, LinePiece address)
{
    g_free(draft->recipient);
    draft->recipient = piece_address(address);
}

/* A line that only says of whom it, or what follows, speaks. */
static gboolean
take_name(Reader *reader, const Line *line)
{
    const LayoutForm *form = reader->source->form;
    LineMatch match;
    if (layout_form_match(form, LAYOUT_LINE_CURRENT, line, &match)) {
        g_autofree char *recipient = piece_address(match.address);
        reader->current = known_draft(reader, recipient);
        return TRUE;
    }
    if (!layout_form_match(form, LAYOUT_LINE_ACTUAL, line, &match))
        return FALSE;
    if (reader->current != NULL)
        rename_draft(reader->current, match.address);
    return TRUE;
}

/* What was expanded to the recipient named last: it tells who he is where nothing else does. */
static gboolean
take_alias(Reader *reader, const Line *line)
{
    LineMatch match;
    if (!layout_form_match(reader->source->form, LAYOUT_LINE_ALIAS, line, &match))
        return FALSE;
    if (reader->current != NULL && *reader->current->recipient == '\0')
        rename_draft(reader->current, match.address);
    return TRUE;
}

/* A line that tells of a recipient, and not who he is. */
static gboolean
take_hidden(Reader *reader, const Line *line)
{
    LineMatch match;
    if (!layout_form_match(reader->source->form, LAYOUT_LINE_HIDDEN, line, &match))
        return FALSE;
    reader->current = add_draft(reader, "");
    reader->collecting = TRUE;
    return TRUE;
}

static void
take_blank(Reader *reader)
{
    LayoutWhy why = reader->source->form->why;
    const GString *text = reader->current != NULL ? reader->current->text : reader->aside;
    if (reader->source->form->json)
        reader->current = NULL;
    if (why == LAYOUT_WHY_PARAGRAPH || (why == LAYOUT_WHY_NEXT && text->len > 0))
        reader->collecting = FALSE;
}

/* A line of a section that is read, below its heading. */
static void
take_line(Reader *reader, const Line *line)
{
    const LayoutForm *form = reader->source->form;
    LineMatch match;
    if (layout_form_match(form, LAYOUT_LINE_STOP, line, &match)) {
        reader->section = LAYOUT_SECTION_NOTHING;
        return;
    }
    if (take_alias(reader, line) || layout_form_match(form, LAYOUT_LINE_SKIP, line, &match))
        return;
    gboolean recipient =
        lists_recipients(reader->section) && take_recipient(reader, LAYOUT_LINE_RECIPIENT, line);
    take_host(reader, line);
    if (recipient || take_hidden(reader, line) || take_name(reader, line) ||
        take_reply(reader, line) || take_text(reader, line))
        return;
    gboolean replied = reader->current != NULL && reader->current->replied;
    if (reader->collecting && form->why != LAYOUT_WHY_LINE && !replied)
        say(reader, reader->current, (LinePiece){line->text, line->length});
}

/* Is it the address to which the report was sent? */
static gboolean
is_own(const Reader *reader, LinePiece address)
{
    return layout_guess_names(reader->source->header, "To", address);
}

/* Does the form read free text? Only that names others than sender and recipient. */
static gboolean
reads_free_text(const LayoutForm *form)
{
    for (guint i = 0; i < form->fallbacks->len; i++)
        if (strcmp(g_ptr_array_index(form->fallbacks, i), "text") == 0)
            return TRUE;
    return FALSE;
}

/* "write to ...": the words before the address tell that it is not the recipient's. */
static gboolean
is_after_advice(const Line *line, LinePiece address)
{
    static const char *const advice[] = {"write to ",   "contact ", "use ",  "try ",   "ask ",
                                         "address is ", "consult ", "call ", "visit ", "inform "};
    gsize before = (gsize)(address.start - line->text);
    while (before > 0 && strchr("<\"'(", line->lower[before - 1]) != NULL)
        before--;
    for (guint i = 0; i < G_N_ELEMENTS(advice); i++) {
        gsize length = strlen(advice[i]);
        if (before >= length && memcmp(line->lower + before - length, advice[i], length) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Postmasters are recipients, too, but for free text. */
static gboolean
is_whom_to_ask(const Reader *reader, const Line *line, LinePiece address)
{
    return reads_free_text(reader->source->form) &&
           (layout_guess_is_helper(address) || is_after_advice(line, address));
}

/* A sentence may name the sender before the recipient, "your mail from ... to ...", and behind him
 * whom to ask. */
static gboolean
take_named_in_heading(Reader *reader, Line line)
{
    LineMatch match;
    while (layout_form_match(reader->source->form, LAYOUT_LINE_HEADING, &line, &match) &&
           match.address.start != NULL) {
        gboolean own = is_own(reader, match.address);
        if (!own && !is_whom_to_ask(reader, &line, match.address))
            return take_recipient(reader, LAYOUT_LINE_HEADING, &line);
        if (own)
            reader->own = match.address;
        gsize used = (gsize)(match.address.start - line.text) + match.address.length;
        line.text += used;
        line.lower += used;
        line.length -= used;
    }
    return FALSE;
}

static gboolean
has_text(const Draft *draft)
{
    return draft != NULL && draft->text->len > 0;
}

static void
take_heading(Reader *reader, const Line *line)
{
    const LayoutForm *form = reader->source->form;
    LineMatch match;
    if (!lists_recipients(reader->section) ||
        layout_form_match(form, LAYOUT_LINE_SKIP, line, &match))
        return;
    gboolean named =
        take_recipient(reader, LAYOUT_LINE_RECIPIENT, line) || take_named_in_heading(reader, *line);
    if (form->why == LAYOUT_WHY_ALL && !(named && has_text(reader->current)))
        say(reader, reader->current, (LinePiece){line->text, line->length});
    else if (!named && !take_reply(reader, line))
        take_text(reader, line);
}

static void
read_lines(Reader *reader, guint end)
{
    for (guint i = 0; i < end; i++) {
        follow_places(reader, i);
        const Line *line = layout_text_line(reader->source->text, i);
        if (reader->section >= LAYOUT_SECTION_NOTHING)
            continue;
        if (line->length == 0)
            take_blank(reader);
        else if (i < reader->heading_end)
            take_heading(reader, line);
        else
            take_line(reader, line);
    }
}

guint
layout_reader_original_line(const LayoutForm *common, const LayoutText *text, const GArray *places)
{
    gboolean begun = FALSE, sections = FALSE;
    for (guint i = 0; i < places->len; i++)
        sections = sections || lists_recipients(g_array_index(places, LayoutPlace, i).section);
    guint line = text->lines->len;
    for (guint i = 0; i < places->len && line == text->lines->len; i++) {
        const LayoutPlace *place = &g_array_index(places, LayoutPlace, i);
        begun = begun || lists_recipients(place->section);
        if (place->section == LAYOUT_SECTION_END && (begun || !sections))
            line = place->first;
    }
    for (guint i = 0; i < line; i++) {
        LineMatch match;
        if (layout_form_match(common, LAYOUT_LINE_ORIGINAL, layout_text_line(text, i), &match))
            return i;
    }
    return line;
}

/* ---- when no line names a recipient -------------------------------------------------------- */

static void
recipients_from(Reader *reader, const HeaderFields *fields, const char *name)
{
    guint at = 0;
    const char *value;
    while ((value = header_fields_next(fields, name, &at)) != NULL)
        add_recipients(reader, (LinePiece){value, strlen(value)});
}

/* Of whom all of the text speaks, if the form takes all lines for the reason. */
static void
guess_recipient(Reader *reader, LinePiece address)
{
    const LayoutSource *source = reader->source;
    guint end = layout_reader_original_line(source->common, source->text, source->places);
    add_recipient(reader, address);
    for (guint i = 0; i < end && source->form->why == LAYOUT_WHY_ALL; i++) {
        const Line *line = layout_text_line(source->text, i);
        if (reader->current->text->len < TEXT_OCTETS)
            say(reader, reader->current, (LinePiece){line->text, line->length});
    }
}

/* In the order in which the form names them; the first guess ends what is sure. */
static void
fall_back(Reader *reader)
{
    const LayoutForm *form = reader->source->form;
    gboolean guess = reader->source->guess;
    reader->section = LAYOUT_SECTION_FAILED;
    for (guint i = 0; i < form->fallbacks->len && reader->drafts->len == 0; i++) {
        const char *name = g_ptr_array_index(form->fallbacks, i);
        LinePiece address;
        if (!layout_guess_is(name))
            recipients_from(reader, reader->source->header, name);
        else if (!guess)
            return;
        else if (layout_guess(reader->source, name, &address))
            guess_recipient(reader, address);
    }
    if (reader->drafts->len == 0 && guess && reader->own.start != NULL)
        add_recipient(reader, reader->own);
    if (reader->drafts->len == 0 && guess && form->nameless)
        add_draft(reader, "");
}

/* ---- the end ------------------------------------------------------------------------------- */

/* Who got no text gets that of the next in his list, else what was said aside. */
static void
share_texts(Reader *reader)
{
    const Draft *next = NULL;
    for (guint i = reader->drafts->len; i-- > 0;) {
        Draft *draft = g_ptr_array_index(reader->drafts, i);
        if (draft->text->len > 0) {
            next = draft;
            continue;
        }
        const GString *text = next != NULL && next->section == draft->section ? next->text
                              : reader->aside->len > 0                        ? reader->aside
                                                                              : reader->heading;
        g_string_append_len(draft->text, text->str, (gssize)MIN(text->len, TEXT_OCTETS));
    }
}

static void
finding_free(void *data)
{
    LayoutFinding *finding = data;
    g_free(finding->recipient);
    g_free(finding->text);
    g_free(finding->remote_mta);
    g_free(finding);
}

/* The address with this local part in a header field; NULL: none. */
static char *
address_with_local(const HeaderFields *fields, const char *name, const char *local)
{
    gsize length = strlen(local);
    const char *value;
    for (guint at = 0; (value = header_fields_next(fields, name, &at)) != NULL;) {
        LinePiece one;
        while (line_address_find(value, strlen(value), &one)) {
            if (one.length > length && one.start[length] == '@' &&
                g_ascii_strncasecmp(one.start, local, length) == 0)
                return g_strndup(one.start, one.length);
            value = one.start + one.length;
        }
    }
    return NULL;
}

/* "local@domain", the domain that of the address in the field; NULL: it has none. */
static char *
address_beside(const HeaderFields *header, const char *name, const char *local)
{
    const char *value = header_fields_get(header, name);
    LinePiece one;
    if (value == NULL || !line_address_find(value, strlen(value), &one))
        return NULL;
    g_autofree char *address = g_strndup(one.start, one.length);
    return g_strconcat(local, strrchr(address, '@'), NULL);
}

/* Some systems name the local part alone: whose it is stands in the original, or the layout knows
 * where. Programs and files stay as they are. */
static char *
whole_address(Reader *reader, const char *recipient)
{
    const LayoutSource *source = reader->source;
    char *whole = NULL;
    if (*recipient == '\0' || strpbrk(recipient, "@|/\\\" ") != NULL)
        return g_strdup(recipient);
    if (source->original != NULL && reader->lookups++ < MOST_LOOKUPS) {
        whole = address_with_local(source->original, "To", recipient);
        if (whole == NULL)
            whole = address_with_local(source->original, "Cc", recipient);
    }
    if (whole == NULL && source->form->local != NULL)
        whole = address_beside(source->header, source->form->local, recipient);
    return whole != NULL ? whole : g_strdup(recipient);
}

/* What was said twice is told once. */
static GPtrArray *
findings(Reader *reader)
{
    g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func(finding_free);
    for (guint i = 0; i < reader->drafts->len; i++) {
        const Draft *draft = g_ptr_array_index(reader->drafts, i);
        g_autofree char *whole = g_strdup_printf("%s\n%u\n%s", draft->recipient,
                                                 (guint)draft->verdict, draft->text->str);
        if (!g_hash_table_add(said, g_steal_pointer(&whole)))
            continue;
        LayoutFinding *finding = g_new0(LayoutFinding, 1);
        finding->recipient = whole_address(reader, draft->recipient);
        finding->text = text_finish(draft->text->str);
        finding->remote_mta = g_strdup(draft->remote_mta != NULL ? draft->remote_mta : "");
        finding->verdict = draft->verdict;
        g_ptr_array_add(found, finding);
    }
    return found;
}

static void
reader_init(Reader *reader, const LayoutSource *source)
{
    *reader = (Reader){.source = source, .section = LAYOUT_SECTION_NOTHING};
    reader->drafts = g_ptr_array_new_with_free_func(draft_free);
    reader->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader->aside = g_string_new(NULL);
    reader->heading = g_string_new(NULL);
    if (!source->form->has_sections) {
        reader->section = LAYOUT_SECTION_FAILED;
        reader->collecting = TRUE;
    }
}

static void
reader_clear(Reader *reader)
{
    g_ptr_array_unref(reader->drafts);
    g_hash_table_unref(reader->known);
    g_string_free(reader->aside, TRUE);
    g_string_free(reader->heading, TRUE);
    g_free(reader->host);
}

GPtrArray *
layout_reader_read(const LayoutSource *source, gboolean *truncated)
{
    Reader reader;
    reader_init(&reader, source);
    read_lines(&reader, layout_reader_original_line(source->common, source->text, source->places));
    if (reader.drafts->len == 0)
        fall_back(&reader);
    share_texts(&reader);
    GPtrArray *found = reader.drafts->len > 0 ? findings(&reader) : NULL;
    *truncated = *truncated || reader.truncated;
    reader_clear(&reader);
    return found;
}
