/*
 * json_line: writes one JSON object (RFC 8259) as a line of 7-bit ASCII, member by member.
 *
 * For lines that are written thousands of times a second; what is read, and what need not be fast,
 * goes through Jansson. Strings may hold anything: control octets and all that is not ASCII become
 * \u escapes, octets that are not UTF-8 become U+FFFD, and a value that would take more than the
 * limit is cut behind a whole letter and ends with "...". Threads: one owner.
 */
#pragma once

#include <glib.h>

typedef struct {
    GString *out;
    gsize limit;    /* octets that one string value may take, escapes included; at least 16 */
    gboolean begun; /* the current object or array has a member */
} JsonLine;

void json_line_begin(JsonLine *line, gsize limit);

/* Closes the object. The caller frees the line. */
char *json_line_end(JsonLine *line);

/* A member whose value is an object or array, until the matching close. */
void json_line_open_object(JsonLine *line, const char *key);
void json_line_close_object(JsonLine *line);
void json_line_open_array(JsonLine *line, const char *key);
void json_line_close_array(JsonLine *line);

/* Keys are constants of ours. A NULL value: no member. */
void json_line_string(JsonLine *line, const char *key, const char *value);
void json_line_number(JsonLine *line, const char *key, gint64 value);
void json_line_boolean(JsonLine *line, const char *key, gboolean value);

/* Not known: null. */
void json_line_null(JsonLine *line, const char *key);

/* An element of an array. */
void json_line_element(JsonLine *line, const char *value);
