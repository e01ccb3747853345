/*
 * source: the policy file and what it includes, looked at before libconfig sees it.
 *
 * libconfig would exit on an @include of a directory, drop what follows an unclosed comment, cut
 * strings at a NUL and let integers wrap. So every file is read here (regular, not writable by
 * everybody, bounded in size, number and depth), its tokens are checked, the @include lines
 * are replaced by what they name, and integers that need more than 32 bits get libconfig's "L".
 * libconfig reads one text from memory and opens nothing; source_place() says which file and line
 * a line of that text was.
 *
 * Relative includes are relative to the folder of the policy file. Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct Source Source;

#define SOURCE_FILE_MAX_OCTETS (1024 * 1024)
#define SOURCE_MAX_OCTETS      (4 * 1024 * 1024) /* all files together */
#define SOURCE_MAX_FILES       64
#define SOURCE_MAX_DEPTH       8

/* NULL if there was a problem; it is added to `problems` (of PolicyProblem *). */
Source *source_read(const char *path, GPtrArray *problems);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* The whole text; ends with a newline. Belongs to the source. */
const char *source_text(const Source *source);

/* The folder of the policy file, as an absolute path. Belongs to the source. */
const char *source_folder(const Source *source);

/* The file, which belongs to the source, and the line in it, of a line (from 1) of the text. */
const char *source_place(const Source *source, guint text_line, guint *line);

/* The line as it stands in its file, without white space at its ends. The caller frees it. */
char *source_quote(const Source *source, guint text_line);
