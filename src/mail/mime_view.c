/*
 * mime_view: a mail as a flat list of parts that can be read.
 *
 * The boundaries are found here, in place, and not by GMime's parser: that one would build trees of
 * the originals, go as deep as a stranger likes, and know no mail whose lines end with CR. GMime
 * reads Content-Type, undoes transfer encodings and knows the names of charsets.
 */
#include "mail/mime_view.h"

#include <string.h>

#include <gmime/gmime.h>

#include "mail/content_type.h"
#include "mail/html_text.h"
#include "mail/multipart.h"
#include "mail/octet_lines.h"
#include "mail/part_text.h"

const MimeLimits mime_limits_default = {
    .octets = 16 << 20,
    .text_octets = 1 << 20,
    .parts = 200,
    .depth = 20,
};

/* Of an encoded original; more header than this is not read. */
enum { ORIGINAL_HEADER_OCTETS = 256 << 10 };

/* As many entities are looked into for each part that is kept: multiparts may be empty. */
enum { ENTITIES_FOR_ONE = 5 };

typedef struct {
    MimeView *view;
    const MimeLimits *limits;
    guint entities;
} Reader;

/* A mail or a part, without its header. */
typedef struct {
    const char *octets;
    gsize length;
    const HeaderFields *header;
    const ContentType *type;
    guint depth;
} Entity;

static void read_entity(Reader *reader, const Entity *entity);
static void read_part(Reader *reader, const Entity *parent, const char *octets, gsize length);

void
mime_view_init(void)
{
    g_mime_init();
}

/* ---- parts -------------------------------------------------------------------------------- */

static void
part_free(gpointer data)
{
    MimePart *part = data;
    g_free(part->type);
    g_free(part->text);
    header_fields_free(part->original);
    g_free(part);
}

static gboolean
is_full(const Reader *reader)
{
    return reader->view->parts->len >= reader->limits->parts ||
           reader->entities / ENTITIES_FOR_ONE >= reader->limits->parts;
}

/* NULL if there are too many. */
static MimePart *
add_part(Reader *reader, MimePartKind kind, const char *type)
{
    if (is_full(reader)) {
        reader->view->truncated = TRUE;
        return NULL;
    }
    MimePart *part = g_new0(MimePart, 1);
    part->kind = kind;
    part->type = g_strdup(type);
    g_ptr_array_add(reader->view->parts, part);
    return part;
}

static void
part_set_text(MimePart *part, GString *text)
{
    part->length = text->len;
    part->text = g_string_free(text, FALSE);
}

static const struct {
    const char *subtype;
    MimePartKind kind;
} subtypes[] = {
    {"delivery-status", MIME_PART_DELIVERY_STATUS},
    {"global-delivery-status", MIME_PART_DELIVERY_STATUS},
    {"x-delivery-status", MIME_PART_DELIVERY_STATUS},
    {"feedback-report", MIME_PART_FEEDBACK},
    {"disposition-notification", MIME_PART_DISPOSITION},
    {"global-disposition-notification", MIME_PART_DISPOSITION},
    {"rfc822", MIME_PART_ORIGINAL},
    {"global", MIME_PART_ORIGINAL},
    {"news", MIME_PART_ORIGINAL},
    {"partial", MIME_PART_ORIGINAL},
    {"rfc822-headers", MIME_PART_ORIGINAL},
    {"rfc822-header", MIME_PART_ORIGINAL},
    {"global-headers", MIME_PART_ORIGINAL},
    {"html", MIME_PART_HTML},
    {"x-amp-html", MIME_PART_HTML},
};

/* By "text/..." and "message/..." alone: an application/... is nobody's report. */
static MimePartKind
find_kind(const char *type)
{
    gboolean is_text = g_str_has_prefix(type, "text/");
    if (type[0] == '\0')
        return MIME_PART_TEXT;
    if (!is_text && !g_str_has_prefix(type, "message/"))
        return MIME_PART_OTHER;
    const char *subtype = strchr(type, '/') + 1;
    for (gsize i = 0; i < G_N_ELEMENTS(subtypes); i++)
        if (strcmp(subtype, subtypes[i].subtype) == 0)
            return subtypes[i].kind;
    return is_text ? MIME_PART_TEXT : MIME_PART_OTHER;
}

static PartOctets
octets_of(const Entity *entity)
{
    return (PartOctets){
        .octets = entity->octets,
        .length = entity->length,
        .encoding = header_fields_get(entity->header, "Content-Transfer-Encoding"),
        .charset = entity->type->charset,
    };
}

/* ---- originals ---------------------------------------------------------------------------- */

static gsize
count_blank_octets(const char *octets, gsize length)
{
    gsize at = 0;
    while (at < length && strchr(" \t\r\n", octets[at]) != NULL && octets[at] != '\0')
        at++;
    return at;
}

static void
read_original(Reader *reader, const Entity *entity)
{
    MimePart *part = add_part(reader, MIME_PART_ORIGINAL, entity->type->type);
    if (part == NULL)
        return;
    PartOctets octets = octets_of(entity);
    g_autoptr(GString) decoded = part_text_transfer(&octets, ORIGINAL_HEADER_OCTETS);
    const char *text = decoded != NULL ? decoded->str : entity->octets;
    gsize length = decoded != NULL ? decoded->len : entity->length;
    gsize blank = count_blank_octets(text, length);
    part->original = header_fields_parse(text + blank, length - blank, TRUE, NULL);
    part->text = g_strdup("");
}

/* ---- text --------------------------------------------------------------------------------- */

/* HTML that calls itself plain text, or nothing at all. */
static gboolean
looks_like_html(const GString *text)
{
    gsize blank = count_blank_octets(text->str, text->len);
    const char *at = text->str + blank;
    return g_ascii_strncasecmp(at, "<html", 5) == 0 ||
           g_ascii_strncasecmp(at, "<!doctype html", 14) == 0;
}

/* Text that calls itself HTML: its lines are meant as they are. */
static gboolean
has_tags(const GString *text)
{
    static const char *const tags[] = {
        "<html", "<head", "<body", "<br",  "<p>",   "<p ",   "<div", "<span",  "<table", "<td",
        "<tr",   "<a ",   "<pre",  "<ul",  "<ol>",  "<li",   "<h1",  "<h2",    "<h3",    "<h4",
        "<font", "<b>",   "<i>",   "<u>",  "<img ", "<hr",   "<!",   "<style", "<meta",  "<link",
        "<em>",  "<code", "<tt>",  "<sub", "<stro", "<cent", "</p>", "</a>",   "<block"};
    for (const char *at = strchr(text->str, '<'); at != NULL; at = strchr(at + 1, '<'))
        for (gsize i = 0; i < G_N_ELEMENTS(tags); i++)
            if (g_ascii_strncasecmp(at, tags[i], strlen(tags[i])) == 0)
                return TRUE;
    return FALSE;
}

/* Takes the text. */
static GString *
keep_lines(GString *text)
{
    GString *lines = g_string_sized_new(text->len);
    for (gsize i = 0; i < text->len; i++) {
        if (text->str[i] == '\n')
            g_string_append(lines, "<br>");
        else
            g_string_append_c(lines, text->str[i]);
    }
    g_string_free(text, TRUE);
    return lines;
}

static void
read_text(Reader *reader, const Entity *entity, MimePartKind kind)
{
    MimePart *part = add_part(reader, kind, entity->type->type);
    if (part == NULL)
        return;
    PartOctets octets = octets_of(entity);
    g_autoptr(GString) text =
        part_text_read(&octets, reader->limits->text_octets, &reader->view->truncated);
    if (kind == MIME_PART_TEXT && looks_like_html(text))
        part->kind = MIME_PART_HTML;
    if (part->kind == MIME_PART_HTML && !has_tags(text))
        text = keep_lines(text);
    if (part->kind == MIME_PART_HTML)
        part_set_text(part, html_text(text->str, text->len));
    else
        part_set_text(part, g_steal_pointer(&text));
}

static void
read_other(Reader *reader, const Entity *entity)
{
    MimePart *part = add_part(reader, MIME_PART_OTHER, entity->type->type);
    if (part != NULL)
        part->text = g_strdup("");
}

/* A gateway may put a whole report into a mail of its own, and keep its report-type. */
static gboolean
read_wrapped_report(Reader *reader, const Entity *entity)
{
    const MimeView *view = reader->view;
    if (view->parts->len > 0 || g_strcmp0(view->report_type, "delivery-status") != 0 ||
        strcmp(view->type, "multipart/mixed") != 0 || entity->depth >= reader->limits->depth)
        return FALSE;
    gsize end;
    g_autoptr(HeaderFields) header =
        header_fields_parse(entity->octets, entity->length, TRUE, &end);
    g_auto(ContentType) type;
    content_type_read(&type, header_fields_get(header, "Content-Type"));
    if (strcmp(type.type, "multipart/report") != 0)
        return FALSE;
    read_part(reader, entity, entity->octets, entity->length);
    return TRUE;
}

static void
read_leaf(Reader *reader, const Entity *entity)
{
    MimePartKind kind = find_kind(entity->type->type);
    if (kind == MIME_PART_ORIGINAL && read_wrapped_report(reader, entity))
        return;
    if (kind == MIME_PART_ORIGINAL)
        read_original(reader, entity);
    else if (kind == MIME_PART_OTHER)
        read_other(reader, entity);
    else
        read_text(reader, entity, kind);
}

/* ---- multiparts --------------------------------------------------------------------------- */

/* A part that begins without a header is text from its first line on. */
static void
read_part(Reader *reader, const Entity *parent, const char *octets, gsize length)
{
    gsize end;
    g_autoptr(HeaderFields) header = header_fields_parse(octets, length, TRUE, &end);
    if (header->fields->len == 0 && count_blank_octets(octets, length) < end)
        end = 0;
    g_auto(ContentType) type;
    const char *field = header_fields_get(header, "Content-Type");
    if (field == NULL && strcmp(parent->type->type, "multipart/digest") == 0)
        field = "message/rfc822";
    content_type_read(&type, field);
    reader->view->truncated |= header->truncated;
    reader->entities++;
    Entity entity = {
        .octets = octets + end,
        .length = length - end,
        .header = header,
        .type = &type,
        .depth = parent->depth + 1,
    };
    read_entity(reader, &entity);
}

static gboolean
read_multipart(Reader *reader, const Entity *entity, const char *boundary)
{
    g_auto(Multipart) multipart;
    multipart_begin(&multipart, entity->octets, entity->length, boundary);
    const char *octets;
    gsize length;
    gboolean found = FALSE;
    while (multipart_next(&multipart, &octets, &length)) {
        found = TRUE;
        if (is_full(reader)) {
            reader->view->truncated = TRUE;
            break;
        }
        read_part(reader, entity, octets, length);
    }
    return found;
}

/* By the boundary that is told, else by the one that is seen. FALSE: there is none. */
static gboolean
read_as_multipart(Reader *reader, const Entity *entity)
{
    if (entity->type->boundary != NULL && entity->type->boundary[0] != '\0' &&
        read_multipart(reader, entity, entity->type->boundary))
        return TRUE;
    gboolean told = content_type_is_multipart(entity->type);
    if (!told && entity->type->type[0] != '\0')
        return FALSE;
    g_autofree char *seen = multipart_guess_boundary(entity->octets, entity->length, told);
    return seen != NULL && read_multipart(reader, entity, seen);
}

static void
read_entity(Reader *reader, const Entity *entity)
{
    gboolean told = content_type_is_multipart(entity->type);
    gboolean too_deep = entity->depth >= reader->limits->depth;
    if (!too_deep && read_as_multipart(reader, entity))
        return;
    if (!told) {
        read_leaf(reader, entity);
    } else if (too_deep) {
        reader->view->truncated = TRUE;
        read_other(reader, entity);
    } else if (count_blank_octets(entity->octets, entity->length) < entity->length) {
        /* All of it stands before the first boundary. */
        read_text(reader, entity, MIME_PART_TEXT);
    }
}

/* ---- the mail ----------------------------------------------------------------------------- */

static void
read_mail(Reader *reader, const char *octets, gsize length)
{
    MimeView *view = reader->view;
    gsize begin = count_blank_octets(octets, length), end;
    view->header = header_fields_parse(octets + begin, length - begin, TRUE, &end);
    view->truncated |= view->header->truncated;
    end += begin;
    /* No mail at all, but text. */
    if (view->header->fields->len == 0)
        end = 0;
    g_auto(ContentType) type;
    content_type_read(&type, header_fields_get(view->header, "Content-Type"));
    view->type = g_strdup(type.type);
    view->report_type = g_strdup(type.report_type);
    Entity entity = {
        .octets = octets + end,
        .length = length - end,
        .header = view->header,
        .type = &type,
    };
    read_entity(reader, &entity);
}

MimeView *
mime_view_new(const char *octets, gsize length, const MimeLimits *limits)
{
    MimeView *view = g_new0(MimeView, 1);
    view->parts = g_ptr_array_new_with_free_func(part_free);
    Reader reader = {.view = view, .limits = limits};
    view->truncated = length > limits->octets;
    read_mail(&reader, octets, MIN(length, limits->octets));
    return view;
}

void
mime_view_free(MimeView *view)
{
    if (view == NULL)
        return;
    header_fields_free(view->header);
    g_free(view->type);
    g_free(view->report_type);
    g_ptr_array_unref(view->parts);
    g_free(view);
}

const MimePart *
mime_view_part(const MimeView *view, MimePartKind kind)
{
    for (guint i = 0; i < view->parts->len; i++) {
        const MimePart *part = view->parts->pdata[i];
        if (part->kind == kind)
            return part;
    }
    return NULL;
}
