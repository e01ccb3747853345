/*
 * error: the project's one GError domain.
 */
#include "base/error.h"

G_DEFINE_QUARK(replymilter - error - quark, replymilter_error)
