/*
 * page: one static help page, as HTML: no script, no image, no other host.
 *
 * Every text that is put in is escaped. Pages lie in DIR/NAME/index.html, so that a URL can end in
 * a status or a category with any web server; links between them are relative. Main thread.
 */
#pragma once

#include <glib.h>

typedef struct Page Page;

/* What stands at the foot of each page: an address, a URL or words; NULL: nothing. */
Page *page_new(const char *title, const char *contact);
void page_free(Page *page);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Page, page_free)

/* Nothing is written where `text` is NULL or empty. */
void page_heading(Page *page, const char *text);
void page_paragraph(Page *page, const char *text);
void page_strong(Page *page, const char *lead, const char *text); /* "LEAD text" */
void page_details(Page *page, const char *summary, const char *text);

/* A framed part. */
void page_part_begin(Page *page);
void page_part_end(Page *page);

/* A paragraph of links: begin with its first words, add links, end. */
void page_links_begin(Page *page, const char *lead);
void page_link(Page *page, const char *name);
void page_links_end(Page *page);

/* A list of links with a few words behind each. */
void page_list_begin(Page *page);
void page_item(Page *page, const char *name, const char *words);
void page_list_end(Page *page);

/* To DIR/NAME/index.html; with `name` NULL, to DIR/index.html. FALSE and an error. */
gboolean page_write(Page *page, const char *folder, const char *name, GError **error);

/* To DIR/FILE: without links, so that a server can show it at any path. */
gboolean page_write_file(Page *page, const char *folder, const char *file, GError **error);
