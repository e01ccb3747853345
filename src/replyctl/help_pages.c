/*
 * help_pages: static help pages, one for each status, reply code and category.
 */
#include "replyctl/help_pages.h"

#include "catalog/catalog.h"
#include "replyctl/meaning.h"
#include "replyctl/page.h"

typedef struct {
    const char *folder;
    const char *contact;
    guint written;
    GError *error; /* the first one; then no more is written */
} Pages;

/* ---- what pages share --------------------------------------------------------------------------
 */

/* Takes the page. */
static void
finish(Pages *pages, Page *page, const char *name)
{
    if (pages->error == NULL && page_write(page, pages->folder, name, &pages->error))
        pages->written++;
    page_free(page);
}

static void
put_reading(Page *page, const CatalogReading *reading)
{
    page_part_begin(page);
    page_paragraph(page, reading->cause);
    page_strong(page, "If you sent the message:", reading->sender);
    page_details(page, "If you run the receiving system", reading->admin);
    page_part_end(page);
}

static void
put_heading_of_readings(Page *page, guint count)
{
    if (count > 0)
        page_heading(page, count == 1 ? "Why it happens, and what to do"
                                      : "Why it may happen, and what to do");
}

static void
put_readings(Page *page, const CatalogReading *readings, guint count)
{
    put_heading_of_readings(page, count);
    for (guint i = 0; i < count; i++)
        put_reading(page, &readings[i]);
}

/* Each category of the causes, once. */
static void
put_categories(Page *page, const CatalogReading *readings, guint count)
{
    gboolean told[CATEGORY_COUNT] = {FALSE};
    if (count == 0)
        return;
    page_links_begin(page, "More about such failures:");
    for (guint i = 0; i < count; i++)
        if (!told[readings[i].category]) {
            told[readings[i].category] = TRUE;
            page_link(page, category_info(readings[i].category)->name);
        }
    page_links_end(page);
}

static gboolean
is_refusal(guint code)
{
    return code >= 400 && code <= 599 && catalog_reply_code(code) != NULL;
}

/* ---- statuses -----------------------------------------------------------------------------------
 */

static gboolean
is_failure_status(const CatalogStatus *row)
{
    return (row->classes & (1u << 4 | 1u << 5)) != 0;
}

/* The reply codes of "550 421 5xx" that have a page, where they fit the class. */
static void
put_codes(Page *page, const CatalogStatus *row, guint class)
{
    g_auto(GStrv) words = g_strsplit(row->codes, " ", -1);
    page_links_begin(page, "Reply codes that it comes with:");
    for (char **word = words; *word != NULL; word++) {
        guint code = (guint)g_ascii_strtoull(*word, NULL, 10);
        if (is_refusal(code) && code / 100 == class)
            page_link(page, *word);
    }
    page_links_end(page);
}

static gboolean
has_code(const CatalogStatus *row, guint class)
{
    g_auto(GStrv) words = g_strsplit(row->codes, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        guint code = (guint)g_ascii_strtoull(*word, NULL, 10);
        if (is_refusal(code) && code / 100 == class)
            return TRUE;
    }
    return FALSE;
}

/* 4.7.1 and 5.7.1 are two pages about one thing. */
static void
put_other_class(Page *page, EnhancedStatus status, const CatalogStatus *row)
{
    char name[ENHANCED_STATUS_TEXT_SIZE];
    EnhancedStatus other = enhanced_status_with_class(status, status.class == 4 ? 5 : 4);
    if (catalog_status(other) != row)
        return;
    page_links_begin(page,
                     other.class == 5 ? "As a permanent failure:" : "As a temporary failure:");
    page_link(page, enhanced_status_format(other, name));
    page_links_end(page);
}

static void
write_status(Pages *pages, EnhancedStatus status, const CatalogStatus *row)
{
    char name[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(status, name);
    g_autofree char *title = g_strdup_printf("%s: %s", name, row->title);
    Page *page = page_new(title, pages->contact);
    page_paragraph(page, row->meaning);
    page_strong(page, "Is it worth trying again?", row->retry);
    put_readings(page, row->readings, row->reading_count);
    page_heading(page, "About the number");
    page_paragraph(page, catalog_status_class(status));
    page_paragraph(page, catalog_status_subject(status));
    page_paragraph(page, row->note);
    put_categories(page, row->readings, row->reading_count);
    if (has_code(row, status.class))
        put_codes(page, row, status.class);
    put_other_class(page, status, row);
    finish(pages, page, name);
}

/* A block of a provider's numbers has a page for each; what another row has more exactly is left to
 * that one. Both classes, also where only practice has one: a reply may carry it. */
static void
write_statuses(Pages *pages)
{
    guint count;
    const CatalogStatus *rows = catalog_statuses(&count);
    for (guint i = 0; i < count; i++)
        for (guint detail = rows[i].detail; detail <= rows[i].last_detail; detail++)
            for (guint8 class = 4; class <= 5; class ++) {
                EnhancedStatus status = {class, rows[i].subject, (guint16)detail};
                if (is_failure_status(&rows[i]) && catalog_status(status) == &rows[i])
                    write_status(pages, status, &rows[i]);
            }
}

static void
list_statuses(Page *index)
{
    guint count;
    const CatalogStatus *rows = catalog_statuses(&count);
    page_heading(index, "Enhanced status codes");
    page_list_begin(index);
    for (guint i = 0; i < count; i++)
        for (guint8 class = 4; class <= 5; class ++) {
            char name[ENHANCED_STATUS_TEXT_SIZE];
            EnhancedStatus status = {class, rows[i].subject, rows[i].detail};
            if ((rows[i].classes & 1u << class) != 0 && catalog_status(status) == &rows[i])
                page_item(index, enhanced_status_format(status, name), rows[i].title);
        }
    page_list_end(index);
}

/* ---- reply codes --------------------------------------------------------------------------------
 */

static void
put_statuses(Page *page, const CatalogReplyCode *row)
{
    guint links = 0;
    g_auto(GStrv) words = g_strsplit(row->statuses, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        EnhancedStatus status;
        if (!enhanced_status_parse(*word, &status) || catalog_status(status) == NULL)
            continue;
        if (links++ == 0)
            page_links_begin(page, "Statuses that come with it and say more:");
        page_link(page, *word);
    }
    if (links > 0)
        page_links_end(page);
}

static void
write_code(Pages *pages, const CatalogReplyCode *row)
{
    g_autofree char *name = g_strdup_printf("%u", row->code);
    g_autofree char *title = g_strdup_printf("%s: %s", name, row->title);
    Page *page = page_new(title, pages->contact);
    page_paragraph(page, row->meaning);
    page_strong(page, "Is it worth trying again?", row->retry);
    put_readings(page, row->readings, row->reading_count);
    page_heading(page, "About the number");
    page_paragraph(page, catalog_first_digit(row->code));
    page_paragraph(page, row->note);
    put_categories(page, row->readings, row->reading_count);
    put_statuses(page, row);
    finish(pages, page, name);
}

static void
write_codes(Pages *pages, Page *index)
{
    guint count;
    const CatalogReplyCode *rows = catalog_reply_codes(&count);
    page_heading(index, "Reply codes");
    page_list_begin(index);
    for (guint i = 0; i < count; i++) {
        g_autofree char *name = g_strdup_printf("%u", rows[i].code);
        if (!is_refusal(rows[i].code))
            continue;
        write_code(pages, &rows[i]);
        page_item(index, name, rows[i].title);
    }
    page_list_end(index);
}

/* ---- categories ---------------------------------------------------------------------------------
 */

static void
put_codes_of(Page *page, Category category)
{
    g_autofree char *codes = meaning_codes_of(category);
    g_auto(GStrv) words = g_strsplit(codes, " ", -1);
    if (codes[0] == '\0')
        return;
    page_links_begin(page, "It comes with:");
    for (char **word = words; *word != NULL; word++) {
        guint code = (guint)g_ascii_strtoull(*word, NULL, 10);
        EnhancedStatus status;
        if ((*word)[0] == 'X')
            (*word)[0] = '5';
        if (is_refusal(code) ||
            (enhanced_status_parse(*word, &status) && catalog_status(status) != NULL))
            page_link(page, *word);
    }
    page_links_end(page);
}

/* Titled with the sentence that its replies show. */
static void
write_category(Pages *pages, Category category)
{
    const CategoryInfo *info = category_info(category);
    g_autoptr(GPtrArray) readings = meaning_readings_of(category);
    Page *page = page_new(info->sentence, pages->contact);
    page_strong(page, "What to do:", info->advice);
    put_heading_of_readings(page, readings->len);
    for (guint i = 0; i < readings->len; i++)
        put_reading(page, g_ptr_array_index(readings, i));
    page_heading(page, "About the address");
    page_paragraph(page, info->permanent
                             ? "A refusal for good means that the address is dead: take "
                               "it off every list."
                             : "This is no reason to give the address up.");
    put_codes_of(page, category);
    finish(pages, page, info->name);
}

static void
write_categories(Pages *pages, Page *index)
{
    page_heading(index, "Kinds of failure");
    page_list_begin(index);
    for (Category category = 0; category < CATEGORY_COUNT; category++) {
        write_category(pages, category);
        page_item(index, category_info(category)->name, category_info(category)->sentence);
    }
    page_list_end(index);
}

/* ---- the rest -----------------------------------------------------------------------------------
 */

static void
write_index(Pages *pages)
{
    Page *index = page_new("Why mail was refused", pages->contact);
    page_paragraph(index, "A mail server refuses a message with a number of three digits (550), "
                          "mostly with a second number in three parts (5.1.1) that says more, and "
                          "with a text. Look for the second number first.");
    write_categories(pages, index);
    list_statuses(index);
    write_codes(pages, index);
    finish(pages, index, NULL);
}

static void
write_not_found(Pages *pages)
{
    g_autoptr(Page) page = page_new("A number that no table has", pages->contact);
    page_paragraph(page, "No document gives this number a meaning. Its first digit can be trusted, "
                         "and the text behind it.");
    page_paragraph(page, catalog_first_digit(400));
    page_paragraph(page, catalog_first_digit(500));
    if (pages->error == NULL && page_write_file(page, pages->folder, "404.html", &pages->error))
        pages->written++;
}

gboolean
help_pages_write(const char *folder, const char *contact, guint *written, GError **error)
{
    Pages pages = {.folder = folder, .contact = contact};
    write_index(&pages);
    write_statuses(&pages);
    write_not_found(&pages);
    *written = pages.written;
    if (pages.error != NULL)
        g_propagate_error(error, pages.error);
    return pages.error == NULL;
}
