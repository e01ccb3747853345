/*
 * joins: which table lookup is about a refusal that the milter door saw.
 *
 * A note stands in two groups: that of its status and text (ANY), and that of its status, text and
 * recipient (EXACT; the recipient may be unknown). Who knows the recipient looks at the exact
 * group and at that of the unknown recipient; who does not looks at ANY. A group has a list for
 * each side, so that "none, one, or more" is seen at its head.
 */
#include "record/joins.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* Longer texts are compared by their first part. */
#define KEY_TEXT_MAX 1024

/* Stands for an unknown recipient and for any: octets that no recipient has. */
#define KEY_UNKNOWN "\x01"
#define KEY_ANY     "\x02"

enum { LINK_ANY, LINK_EXACT, LINK_COUNT };

typedef struct Note Note;

typedef struct {
    char *key; /* owned by the table of groups */
    Note *first[2];
    guint notes;
    gint64 doubtful_until_us;
} Group;

struct Note {
    char *id;
    JoinSide side;
    gint64 time_us;
    Note *older, *newer; /* all notes, by age */
    struct {
        Group *group;
        Note *previous, *next; /* of the same side in that group */
    } links[LINK_COUNT];
};

struct Joins {
    pthread_mutex_t lock;
    GHashTable *groups; /* key -> Group */
    Note *oldest, *newest;
    guint notes;
};

/* Keys hold what strangers wrote: the hash must not be known to them. */
static guint64 hash_seed;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void
draw_seed(void)
{
    if (getrandom(&hash_seed, sizeof(hash_seed), GRND_NONBLOCK) != (ssize_t)sizeof(hash_seed))
        hash_seed = (guint64)g_get_real_time();
}

/* FNV-1a from a secret start, mixed at the end. */
static guint
hash_key(gconstpointer key)
{
    guint64 hash = hash_seed;
    for (const guchar *octet = key; *octet != '\0'; octet++)
        hash = (hash ^ *octet) * G_GUINT64_CONSTANT(0x100000001b3);
    hash ^= hash >> 32;
    hash *= G_GUINT64_CONSTANT(0xd6e8feb86659fd93);
    return (guint)(hash >> 32);
}

static void
group_free(gpointer data)
{
    Group *group = data;
    g_free(group->key);
    g_free(group);
}

static Group *
group_at(Joins *joins, const char *key, gboolean create)
{
    Group *group = g_hash_table_lookup(joins->groups, key);
    if (group == NULL && create) {
        group = g_new0(Group, 1);
        group->key = g_strdup(key);
        (void)g_hash_table_insert(joins->groups, group->key, group);
    }
    return group;
}

static void
link_note(Note *note, int which, Group *group)
{
    Note *first = group->first[note->side];
    note->links[which].group = group;
    note->links[which].next = first;
    if (first != NULL)
        first->links[which].previous = note;
    group->first[note->side] = note;
    group->notes++;
}

static void
unlink_note(Joins *joins, Note *note, int which)
{
    Group *group = note->links[which].group;
    Note *previous = note->links[which].previous, *next = note->links[which].next;
    if (next != NULL)
        next->links[which].previous = previous;
    if (previous != NULL)
        previous->links[which].next = next;
    else
        group->first[note->side] = next;
    if (--group->notes == 0)
        (void)g_hash_table_remove(joins->groups, group->key);
}

static void
add_newest(Joins *joins, Note *note)
{
    note->older = joins->newest;
    if (joins->newest != NULL)
        joins->newest->newer = note;
    else
        joins->oldest = note;
    joins->newest = note;
    joins->notes++;
}

static void
forget(Joins *joins, Note *note)
{
    for (int which = 0; which < LINK_COUNT; which++)
        unlink_note(joins, note, which);
    if (note->older != NULL)
        note->older->newer = note->newer;
    else
        joins->oldest = note->newer;
    if (note->newer != NULL)
        note->newer->older = note->older;
    else
        joins->newest = note->older;
    joins->notes--;
    g_free(note->id);
    g_free(note);
}

/* Also when the clock was set back. */
static gboolean
is_expired(const Note *note, gint64 now_us)
{
    return now_us - note->time_us > JOIN_WINDOW_US || note->time_us - now_us > JOIN_WINDOW_US;
}

static void
forget_old(Joins *joins, gint64 now_us)
{
    while (joins->oldest != NULL && is_expired(joins->oldest, now_us))
        forget(joins, joins->oldest);
    while (joins->notes >= JOINS_MAX)
        forget(joins, joins->oldest);
}

/* A table's key begins with "<address>: " where Postfix speaks of one (and so may a text). */
static const char *
skip_address(const char *text)
{
    const char *end = *text == '<' ? strstr(text, ">: ") : NULL;
    return end != NULL ? end + strlen(">: ") : text;
}

/* "5.1.1 text", what both sides have in common. */
static char *
common_part(JoinSide side, const SmtpReply *original)
{
    char status[ENHANCED_STATUS_TEXT_SIZE];
    g_autofree char *text = smtp_reply_text(original);
    const char *common = side == JOIN_LOOKUP ? skip_address(text) : text;
    return g_strdup_printf("%s %.*s", enhanced_status_format(original->status, status),
                           KEY_TEXT_MAX, common);
}

/* Domains know no case, and mailboxes hardly. */
static char *
recipient_key(const char *common, const char *recipient)
{
    g_autofree char *folded = g_ascii_strdown(recipient, -1);
    return g_strconcat(folded, "\n", common, NULL);
}

typedef struct {
    Note *found;
    guint count;            /* 0, 1, or more (not all are counted) */
    gboolean among_unknown; /* one of them has no recipient */
    gboolean doubtful;
} Candidates;

static void
look_at(Candidates *candidates, Group *group, int which, JoinSide other, gint64 now_us)
{
    if (group == NULL)
        return;
    candidates->doubtful |= now_us <= group->doubtful_until_us;
    Note *first = group->first[other];
    if (first == NULL)
        return;
    candidates->found = first;
    candidates->count += first->links[which].next != NULL ? 2 : 1;
}

static void
mark_doubtful(Group *group, gint64 now_us)
{
    group->doubtful_until_us = now_us + JOIN_WINDOW_US;
}

/* The groups that a note belongs to, or looks into. */
typedef struct {
    Group *any, *exact;
    Group *unknown; /* NULL: no note without a recipient, or `exact` is it */
} Groups;

static Groups
groups_of(Joins *joins, const char *common, const char *recipient)
{
    g_autofree char *any = recipient_key(common, KEY_ANY);
    g_autofree char *unknown = recipient_key(common, KEY_UNKNOWN);
    g_autofree char *exact = recipient_key(common, recipient != NULL ? recipient : KEY_UNKNOWN);
    return (Groups){
        .any = group_at(joins, any, TRUE),
        .exact = group_at(joins, exact, TRUE),
        .unknown = recipient != NULL ? group_at(joins, unknown, FALSE) : NULL,
    };
}

static Candidates
find_candidates(const Groups *groups, gboolean recipient_known, JoinSide other, gint64 now_us)
{
    Candidates candidates = {0};
    if (recipient_known) {
        look_at(&candidates, groups->exact, LINK_EXACT, other, now_us);
        guint exact = candidates.count;
        look_at(&candidates, groups->unknown, LINK_EXACT, other, now_us);
        candidates.among_unknown = candidates.count > exact;
    } else {
        look_at(&candidates, groups->any, LINK_ANY, other, now_us);
    }
    return candidates;
}

static void
keep(Joins *joins, const Groups *groups, JoinSide side, const char *id, gint64 now_us)
{
    Note *note = g_new0(Note, 1);
    note->id = g_strdup(id);
    note->side = side;
    note->time_us = now_us;
    link_note(note, LINK_ANY, groups->any);
    link_note(note, LINK_EXACT, groups->exact);
    add_newest(joins, note);
}

/* Under the lock. */
static char *
note_and_find(Joins *joins, JoinSide side, const char *common, const char *recipient,
              const char *id, gint64 now_us)
{
    JoinSide other = side == JOIN_OBSERVED ? JOIN_LOOKUP : JOIN_OBSERVED;
    forget_old(joins, now_us);
    Groups groups = groups_of(joins, common, recipient);
    Candidates candidates = find_candidates(&groups, recipient != NULL, other, now_us);
    keep(joins, &groups, side, id, now_us);
    if (candidates.count == 1 && !candidates.doubtful) {
        char *joined = g_steal_pointer(&candidates.found->id);
        forget(joins, candidates.found);
        forget(joins, joins->newest);
        return joined;
    }
    if (candidates.count > 0 || candidates.doubtful) {
        mark_doubtful(groups.any, now_us);
        mark_doubtful(groups.exact, now_us);
        if (candidates.among_unknown)
            mark_doubtful(groups.unknown, now_us);
    }
    return NULL;
}

Joins *
joins_new(void)
{
    (void)pthread_once(&hash_once, draw_seed);
    Joins *joins = g_new0(Joins, 1);
    (void)pthread_mutex_init(&joins->lock, NULL);
    joins->groups = g_hash_table_new_full(hash_key, g_str_equal, NULL, group_free);
    return joins;
}

void
joins_free(Joins *joins)
{
    if (joins == NULL)
        return;
    while (joins->oldest != NULL)
        forget(joins, joins->oldest);
    g_hash_table_unref(joins->groups);
    (void)pthread_mutex_destroy(&joins->lock);
    g_free(joins);
}

gboolean
joins_note(Joins *joins, JoinSide side, const Facts *facts, const SmtpReply *original,
           const char *id, gint64 now_us, char **joined_id)
{
    g_autofree char *common = common_part(side, original);
    const char *recipient = facts_get(facts, FACT_RECIPIENT);
    (void)pthread_mutex_lock(&joins->lock);
    *joined_id = note_and_find(joins, side, common, recipient, id, now_us);
    (void)pthread_mutex_unlock(&joins->lock);
    return *joined_id != NULL;
}
