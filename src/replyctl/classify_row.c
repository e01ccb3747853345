/*
 * classify_row: what `replyctl classify` says about one recipient, or one line.
 */
#include "replyctl/classify_row.h"

#include "record/json_line.h"
#include "replyctl/columns.h"

enum { VALUE_MAX = 65536 };

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void
put_string(JsonLine *json, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_line_string(json, key, value);
    else
        json_line_null(json, key);
}

static void
put_number(JsonLine *json, const char *key, gint64 number)
{
    if (number > 0)
        json_line_number(json, key, number);
    else
        json_line_null(json, key);
}

static void
put_code(JsonLine *json, const ClassifyRow *row)
{
    put_number(json, "code", row->code);
}

static void
put_status(JsonLine *json, const ClassifyRow *row)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    put_string(json, "status", enhanced_status_format(row->status, status));
}

static void
put_place(JsonLine *json, const ClassifyRow *row)
{
    if (row->row != ROW_LINE)
        put_string(json, "file", row->file);
    if (row->message > 0)
        json_line_number(json, "message", (gint64)row->message);
    if (row->row != ROW_MAIL)
        json_line_number(json, "line", (gint64)row->line);
    if (row->row == ROW_LOG)
        put_string(json, "queue_id", row->queue_id);
}

static void
put_cause(JsonLine *json, const Classification *cause)
{
    put_string(json, "category", cause != NULL ? category_info(cause->category)->name : NULL);
    json_line_boolean(json, "permanent", cause != NULL && cause->permanent);
    json_line_string(json, "action", action_name(cause != NULL ? cause->action : ACTION_NONE));
    put_string(json, "confidence", cause != NULL ? confidence_name(cause->confidence) : NULL);
}

static void
put_evidence(JsonLine *json, const Classification *cause)
{
    json_line_open_object(json, "evidence");
    put_string(json, "rule", cause != NULL ? cause->rule : NULL);
    put_string(json, "match", cause != NULL ? cause->match : NULL);
    json_line_close_object(json);
    if (cause == NULL)
        return;
    json_line_string(json, "provider", cause->provider);
    json_line_string(json, "dnsbl", cause->dnsbl);
    if (cause->retry_after >= 0)
        json_line_number(json, "retry_after", cause->retry_after);
}

void
classify_row_json(const ClassifyRow *row, GString *out)
{
    JsonLine json;
    json_line_begin(&json, VALUE_MAX);
    put_place(&json, row);
    if (row->row == ROW_LINE) {
        put_cause(&json, row->cause);
        put_code(&json, row);
        put_status(&json, row);
    } else {
        json_line_string(&json, "kind", mail_kind_name(row->kind));
        put_string(&json, "recipient", row->recipient);
        put_status(&json, row);
        put_code(&json, row);
        put_cause(&json, row->cause);
        put_string(&json, "text", row->text);
        put_string(&json, "reporting_mta", row->reporting_mta);
        put_string(&json, "remote_mta", row->remote_mta);
    }
    put_evidence(&json, row->cause);
    g_autofree char *line = json_line_end(&json);
    g_string_append(out, line);
    g_string_append_c(out, '\n');
}

/* ---- the table ---------------------------------------------------------------------------------
 */

/* Columns of the table; the first takes what is left, at most FIRST_WIDEST, then the text does. */
enum { WHAT = 24, ACTION = 18, DEAD = 4, STATUS = 8, FIRST_WIDEST = 48, TEXT_NARROWEST = 20 };

typedef struct {
    gsize first, text;
} Widths;

static Widths
widths_of(RowKind row, gsize width)
{
    gsize rest = MAX(width, CLASSIFY_ROW_NARROWEST) - (WHAT + 1 + ACTION + 1 + DEAD);
    if (row == ROW_LINE)
        return (Widths){.first = 6, .text = rest - 6 - 2};
    gsize wide = STATUS + 1 + TEXT_NARROWEST + 1;
    gsize first = rest - 1 > wide + 32 ? MIN(FIRST_WIDEST, rest - 1 - wide) : rest - 1;
    gsize behind = rest - 1 - first;
    return (Widths){.first = first, .text = behind > wide - 1 ? behind - STATUS - 2 : 0};
}

static void
put_cells(GString *out, RowKind row, gsize width, const char *const cells[6])
{
    Widths widths = widths_of(row, width);
    gsize start = out->len;
    columns_append(out, cells[0], widths.first, FALSE);
    g_string_append_c(out, ' ');
    columns_append(out, cells[1], WHAT, FALSE);
    g_string_append_c(out, ' ');
    columns_append(out, cells[2], ACTION, FALSE);
    g_string_append_c(out, ' ');
    columns_append(out, cells[3], DEAD, FALSE);
    if (widths.text > 0 && row != ROW_LINE) {
        g_string_append_c(out, ' ');
        columns_append(out, cells[4], STATUS, FALSE);
    }
    if (widths.text > 0) {
        g_string_append_c(out, ' ');
        columns_append(out, cells[5], widths.text, TRUE);
    }
    while (out->len > start && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

/* The address, or where it was read. */
static char *
first_cell(const ClassifyRow *row)
{
    if (row->row == ROW_LINE)
        return g_strdup_printf("%" G_GUINT64_FORMAT, row->line);
    if (row->recipient != NULL && row->recipient[0] != '\0')
        return g_strdup(row->recipient);
    g_autofree char *name = g_path_get_basename(row->file);
    guint64 place = row->row == ROW_LOG ? row->line : row->message;
    return place > 0 ? g_strdup_printf("(%s:%" G_GUINT64_FORMAT ")", name, place)
                     : g_strdup_printf("(%s)", name);
}

/* "user-unknown", "delay: network-error", "feedback". */
static char *
what_cell(const ClassifyRow *row)
{
    const char *kind = mail_kind_name(row->kind);
    if (row->cause == NULL || (row->kind != MAIL_KIND_FAILURE && row->kind != MAIL_KIND_DELAY))
        return g_strdup(kind);
    const char *category = category_info(row->cause->category)->name;
    return row->kind == MAIL_KIND_DELAY ? g_strdup_printf("%s: %s", kind, category)
                                        : g_strdup(category);
}

void
classify_row_table(const ClassifyRow *row, gsize width, GString *out)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autofree char *first = first_cell(row), *what = what_cell(row);
    const Classification *cause = row->cause;
    gboolean acts = cause != NULL && cause->action != ACTION_NONE;
    const char *cells[6] = {first,
                            what,
                            acts ? action_name(cause->action) : "",
                            cause != NULL && cause->permanent ? "dead" : "",
                            enhanced_status_format(row->status, status),
                            row->text != NULL ? row->text : ""};
    put_cells(out, row->row, width, cells);
}

void
classify_row_heading(RowKind row, gsize width, GString *out)
{
    const char *cells[6] = {
        row == ROW_LINE ? "line" : "recipient", "what", "action", "", "status", "text"};
    put_cells(out, row, width, cells);
}
