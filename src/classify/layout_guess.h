/*
 * layout_guess: whom a report means that names its recipient nowhere as its form expects.
 *
 * A guess is the only address that a place names, and that is nobody's else: not of him who wrote
 * or got the report, nor of somebody to write to. Where a place names two, nothing is guessed.
 * Pure; time is linear in the place. Threads: any.
 */
#pragma once

#include "classify/layout_reader.h"

/* "text" (before the original), "subject", "original" (its To, but that of list mail), "received"
 * (the original's last): the places. Other names are those of header fields, no guesses. */
gboolean layout_guess_is(const char *name);

/* FALSE: the place names nobody, or several. The address stays in the source. */
gboolean layout_guess(const LayoutSource *source, const char *name, LinePiece *address);

/* Is it somebody to write to (postmaster, support)? In a sentence he is not the recipient. */
gboolean layout_guess_is_helper(LinePiece address);

/* Does the first field with this name name the address? NULL: no header, no. */
gboolean layout_guess_names(const HeaderFields *fields, const char *name, LinePiece address);
