/*
 * What an mbox may hold: the same mails come out however the reads are split, and no more of them
 * than asked for.
 */
#include <stdint.h>
#include <string.h>

#include "mail/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 600 };

typedef struct {
    const uint8_t *octets;
    gsize left, chunk;
} Source;

static gssize
read_source(gpointer data, char *buffer, gsize size, GError **error)
{
    Source *source = data;
    gsize count = MIN(MIN(size, source->chunk), source->left);
    (void)error;
    memcpy(buffer, source->octets, count);
    source->octets += count;
    source->left -= count;
    return (gssize)count;
}

static GString *
split(const uint8_t *data, size_t size, gsize chunk)
{
    gboolean truncated;
    guint mails = 0;
    Source source = {.octets = data, .left = size, .chunk = chunk};
    g_autoptr(MboxSplitter) splitter = mbox_splitter_new(read_source, &source, MOST);
    g_autoptr(GString) mail = g_string_new(NULL);
    GString *all = g_string_new(NULL);
    while (mbox_splitter_next(splitter, mail, &truncated, NULL)) {
        g_assert(mail->len <= MOST && ++mails <= size);
        g_string_append_len(all, mail->str, (gssize)mail->len);
        g_string_append_c(all, truncated ? '~' : '|');
    }
    return all;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GString) whole = split(data, size, SIZE_MAX);
    g_autoptr(GString) pieces = split(data, size, 1);
    g_assert(g_string_equal(whole, pieces));
    mbox_begins((const char *)data, size);
    return 0;
}
