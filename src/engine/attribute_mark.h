/*
 * attribute_mark: where Postfix is to put an attribute of its own ("$client_address") into a
 * footer or rbl answer.
 *
 * Inside the engine it stands between two octets that clean text cannot hold, so that nothing that
 * came from outside can become an attribute. Threads: any.
 */
#pragma once

#include <glib.h>

#define ATTRIBUTE_MARK '\x01'

/* "\x01client_address\x01"; the caller frees it. */
char *attribute_mark_new(const char *name);

/* For people and events: each mark as "$name". The caller frees it. */
char *attribute_mark_show(const char *text);

/* For Postfix: each mark as "$name" ("${name}" before a letter), every other '$' doubled. The
 * caller frees it. */
char *attribute_mark_encode(const char *text);
