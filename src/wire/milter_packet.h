/*
 * milter_packet: the frame of the milter protocol, and the names of what is sent in it.
 *
 * A packet is the length of what follows in four octets (big-endian), an octet that says what it
 * is, and data. The MTA sends commands, the filter answers; no octet means one of each. What the
 * data hold is read by milter_command, milter_answer and milter_negotiation. The names are those of
 * Sendmail's mfdef.h behind the prefix: MILTER_COMMAND_MAIL is SMFIC_MAIL there, and
 * MILTER_ANSWER_SKIP is SMFIR_SKIP; both headers can be included in one file.
 *
 * The decoder works on what a connection has buffered so far and keeps nothing between calls: it is
 * asked again when more has come. Everything it finds is borrowed from that buffer. Pure; threads:
 * any.
 */
#pragma once

#include <glib.h>

/* Octets of the protocol's one integer, and of a packet before its data. */
#define MILTER_LONG_SIZE   4
#define MILTER_PACKET_HEAD 5

/* What a command's data may hold if nothing else was negotiated; libmilter closes the connection at
 * more. A piece of the body is at most as long, whatever was negotiated. */
#define MILTER_DATA_MAX  65535
#define MILTER_CHUNK_MAX 65535

/* What we take from a filter. MTAs take up to 1 GiB, whatever was negotiated, and some filters
 * replace the whole body by a single packet. */
#define MILTER_ANSWER_MAX (16 * 1024 * 1024)

/* MTA to filter: SMFIC_*. */
typedef enum {
    MILTER_COMMAND_ABORT = 'A',   /* the transaction is over; no answer */
    MILTER_COMMAND_BODY = 'B',    /* a piece of the body */
    MILTER_COMMAND_CONNECT = 'C', /* who is connected */
    MILTER_COMMAND_MACRO = 'D',   /* macros for the command behind it; no answer */
    MILTER_COMMAND_BODYEOB = 'E', /* the end of the message, perhaps with its last piece */
    MILTER_COMMAND_HELO = 'H',
    MILTER_COMMAND_QUIT_NC = 'K', /* the end, and a CONNECT follows; no answer */
    MILTER_COMMAND_HEADER = 'L',
    MILTER_COMMAND_MAIL = 'M',
    MILTER_COMMAND_EOH = 'N', /* the end of the headers */
    MILTER_COMMAND_OPTNEG = 'O',
    MILTER_COMMAND_QUIT = 'Q', /* the end; no answer */
    MILTER_COMMAND_RCPT = 'R',
    MILTER_COMMAND_DATA = 'T',
    MILTER_COMMAND_UNKNOWN = 'U', /* a command that SMTP does not have */
} MilterCommandCode;

/* Filter to MTA: SMFIR_*. OPTNEG, too, is answered by OPTNEG. */
typedef enum {
    MILTER_ANSWER_ADDRCPT = '+',
    MILTER_ANSWER_DELRCPT = '-',
    MILTER_ANSWER_ADDRCPT_PAR = '2', /* with arguments of ESMTP */
    MILTER_ANSWER_SHUTDOWN = '4',    /* "421": end the SMTP connection */
    MILTER_ANSWER_ACCEPT = 'a',
    MILTER_ANSWER_REPLBODY = 'b', /* one piece of a new body */
    MILTER_ANSWER_CONTINUE = 'c',
    MILTER_ANSWER_DISCARD = 'd',
    MILTER_ANSWER_CHGFROM = 'e', /* the envelope's sender, perhaps with arguments of ESMTP */
    MILTER_ANSWER_CONN_FAIL = 'f',
    MILTER_ANSWER_ADDHEADER = 'h',
    MILTER_ANSWER_INSHEADER = 'i',
    MILTER_ANSWER_SETSYMLIST = 'l', /* no library sends it: the lists come with OPTNEG */
    MILTER_ANSWER_CHGHEADER = 'm',
    MILTER_ANSWER_PROGRESS = 'p', /* still at work: wait as long again */
    MILTER_ANSWER_QUARANTINE = 'q',
    MILTER_ANSWER_REJECT = 'r',
    MILTER_ANSWER_SKIP = 's', /* no more commands of this kind, please */
    MILTER_ANSWER_TEMPFAIL = 't',
    MILTER_ANSWER_REPLYCODE = 'y', /* the text of a reply */
} MilterAnswerCode;

typedef enum {
    MILTER_PACKET_MORE,   /* right so far, but not whole */
    MILTER_PACKET_WHOLE,  /* everything is set */
    MILTER_PACKET_BROKEN, /* nothing behind this can be read either */
} MilterPacketState;

typedef struct {
    char code;        /* which need not be one that is known */
    const char *data; /* points into what was decoded; no NUL behind it */
    gsize length;     /* octets of the data */
    gsize size;       /* octets of the whole packet; with MILTER_PACKET_MORE, 0: not known yet */
} MilterPacket;

/*
 * Reads the packet at the start of `octets`. `limit`: most octets of data that are taken, less than
 * G_MAXINT32. MILTER_PACKET_BROKEN sets an error: an empty packet (REPLYMILTER_ERROR_PROTOCOL) or
 * too long a one (REPLYMILTER_ERROR_LIMIT), seen as soon as its length is there.
 */
MilterPacketState milter_packet_decode(const char *octets, gsize length, gsize limit,
                                       MilterPacket *found, GError **error);

/* Appends a whole packet. `data` may be NULL if `length` is 0. Returns `length`. */
gsize milter_packet_append(GString *out, char code, const char *data, gsize length);

/*
 * For data in several pieces: begin, append them to `out`, end with what begin returned. End
 * returns the octets of the data.
 */
gsize milter_packet_begin(GString *out, char code);
gsize milter_packet_end(GString *out, gsize begun);

/* "SMFIC_MAIL", "SMFIR_SKIP": for messages, static. NULL: no such octet. */
const char *milter_code_name(char code);

/* Four octets, big-endian. */
guint32 milter_long_read(const char *octets);
void milter_long_append(GString *out, guint32 number);
