/*
 * charset_text: a text in any charset that mail uses, made into UTF-8.
 *
 * Mail's names for charsets are taken for what mail programs mean by them (Shift_JIS is Windows
 * code page 932, gb2312 is GB 18030, iso-8859-1 is Windows-1252). Pure. Threads: any.
 */
#pragma once

#include <glib.h>

/* `charset` may be NULL, empty, unknown or wrong. The text may have NULs in it. */
void charset_text_to_utf8(GString *text, const char *charset);
