/*
 * chance: unpredictable bits for references and event ids, fetched from the kernel in bulk.
 *
 * A Chance is a value of one thread; zero bytes are a fresh one.
 */
#pragma once

#include <glib.h>

#define CHANCE_WORDS 64

typedef struct {
    guint64 words[CHANCE_WORDS];
    guint left; /* words that have not been given out */
} Chance;

/* The next 64 bits; never given out twice. Ends the process if the kernel has none to give. */
guint64 chance_next(Chance *chance);
