/*
 * normal_text: a reply's text made ready for matching.
 *
 * White space folds to one space; addresses, URLs, host names, IP addresses, paths and ids are
 * masked, so that what stands in a name proves nothing ("550 <spam@example.org> unknown" is not
 * about spam): <addr>, <url>, <host>, <ip>, <path>, <id>. Brackets that hold nothing else go with
 * them: "<a@example.org>:" is "<addr>:", "[192.0.2.1]" is "<ip>". What was masked is listed, for
 * those who know names (a DNS list's zone).
 *
 * Letters of European languages lose their accents and typographic quotes and dashes become ASCII
 * (UTF-8, and Latin-1 where it is not UTF-8), Cyrillic capitals become small and full-width
 * letters ASCII, so that a pattern need be written once. ASCII case, codes ("550 5.7.1"), tags
 * ("v=spf1", "[TSS04]") and all else stay.
 *
 * A map back to the original is kept, so that evidence can show what was really written. Time is
 * linear, and the text at most twice as long as the original. Pure; threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    NORMAL_MASK_ADDRESS,
    NORMAL_MASK_URL, /* or a host name with a path */
    NORMAL_MASK_HOST,
    NORMAL_MASK_IP,
    NORMAL_MASK_PATH,
    NORMAL_MASK_ID,
    NORMAL_MASK_COUNT
} NormalMaskKind;

typedef struct {
    NormalMaskKind kind;
    guint32 start; /* in the original, without brackets around it */
    guint32 length;
    guint32 at; /* of the mask in the text */
} NormalMask;

/* At most so many are listed; all are masked. */
#define NORMAL_TEXT_MAX_MASKS 64

/* A run of the text: copied as it stands in the original, or put in its place (a mask, a space, a
 * plainer letter). */
typedef struct {
    guint32 at;
    guint32 origin;
    gboolean verbatim; /* else all of it stands for what begins at `origin` */
} NormalRun;

typedef struct {
    char *text; /* normalised, masked; ends with a NUL. NULL before anything is read */
    gsize length;
    NormalMask *masks;
    guint mask_count;
    /* The way back, for normal_text_origin(). */
    NormalRun *runs;
    guint run_count, run_size;
    gsize original_length;
    gsize size; /* octets that `text` has room for */
} NormalText;

/* Empty. */
NormalText *normal_text_new(void);
void normal_text_free(NormalText *normal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NormalText, normal_text_free)

/* Takes an original in the place of the one before, whose memory is used again. Of more than 2 GiB
 * the rest is left out. NUL octets are white space. */
void normal_text_read(NormalText *normal, const char *original, gsize length);

/* The octet of the original that text[at] stands for; of the text's end, that of the original. */
gsize normal_text_origin(const NormalText *normal, gsize at);

/* The original octets that text[start, end) stands for. The caller frees it. */
char *normal_text_original(const NormalText *normal, const char *original, gsize start, gsize end);
