/*
 * page: one static help page, as HTML.
 */
#include "replyctl/page.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

/* A link is written before it is known where the page will lie. */
#define TO_ROOT "\x01"

struct Page {
    GString *body;
    char *title;
    char *contact;
    guint links; /* in the paragraph of links that is being written */
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"
    "body{font:1rem/1.55 system-ui,sans-serif;max-width:42rem;margin:2.5rem auto;padding:0 1rem;"
    "color:#1d2430;background:#fff}\n"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin-top:2rem}\n"
    "code{background:#eef1f5;padding:.1em .35em;border-radius:.2em}\n"
    "a{color:#0b57a4}ul{padding-left:1.2rem}li{margin:.3rem 0}\n"
    ".cause{border-left:.25rem solid #c6d0dc;padding:.1rem 0 .1rem 1rem;margin:1.2rem 0}\n"
    "summary{cursor:pointer}footer{margin-top:3rem;font-size:.9rem;color:#5a6675}\n"
    "@media(prefers-color-scheme:dark){body{background:#15191f;color:#dfe4ea}"
    "code{background:#262d36}a{color:#8ab8ef}.cause{border-color:#465362}footer{color:#9aa6b4}}\n"
    "</style>\n";

/* ---- parts ------------------------------------------------------------------------------------
 */

static gboolean
is_empty(const char *text)
{
    return text == NULL || text[0] == '\0';
}

static void
put(Page *page, const char *html)
{
    g_string_append(page->body, html);
}

static void
put_text(Page *page, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    g_string_append(page->body, escaped);
}

static void
put_element(Page *page, const char *tag, const char *text)
{
    if (is_empty(text))
        return;
    g_string_append_printf(page->body, "<%s>", tag);
    put_text(page, text);
    g_string_append_printf(page->body, "</%s>\n", tag);
}

Page *
page_new(const char *title, const char *contact)
{
    Page *page = g_new0(Page, 1);
    page->body = g_string_new(NULL);
    page->title = g_strdup(title);
    page->contact = g_strdup(contact);
    put_element(page, "h1", title);
    return page;
}

void
page_free(Page *page)
{
    if (page == NULL)
        return;
    g_string_free(page->body, TRUE);
    g_free(page->title);
    g_free(page->contact);
    g_free(page);
}

void
page_heading(Page *page, const char *text)
{
    put_element(page, "h2", text);
}

void
page_paragraph(Page *page, const char *text)
{
    put_element(page, "p", text);
}

void
page_strong(Page *page, const char *lead, const char *text)
{
    if (is_empty(text))
        return;
    put(page, "<p><strong>");
    put_text(page, lead);
    put(page, "</strong> ");
    put_text(page, text);
    put(page, "</p>\n");
}

void
page_details(Page *page, const char *summary, const char *text)
{
    if (is_empty(text))
        return;
    put(page, "<details>\n");
    put_element(page, "summary", summary);
    put_element(page, "p", text);
    put(page, "</details>\n");
}

void
page_part_begin(Page *page)
{
    put(page, "<section class=\"cause\">\n");
}

void
page_part_end(Page *page)
{
    put(page, "</section>\n");
}

static void
put_link(Page *page, const char *name)
{
    g_string_append_printf(page->body, "<a href=\"" TO_ROOT "%s/index.html\">", name);
    put_element(page, "code", name);
    g_string_truncate(page->body, page->body->len - strlen("\n"));
    put(page, "</a>");
}

void
page_links_begin(Page *page, const char *lead)
{
    page->links = 0;
    put(page, "<p>");
    put_text(page, lead);
}

void
page_link(Page *page, const char *name)
{
    put(page, page->links++ > 0 ? ", " : " ");
    put_link(page, name);
}

void
page_links_end(Page *page)
{
    put(page, "</p>\n");
}

void
page_list_begin(Page *page)
{
    put(page, "<ul>\n");
}

void
page_item(Page *page, const char *name, const char *words)
{
    put(page, "<li>");
    put_link(page, name);
    put(page, " ");
    put_text(page, words);
    put(page, "</li>\n");
}

void
page_list_end(Page *page)
{
    put(page, "</ul>\n");
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

/* An address or a URL can be clicked. */
static void
add_contact(const char *contact, GString *html)
{
    g_autofree char *shown = g_markup_escape_text(contact, -1);
    gboolean one_word = strpbrk(contact, " <>\"") == NULL;
    gboolean url =
        one_word && (g_str_has_prefix(contact, "https://") || g_str_has_prefix(contact, "http://"));
    gboolean address = one_word && !url && strchr(contact, '@') != NULL;
    g_string_append(html, "<p>Questions: ");
    if (url || address)
        g_string_append_printf(html, "<a href=\"%s%s\">%s</a>", address ? "mailto:" : "", shown,
                               shown);
    else
        g_string_append(html, shown);
    g_string_append(html, ". Quote the whole reply, with its reference if it has one.</p>\n");
}

/* `root` leads from the page to DIR; NULL: no links. The caller frees it. */
static GString *
assemble(const Page *page, const char *root)
{
    g_autofree char *title = g_markup_escape_text(page->title, -1);
    GString *html = g_string_new(head);
    g_string_append_printf(html,
                           "<title>%s</title>\n</head>\n<body>\n<main>\n%s</main>\n<footer>\n",
                           title, page->body->str);
    if (page->contact != NULL)
        add_contact(page->contact, html);
    if (root != NULL && root[0] != '\0')
        g_string_append(html, "<p><a href=\"" TO_ROOT "index.html\">All reasons</a></p>\n");
    g_string_append(html, "</footer>\n</body>\n</html>\n");
    g_string_replace(html, TO_ROOT, root != NULL ? root : "", 0);
    return html;
}

static gboolean
write_to(const char *folder, const char *file, const GString *html, GError **error)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    if (g_mkdir_with_parents(folder, 0755) != 0) {
        g_set_error(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_IO, "%s: %s", folder,
                    g_strerror(errno));
        return FALSE;
    }
    return g_file_set_contents_full(path, html->str, (gssize)html->len, G_FILE_SET_CONTENTS_NONE,
                                    0644, error);
}

gboolean
page_write(Page *page, const char *folder, const char *name, GError **error)
{
    g_autofree char *place = g_build_filename(folder, name, NULL);
    GString *html = assemble(page, name != NULL ? "../" : "");
    gboolean written = write_to(place, "index.html", html, error);
    g_string_free(html, TRUE);
    return written;
}

gboolean
page_write_file(Page *page, const char *folder, const char *file, GError **error)
{
    GString *html = assemble(page, NULL);
    gboolean written = write_to(folder, file, html, error);
    g_string_free(html, TRUE);
    return written;
}
