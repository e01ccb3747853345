/*
 * spool: octets that are kept in memory up to a limit, then in a temporary file.
 *
 * What is in memory counts against limits.memory (base/session_memory); where that is used up, the
 * file begins earlier. The file has no name: it goes with its descriptor. It is made in $TMPDIR,
 * else in /var/tmp. Threads: one owner.
 */
#pragma once

#include <glib.h>

/* The longest piece that spool_piece() gives: what one packet of the milter protocol holds. */
#define SPOOL_PIECE_MAX 65535

typedef struct Spool Spool;

/* `in_memory`: most octets that this one keeps in memory; `memory_limit`: limits.memory. */
Spool *spool_new(gsize in_memory, guint64 memory_limit);
void spool_free(Spool *spool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spool, spool_free)

/* FALSE and an error (REPLYMILTER_ERROR_IO): there is no room, and none of these octets is kept. */
gboolean spool_append(Spool *spool, const char *octets, gsize count, GError **error);

guint64 spool_length(const Spool *spool);
gboolean spool_is_file(const Spool *spool);

/*
 * The octets from `offset` on, at most SPOOL_PIECE_MAX; `count` is set, and 0 at the end. Fewer are
 * given only there. Borrowed until the next call for this spool. NULL and an error
 * (REPLYMILTER_ERROR_IO) if the file cannot be read.
 */
const char *spool_piece(Spool *spool, guint64 offset, gsize *count, GError **error);

/*
 * All octets in one piece, a file mapped, with no NUL behind them. Borrowed until the next
 * spool_append(), never NULL but with an error (REPLYMILTER_ERROR_IO).
 */
const char *spool_octets(Spool *spool, GError **error);
