/*
 * reply_text: one for each thread, filled again and again.
 */
#include "classify/reply_text.h"

#include <pthread.h>
#include <string.h>

/* Octets of a reply's text that are read. */
#define MAX_TEXT 8192

typedef struct {
    ReplyText text;
    GString *joined; /* the line, where it is not the reply's only one */
} Space;

/* ---- what a thread keeps ------------------------------------------------------------------- */

static pthread_once_t space_once = PTHREAD_ONCE_INIT;
static pthread_key_t space_key;

static void
space_free(void *data)
{
    Space *space = data;
    normal_text_free(space->text.normal);
    g_string_free(space->text.names, TRUE);
    g_array_unref(space->text.hits[RULE_TEXT]);
    g_array_unref(space->text.hits[RULE_NAME]);
    g_string_free(space->joined, TRUE);
    g_free(space);
}

static void
space_key_create(void)
{
    if (pthread_key_create(&space_key, space_free) != 0)
        g_error("no thread key is left for reading replies");
}

static Space *
space_new(void)
{
    Space *space = g_new0(Space, 1);
    space->text.normal = normal_text_new();
    space->text.names = g_string_new(NULL);
    space->text.hits[RULE_TEXT] = pattern_hits_new();
    space->text.hits[RULE_NAME] = pattern_hits_new();
    space->joined = g_string_new(NULL);
    return space;
}

static Space *
thread_space(void)
{
    pthread_once(&space_once, space_key_create);
    Space *space = pthread_getspecific(space_key);
    if (space == NULL) {
        space = space_new();
        pthread_setspecific(space_key, space);
    }
    return space;
}

/* ---- reading ------------------------------------------------------------------------------- */

static void
join_lines(GString *joined, const SmtpReply *reply)
{
    g_string_truncate(joined, 0);
    for (guint i = 0; i < smtp_reply_line_count(reply) && joined->len < MAX_TEXT; i++) {
        if (joined->len > 0)
            g_string_append_c(joined, ' ');
        g_string_append(joined, smtp_reply_line(reply, i)->text);
    }
}

static void
take_line(Space *space, const SmtpReply *reply)
{
    ReplyText *text = &space->text;
    if (smtp_reply_line_count(reply) == 1) {
        text->line = smtp_reply_line(reply, 0)->text;
        text->length = strlen(text->line);
    } else {
        join_lines(space->joined, reply);
        text->line = space->joined->str;
        text->length = space->joined->len;
    }
    text->length = MIN(text->length, MAX_TEXT);
}

/* Of IP addresses only a DNS list's answers mean something. */
static gboolean
is_telling(const NormalMask *mask, const char *line)
{
    return mask->kind == NORMAL_MASK_URL || mask->kind == NORMAL_MASK_HOST ||
           (mask->kind == NORMAL_MASK_IP && g_str_has_prefix(line + mask->start, "127."));
}

static void
take_names(ReplyText *text)
{
    const NormalText *normal = text->normal;
    g_string_truncate(text->names, 0);
    for (guint i = 0; i < normal->mask_count; i++) {
        const NormalMask *mask = &normal->masks[i];
        if (!is_telling(mask, text->line))
            continue;
        g_string_append_len(text->names, text->line + mask->start, mask->length);
        g_string_append_c(text->names, '\n');
    }
}

static void
scan(const PatternSet *patterns, const char *text, gsize length, GArray *hits)
{
    if (patterns != NULL)
        pattern_set_scan(patterns, text, length, hits);
    else
        g_array_set_size(hits, 0);
}

const ReplyText *
reply_text_read(const SmtpReply *reply, PatternSet *const patterns[2])
{
    Space *space = thread_space();
    ReplyText *text = &space->text;
    take_line(space, reply);
    normal_text_read(text->normal, text->line, text->length);
    take_names(text);
    scan(patterns[RULE_TEXT], text->normal->text, text->normal->length, text->hits[RULE_TEXT]);
    scan(patterns[RULE_NAME], text->names->str, text->names->len, text->hits[RULE_NAME]);
    return text;
}
