/*
 * error: the project's one GError domain.
 *
 * A message names the place at fault (file and line, or the bytes) and can be shown to a mail
 * admin as it is. A wrong caller is a g_assert(), never an error.
 */
#pragma once

#include <glib.h>

#define REPLYMILTER_ERROR (replymilter_error_quark())

typedef enum {
    REPLYMILTER_ERROR_CONFIG,   /* the policy says something that cannot be */
    REPLYMILTER_ERROR_IO,       /* the system refused: a file, a socket, a device */
    REPLYMILTER_ERROR_PROTOCOL, /* a peer sent what its protocol does not allow */
    REPLYMILTER_ERROR_LIMIT,    /* well formed, but more than we take */
    REPLYMILTER_ERROR_SYNTAX,   /* a text that cannot be read as what it should be */
} ReplymilterError;

GQuark replymilter_error_quark(void);

/* Sets the error and returns FALSE, for `return error_fail(...)`. `error` may be NULL. */
gboolean error_fail(GError **error, ReplymilterError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
