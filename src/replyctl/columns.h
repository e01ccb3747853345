/*
 * columns: texts in columns of a terminal. Pure but for columns_of_terminal(); threads: any.
 */
#pragma once

#include <glib.h>

/* Of the terminal behind the descriptor; `otherwise` where there is none. */
guint columns_of_terminal(int fd, guint otherwise);

/* Columns that a valid UTF-8 text takes. */
gsize columns_count(const char *text);

/*
 * Appends the text in `width` columns: what came from outside is escaped, what is too long is cut
 * and ends with "..", what is shorter is filled with blanks unless it is the `last` in its row.
 */
void columns_append(GString *out, const char *text, gsize width, gboolean last);
