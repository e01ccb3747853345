/*
 * octet_source: a file or standard input as a stream of octets, unpacked where it is gzip'd.
 */
#include "replyctl/octet_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gio/gio.h>

#include "base/error.h"

enum { BLOCK = 64 * 1024 };

struct OctetSource {
    int fd;
    guint64 position; /* octets read from fd */
    guint64 unpacked;
    GConverter *unpacker; /* NULL: not gzip'd */
    gboolean ended;       /* fd has no more */
    gboolean finished;    /* the last gzip member has ended */
    char raw[BLOCK];      /* what was read from fd, */
    gsize raw_at, raw_end;
    GString *head; /* what was looked at in advance, */
    gsize head_at;
};

static gboolean
is_gzip(const char *octets, gsize length)
{
    return length >= 3 && memcmp(octets, "\x1f\x8b\x08", 3) == 0;
}

/* Reads once into what is free of `raw`. FALSE and an error. */
static gboolean
fill_raw(OctetSource *source, GError **error)
{
    ssize_t count;
    if (source->raw_at > 0) {
        memmove(source->raw, source->raw + source->raw_at, source->raw_end - source->raw_at);
        source->raw_end -= source->raw_at;
        source->raw_at = 0;
    }
    do
        count = read(source->fd, source->raw + source->raw_end, BLOCK - source->raw_end);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return error_fail(error, REPLYMILTER_ERROR_IO, "%s", g_strerror(errno));
    source->ended = count == 0;
    source->raw_end += (gsize)count;
    source->position += (guint64)count;
    return TRUE;
}

/* Enough to tell whether it is gzip'd. */
static gboolean
look_for_gzip(OctetSource *source, GError **error)
{
    while (source->raw_end - source->raw_at < 3 && !source->ended)
        if (!fill_raw(source, error))
            return FALSE;
    return TRUE;
}

OctetSource *
octet_source_open(const char *path, GError **error)
{
    gboolean is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        error_fail(error, REPLYMILTER_ERROR_IO, "%s", g_strerror(errno));
        return NULL;
    }
    OctetSource *source = g_new0(OctetSource, 1);
    source->fd = fd;
    source->head = g_string_new(NULL);
    if (!look_for_gzip(source, error)) {
        octet_source_free(source);
        return NULL;
    }
    if (is_gzip(source->raw + source->raw_at, source->raw_end - source->raw_at))
        source->unpacker = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    return source;
}

void
octet_source_free(OctetSource *source)
{
    (void)close(source->fd);
    g_clear_object(&source->unpacker);
    g_string_free(source->head, TRUE);
    g_free(source);
}

static gssize
read_plain(OctetSource *source, char *buffer, gsize size, GError **error)
{
    if (source->raw_at == source->raw_end && !source->ended && !fill_raw(source, error))
        return -1;
    gsize count = MIN(size, source->raw_end - source->raw_at);
    memcpy(buffer, source->raw + source->raw_at, count);
    source->raw_at += count;
    return (gssize)count;
}

/* Behind a member: another one, or the end. What is no gzip there is padding. */
static gboolean
next_member(OctetSource *source, GError **error)
{
    if (!look_for_gzip(source, error))
        return FALSE;
    if (is_gzip(source->raw + source->raw_at, source->raw_end - source->raw_at))
        g_converter_reset(source->unpacker);
    else
        source->finished = TRUE;
    return TRUE;
}

static gboolean
check_ratio(const OctetSource *source, GError **error)
{
    if (source->unpacked <= OCTET_SOURCE_FREE ||
        source->unpacked / OCTET_SOURCE_RATIO <= source->position)
        return TRUE;
    return error_fail(error, REPLYMILTER_ERROR_LIMIT,
                      "it unpacks to more than %d times its size: no mail and no log does",
                      OCTET_SOURCE_RATIO);
}

/* Unpacks what is in `raw`; *made may be 0 where that is too little. */
static gboolean
unpack_once(OctetSource *source, char *buffer, gsize size, gsize *made, GError **error)
{
    gsize taken = 0;
    g_autoptr(GError) fault = NULL;
    GConverterFlags flags = source->ended ? G_CONVERTER_INPUT_AT_END : G_CONVERTER_NO_FLAGS;
    GConverterResult result = g_converter_convert(source->unpacker, source->raw + source->raw_at,
                                                  source->raw_end - source->raw_at, buffer, size,
                                                  flags, &taken, made, &fault);
    source->raw_at += taken;
    source->unpacked += *made;
    if (result == G_CONVERTER_FINISHED)
        return next_member(source, error);
    if (result != G_CONVERTER_ERROR)
        return TRUE;
    *made = 0;
    if (g_error_matches(fault, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT) && !source->ended)
        return fill_raw(source, error);
    if (g_error_matches(fault, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
        return error_fail(error, REPLYMILTER_ERROR_SYNTAX, "the gzip'd file is cut off");
    return error_fail(error, REPLYMILTER_ERROR_SYNTAX, "broken gzip: %s", fault->message);
}

static gssize
read_unpacked(OctetSource *source, char *buffer, gsize size, GError **error)
{
    gsize made = 0;
    while (made == 0 && !source->finished) {
        if (source->raw_at == source->raw_end && !source->ended && !fill_raw(source, error))
            return -1;
        if (!unpack_once(source, buffer, size, &made, error) || !check_ratio(source, error))
            return -1;
    }
    return (gssize)made;
}

static gssize
read_on(OctetSource *source, char *buffer, gsize size, GError **error)
{
    return source->unpacker != NULL ? read_unpacked(source, buffer, size, error)
                                    : read_plain(source, buffer, size, error);
}

gssize
octet_source_read(gpointer data, char *buffer, gsize size, GError **error)
{
    OctetSource *source = data;
    gsize ahead = source->head->len - source->head_at;
    if (size == 0)
        return 0;
    if (ahead == 0)
        return read_on(source, buffer, size, error);
    gsize count = MIN(size, ahead);
    memcpy(buffer, source->head->str + source->head_at, count);
    source->head_at += count;
    return (gssize)count;
}

const char *
octet_source_peek(OctetSource *source, gsize size, gsize *length)
{
    char block[OCTET_SOURCE_PEEK];
    GString *head = source->head;
    gssize count = 1;
    while (head->len < MIN(size, sizeof(block)) && count > 0) {
        count = read_on(source, block, sizeof(block) - head->len, NULL);
        if (count > 0)
            g_string_append_len(head, block, count);
    }
    *length = head->len;
    return head->str;
}

guint64
octet_source_position(const OctetSource *source)
{
    return source->position;
}
