/*
 * content_type: the Content-Type of a mail or part (RFC 2045 section 5, RFC 2231), read loosely.
 *
 * Threads: any. mime_view_init() once before.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *type;        /* "text/plain", in lower case; "" if the field is missing or says nothing */
    char *boundary;    /* NULL: none */
    char *charset;     /* NULL: none */
    char *report_type; /* in lower case; NULL: none */
} ContentType;

/* `field` may be NULL. */
void content_type_read(ContentType *type, const char *field);
void content_type_clear(ContentType *type);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ContentType, content_type_clear)

/* "multipart", whatever follows? */
gboolean content_type_is_multipart(const ContentType *type);
