/*
 * socketmap: the lookup protocol of Postfix (socketmap_table(5)) and Sendmail, inside netstrings.
 *
 * Request: "name key". Answer: "OK text", "NOTFOUND ", "TEMP reason", "TIMEOUT reason",
 * "PERM reason". Both directions are here, without a socket. Pure; threads: any.
 */
#pragma once

#include <glib.h>

/* Postfix refuses an answer of more octets than this ("input exceeds size limit"). */
#define SOCKETMAP_ANSWER_MAX 100000

/* The longest text of an answer that every status leaves room for. */
#define SOCKETMAP_TEXT_MAX (SOCKETMAP_ANSWER_MAX - (gsize)sizeof("NOTFOUND ") + 1)

typedef enum {
    SOCKETMAP_OK,
    SOCKETMAP_NOTFOUND,
    SOCKETMAP_TEMP,
    SOCKETMAP_TIMEOUT,
    SOCKETMAP_PERM,
} SocketmapStatus;

/* Both parts are owned. NUL octets cannot be in them. */
typedef struct {
    char *name;
    char *key; /* may be empty */
} SocketmapRequest;

typedef struct {
    SocketmapStatus status;
    char *text; /* owned; may be empty */
} SocketmapAnswer;

/*
 * Reads a netstring's payload. FALSE and an error (REPLYMILTER_ERROR_PROTOCOL) without a name, a
 * space behind it, or with a NUL octet. Cleared by socketmap_request_clear(), after FALSE too.
 */
gboolean socketmap_request_parse(const char *payload, gsize length, SocketmapRequest *request,
                                 GError **error);
void socketmap_request_clear(SocketmapRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SocketmapRequest, socketmap_request_clear)

/* Appends a request as a netstring. `name` holds no space. */
void socketmap_request_append(GString *out, const char *name, const char *key);

/* As for requests; an unknown status is an error. */
gboolean socketmap_answer_parse(const char *payload, gsize length, SocketmapAnswer *answer,
                                GError **error);
void socketmap_answer_clear(SocketmapAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SocketmapAnswer, socketmap_answer_clear)

/*
 * Appends an answer as a netstring; `text` NULL is "". A text of more than SOCKETMAP_TEXT_MAX
 * octets would end the asker's connection: a reason is cut, and SOCKETMAP_OK becomes
 * SOCKETMAP_NOTFOUND, since half an answer is none. Returns the status that was appended.
 */
SocketmapStatus socketmap_answer_append(GString *out, SocketmapStatus status, const char *text);

/* The same for an asker of ours, which takes a text of any length. */
void socketmap_answer_append_whole(GString *out, SocketmapStatus status, const char *text);
