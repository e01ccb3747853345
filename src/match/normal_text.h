/*
 * normal_text: a reply's text made ready for matching.
 *
 * White space folds to one space; addresses, URLs, host names, IP addresses and ids are masked, so
 * that what stands in a name proves nothing ("550 <spam@example.org> unknown" is not about spam):
 * <addr>, <url>, <host>, <ip>, <id>. A map back to the original is kept, so that evidence can show
 * what was really written. Pure; threads: any.
 */
#pragma once

#include <glib.h>

typedef struct {
    char *text; /* normalised, masked */
    gsize length;
    guint32 *origin; /* length + 1 offsets into the original, one for each octet of text */
} NormalText;

NormalText *normal_text_new(const char *original, gsize length);
void normal_text_free(NormalText *normal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NormalText, normal_text_free)

/* The original octets that text[start, end) stands for. The caller frees it. */
char *normal_text_original(const NormalText *normal, const char *original, gsize start, gsize end);
