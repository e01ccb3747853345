/*
 * log_stamp: what a syslog daemon puts before a line.
 */
#include "mail/log_stamp.h"

#include <string.h>
#include <time.h>

#define NAME_MAX_OCTETS 255
#define DAY_US          (G_GINT64_CONSTANT(24) * 3600 * G_USEC_PER_SEC)

typedef struct {
    const char *at, *end;
} Reader;

typedef struct {
    struct tm tm; /* tm_year 0: no year */
    gint64 micros;
    gboolean zoned;
    gint offset; /* seconds east of Greenwich */
} Moment;

static gboolean
take_octet(Reader *reader, char octet)
{
    if (reader->at >= reader->end || *reader->at != octet)
        return FALSE;
    reader->at++;
    return TRUE;
}

static void
skip_blanks(Reader *reader)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
}

/* From `least` to `most` digits. */
static gboolean
take_number(Reader *reader, guint least, guint most, int *number)
{
    guint digits = 0;
    int value = 0;
    while (digits < most && reader->at + digits < reader->end &&
           g_ascii_isdigit(reader->at[digits]))
        value = value * 10 + (reader->at[digits++] - '0');
    if (digits < least)
        return FALSE;
    reader->at += digits;
    *number = value;
    return TRUE;
}

/* One of names that have three letters each; its place in *index. */
static gboolean
take_name(Reader *reader, const char *names, int *index)
{
    if (reader->end - reader->at < 4 || reader->at[3] != ' ')
        return FALSE;
    for (int i = 0; names[i * 3] != '\0'; i++) {
        if (memcmp(reader->at, names + i * 3, 3) == 0) {
            reader->at += 3;
            *index = i;
            return TRUE;
        }
    }
    return FALSE;
}

/* "12:00:01.123456". */
static gboolean
take_clock(Reader *reader, Moment *moment)
{
    if (!take_number(reader, 2, 2, &moment->tm.tm_hour) || !take_octet(reader, ':') ||
        !take_number(reader, 2, 2, &moment->tm.tm_min) || !take_octet(reader, ':') ||
        !take_number(reader, 2, 2, &moment->tm.tm_sec))
        return FALSE;
    if (!take_octet(reader, '.') && !take_octet(reader, ','))
        return TRUE;
    gint64 unit = G_USEC_PER_SEC;
    for (; reader->at < reader->end && g_ascii_isdigit(*reader->at); reader->at++) {
        unit /= 10;
        moment->micros += (*reader->at - '0') * unit;
    }
    return TRUE;
}

/* "Z", "+01:00", "+0100", or none. */
static void
take_zone(Reader *reader, Moment *moment)
{
    int hours = 0, minutes = 0;
    Reader ahead = *reader;
    if (take_octet(reader, 'Z')) {
        moment->zoned = TRUE;
        return;
    }
    gboolean west = ahead.at < ahead.end && *ahead.at == '-';
    if ((!take_octet(&ahead, '+') && !take_octet(&ahead, '-')) ||
        !take_number(&ahead, 2, 2, &hours))
        return;
    take_octet(&ahead, ':');
    if (!take_number(&ahead, 2, 2, &minutes))
        return;
    moment->zoned = TRUE;
    moment->offset = (hours * 60 + minutes) * (west ? -60 : 60);
    *reader = ahead;
}

/* "2026-11-21T12:00:01+01:00", "2026-11-21 12:00:01 CET". */
static gboolean
take_iso(Reader *reader, Moment *moment)
{
    int year;
    if (!take_number(reader, 4, 4, &year) || !take_octet(reader, '-') ||
        !take_number(reader, 2, 2, &moment->tm.tm_mon) || !take_octet(reader, '-') ||
        !take_number(reader, 2, 2, &moment->tm.tm_mday))
        return FALSE;
    if (!take_octet(reader, 'T') && !take_octet(reader, ' '))
        return FALSE;
    moment->tm.tm_year = year - 1900;
    moment->tm.tm_mon--;
    if (!take_clock(reader, moment))
        return FALSE;
    take_zone(reader, moment);
    return TRUE;
}

/* "Nov 21 12:00:01". */
static gboolean
take_old(Reader *reader, Moment *moment)
{
    if (!take_name(reader, "JanFebMarAprMayJunJulAugSepOctNovDec", &moment->tm.tm_mon))
        return FALSE;
    skip_blanks(reader);
    return take_number(reader, 1, 2, &moment->tm.tm_mday) && take_octet(reader, ' ') &&
           take_clock(reader, moment);
}

static gboolean
is_possible(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
           tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

static gboolean
take_moment(Reader *reader, Moment *moment)
{
    Reader start = *reader;
    int weekday;
    *moment = (Moment){.micros = 0};
    if (take_name(&start, "MonTueWedThuFriSatSun", &weekday))
        skip_blanks(&start); /* journalctl -o short-full */
    Reader iso = start, old = start;
    if (take_iso(&iso, moment)) {
        *reader = iso;
    } else {
        *moment = (Moment){.micros = 0};
        if (!take_old(&old, moment))
            return FALSE;
        *reader = old;
    }
    return is_possible(&moment->tm);
}

/* A word up to the next blank. */
static LogSpan
take_word(Reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && *reader->at != ' ')
        reader->at++;
    return (LogSpan){start, (gsize)(reader->at - start)};
}

/* "postfix/smtp[123]:" or "sendmail:" -> the name. */
static gboolean
read_program(LogSpan word, LogSpan *program)
{
    if (word.length < 2 || word.length > NAME_MAX_OCTETS || word.at[word.length - 1] != ':')
        return FALSE;
    word.length--;
    const char *pid = memchr(word.at, '[', word.length);
    *program = (LogSpan){word.at, pid != NULL ? (gsize)(pid - word.at) : word.length};
    return program->length > 0;
}

/* "<22>", "<mail.info>": before the time, or before the host. */
static void
skip_priority(Reader *reader)
{
    const char *close;
    skip_blanks(reader);
    if (reader->at < reader->end && *reader->at == '<' &&
        (close = memchr(reader->at, '>', (gsize)(reader->end - reader->at))) != NULL &&
        close - reader->at < 32)
        reader->at = close + 1;
    skip_blanks(reader);
}

/* Solaris: "[ID 197553 mail.info] ". */
static void
skip_message_id(Reader *reader)
{
    gsize left = (gsize)(reader->end - reader->at);
    const char *close = left > 4 && memcmp(reader->at, "[ID ", 4) == 0
                            ? memchr(reader->at, ']', MIN(left, 64))
                            : NULL;
    if (close != NULL)
        reader->at = close + 1;
    skip_blanks(reader);
}

/* "mx postfix/smtp[123]:", "postfix/smtp[123]:", or "CET mx postfix/smtp[123]:". */
static gboolean
take_origin(Reader *reader, LogStamp *stamp)
{
    for (guint words = 0; words < 3; words++) {
        skip_priority(reader);
        LogSpan word = take_word(reader);
        if (read_program(word, &stamp->program))
            return TRUE;
        stamp->host = word;
    }
    return FALSE;
}

gboolean
log_stamp_parse(const char *line, gsize length, LogStamp *stamp)
{
    Moment moment;
    Reader reader = {line, line + length};
    *stamp = (LogStamp){.body = {line, length}};
    skip_priority(&reader);
    const char *start = reader.at;
    if (!take_moment(&reader, &moment))
        return FALSE;
    LogSpan time = {start, (gsize)(reader.at - start)};
    if (!take_origin(&reader, stamp)) {
        *stamp = (LogStamp){.body = {line, length}};
        return FALSE;
    }
    skip_blanks(&reader);
    skip_message_id(&reader);
    stamp->time = time;
    stamp->body = (LogSpan){reader.at, (gsize)(reader.end - reader.at)};
    return TRUE;
}

static gint64
moment_us(Moment *moment)
{
    moment->tm.tm_isdst = -1;
    time_t seconds = moment->zoned ? timegm(&moment->tm) - moment->offset : mktime(&moment->tm);
    return (gint64)seconds * G_USEC_PER_SEC + moment->micros;
}

gint64
log_stamp_time(const LogStamp *stamp, gint64 now_us)
{
    Moment moment;
    struct tm now;
    time_t now_s = (time_t)(now_us / G_USEC_PER_SEC);
    if (stamp->time.length == 0)
        return -1;
    Reader reader = {stamp->time.at, stamp->time.at + stamp->time.length};
    if (!take_moment(&reader, &moment))
        return -1;
    if (moment.tm.tm_year != 0)
        return moment_us(&moment);
    localtime_r(&now_s, &now);
    Moment this_year = moment;
    this_year.tm.tm_year = now.tm_year;
    gint64 time_us = moment_us(&this_year);
    if (time_us <= now_us + DAY_US)
        return time_us;
    moment.tm.tm_year = now.tm_year - 1;
    return moment_us(&moment);
}
