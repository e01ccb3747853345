/*
 * control_requests: one request of a control client -> its answer.
 *
 * No sockets. A request is a name, a space and arguments, in the socketmap form; the answer is
 * "OK text", or "PERM why" for what is not known, not right, or not for this client. What changes
 * something takes effect before the answer is given, and is logged. Threads: any.
 */
#pragma once

#include "server/daemon_view.h"

/* The longest request. */
#define CONTROL_REQUEST_MAX 4096

typedef struct {
    guint uid;
    gboolean may_change; /* may it ask for what changes something? */
} ControlPeer;

/* Answers a netstring's payload and appends the answer to `out` as a netstring. */
void control_answer(const DaemonView *view, const ControlPeer *peer, const char *payload,
                    gsize length, GString *out);
