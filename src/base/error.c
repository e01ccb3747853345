/*
 * error: the project's one GError domain.
 */
#include "base/error.h"

#include <stdarg.h>

G_DEFINE_QUARK(replymilter - error - quark, replymilter_error)

gboolean
error_fail(GError **error, ReplymilterError code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (error != NULL)
        *error = g_error_new_valist(REPLYMILTER_ERROR, (int)code, format, arguments);
    va_end(arguments);
    return FALSE;
}
