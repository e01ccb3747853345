/*
 * replyctl pages: static help pages, one for each enhanced status and each category.
 *
 * DIR/5.7.26/index.html and DIR/user-unknown/index.html, so that help_url can end in %{status} or
 * %{category} with any web server; DIR/index.html lists them. No script, no image, no other host.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "replyctl/command.h"

/* A page being written: the parts are HTML, texts in them are escaped. */
typedef struct {
    GString *html;
} Page;

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"
    "body{font:1rem/1.55 system-ui,sans-serif;max-width:42rem;margin:2.5rem auto;padding:0 1rem;"
    "color:#1d2430;background:#fff}\n"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin-top:2rem}\n"
    "code{background:#eef1f5;padding:.1em .35em;border-radius:.2em}\n"
    "dt{font-weight:600;margin-top:.6rem}dd{margin:0}a{color:#0b57a4}\n"
    ".cause{border-left:.25rem solid #c6d0dc;padding-left:1rem;margin:1.2rem 0}\n"
    "@media(prefers-color-scheme:dark){body{background:#15191f;color:#dfe4ea}code{background:#"
    "262d36}"
    "a{color:#8ab8ef}.cause{border-color:#465362}}\n"
    "</style>\n";

static Page
page_begin(const char *title)
{
    Page page = {.html = g_string_new(page_head)};
    g_autofree char *escaped = g_markup_escape_text(title, -1);
    g_string_append_printf(page.html, "<title>%s</title>\n</head>\n<body>\n<h1>%s</h1>\n", escaped,
                           escaped);
    return page;
}

/* <tag>text</tag>, escaped; nothing where there is no text. */
static void
page_element(Page *page, const char *tag, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append_printf(page->html, "<%s>%s</%s>\n", tag, escaped, tag);
}

static void
page_term(Page *page, const char *term, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    page_element(page, "dt", term);
    page_element(page, "dd", text);
}

static void
page_reading(Page *page, const CatalogReading *reading)
{
    g_string_append(page->html, "<div class=\"cause\">\n");
    page_element(page, "p", reading->cause);
    g_string_append(page->html, "<dl>\n");
    page_term(page, "If you sent the message", reading->sender);
    page_term(page, "If you run the receiving system", reading->admin);
    g_string_append(page->html, "</dl>\n</div>\n");
}

/* DIR/NAME/index.html, or DIR/index.html for no name. Frees the page. */
static gboolean
page_write(Page *page, const char *folder, const char *name)
{
    g_autofree char *place = g_build_filename(folder, name, NULL);
    g_autofree char *path = g_build_filename(place, "index.html", NULL);
    g_autoptr(GError) error = NULL;
    g_string_append(page->html, "</body>\n</html>\n");
    gboolean written = g_mkdir_with_parents(place, 0755) == 0;
    if (!written)
        command_complain("pages: %s: %s", place, g_strerror(errno));
    else if (!(written =
                   g_file_set_contents(path, page->html->str, (gssize)page->html->len, &error)))
        command_complain("pages: %s", error->message);
    g_string_free(page->html, TRUE);
    return written;
}

static void
add_link(GString *index, const char *name, const char *title)
{
    g_autofree char *escaped = g_markup_escape_text(title, -1);
    g_string_append_printf(index, "<li><a href=\"%s/\"><code>%s</code></a> %s</li>\n", name, name,
                           escaped);
}

static gboolean
write_status(const CatalogStatus *row, guint class, const char *folder, GString *index)
{
    EnhancedStatus status = {(guint8) class, row->subject, row->detail};
    char name[ENHANCED_STATUS_TEXT_SIZE];
    enhanced_status_format(status, name);
    g_autofree char *title = g_strdup_printf("%s: %s", name, row->title);
    Page page = page_begin(title);
    page_element(&page, "p", row->meaning);
    page_element(&page, "p", row->retry);
    if (row->reading_count > 0)
        page_element(&page, "h2", row->reading_count == 1 ? "Why it happens" : "Why it may happen");
    for (guint i = 0; i < row->reading_count; i++)
        page_reading(&page, &row->readings[i]);
    page_element(&page, "h2", "What the numbers say");
    page_element(&page, "p", catalog_status_class(status));
    page_element(&page, "p", catalog_status_subject(status));
    page_element(&page, "p", row->note);
    add_link(index, name, row->title);
    return page_write(&page, folder, name);
}

/* One page for each first digit that the status may have in a failure. */
static gboolean
write_statuses(const char *folder, GString *index)
{
    static const guint classes[] = {4, 5};
    guint count;
    gboolean written = TRUE;
    const CatalogStatus *rows = catalog_statuses(&count);
    g_string_append(index, "<h2>Enhanced status codes</h2>\n<ul>\n");
    for (guint i = 0; i < count; i++)
        for (gsize c = 0; c < G_N_ELEMENTS(classes); c++)
            /* Also where only practice has that digit: a reply of ours may have kept it. */
            written = write_status(&rows[i], classes[c], folder, index) && written;
    g_string_append(index, "</ul>\n");
    return written;
}

/* The causes that the catalogue gives for a category, each once. */
static void
page_causes_of(Page *page, Category category)
{
    guint count;
    const CatalogStatus *rows = catalog_statuses(&count);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < count; i++)
        for (guint r = 0; r < rows[i].reading_count; r++)
            if (rows[i].readings[r].category == category &&
                g_hash_table_add(seen, (gpointer)rows[i].readings[r].cause))
                page_reading(page, &rows[i].readings[r]);
}

static gboolean
write_categories(const char *folder, GString *index)
{
    gboolean written = TRUE;
    g_string_append(index, "<h2>Kinds of failure</h2>\n<ul>\n");
    for (Category category = 0; category < CATEGORY_COUNT; category++) {
        const CategoryInfo *info = category_info(category);
        Page page = page_begin(info->meaning);
        page_element(&page, "p", info->sentence);
        page_element(&page, "p", info->advice);
        page_causes_of(&page, category);
        add_link(index, info->name, info->meaning);
        written = page_write(&page, folder, info->name) && written;
    }
    g_string_append(index, "</ul>\n");
    return written;
}

int
cmd_pages(int argc, char **argv)
{
    const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    if (!command_parse(entries,
                       "Put DIR on a web server and let site.help_url point there:\n"
                       "  help_url = \"https://mail.example.net/why/%{status}\";",
                       &argc, &argv))
        return COMMAND_USAGE;
    if (argc != 2) {
        command_complain("pages: which folder? (see replyctl pages --help)");
        return COMMAND_USAGE;
    }
    Page index = page_begin("Why mail was refused");
    gboolean written = write_statuses(argv[1], index.html);
    written = write_categories(argv[1], index.html) && written;
    written = page_write(&index, argv[1], "") && written;
    if (written)
        printf("%s: pages written, begin with %s/index.html\n", argv[1], argv[1]);
    return written ? COMMAND_DONE : COMMAND_FAILED;
}
