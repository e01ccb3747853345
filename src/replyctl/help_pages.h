/*
 * help_pages: static help pages, one for each status, reply code and category.
 *
 * They are what site.help_url points at: DIR/5.7.26/index.html, DIR/550/index.html,
 * DIR/user-unknown/index.html, DIR/index.html with links to them, and DIR/404.html for the rest.
 */
#pragma once

#include <glib.h>

/* `contact`: whom to ask, at the foot of each page; NULL: nobody. `written` gets how many pages
 * were written. FALSE and an error at the first one that cannot be. */
gboolean help_pages_write(const char *folder, const char *contact, guint *written, GError **error);
