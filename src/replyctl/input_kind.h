/*
 * input_kind: is it a mail, an mbox, or a mail log? By how it begins. Pure; threads: any.
 */
#pragma once

#include <glib.h>

typedef enum {
    INPUT_MAIL, /* also whatever is nothing else */
    INPUT_MBOX,
    INPUT_LOG,
} InputKind;

InputKind input_kind_guess(const char *head, gsize length);
