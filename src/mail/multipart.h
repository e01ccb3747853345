/*
 * multipart: where the parts of a multipart body begin and end (RFC 2046 section 5.1.1).
 *
 * A piece of the body a part, nothing is copied. The last part ends at the body's end if no
 * delimiter ends it; parts behind a closing delimiter are parts (an inner multipart may use the
 * outer one's boundary). Time linear. Threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    const char *at, *end; /* behind the last delimiter that was found */
    const char *body;
    char *delimiter; /* "--" and the boundary */
    gsize delimiter_length;
    gboolean in_part;
} Multipart;

/* `boundary` is not empty. */
void multipart_begin(Multipart *multipart, const char *body, gsize length, const char *boundary);
void multipart_end(Multipart *multipart);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Multipart, multipart_end)

/* FALSE: no more parts. */
gboolean multipart_next(Multipart *multipart, const char **octets, gsize *length);

/*
 * The boundary of a body that does not tell it: of the first line "--..." with a Content- field
 * behind it. If not `anywhere`, only where the body begins with it (or with a line about MIME).
 * NULL: none. The caller frees it.
 */
char *multipart_guess_boundary(const char *body, gsize length, gboolean anywhere);
