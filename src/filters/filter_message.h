/*
 * filter_message: a held message shown to one filter, as an MTA would send it.
 *
 * Threads: one owner of both.
 */
#pragma once

#include <glib.h>

#include "filters/filter_client.h"
#include "filters/held_message.h"

/*
 * Headers, their end, the body in pieces, and the end of the message, each as far as the filter
 * wants it. `changes`: what it asked for, if it lets the message on. *asked: FALSE if the verdict
 * is one that it had given before. A body in a file is read piece by piece.
 */
FilterVerdict filter_message_show(FilterClient *client, HeldMessage *message, ChangeList *changes,
                                  gboolean *asked);
