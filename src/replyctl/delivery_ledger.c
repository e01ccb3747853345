/*
 * delivery_ledger: which deliveries are still open.
 */
#include "replyctl/delivery_ledger.h"

#include <string.h>

#include "replyctl/json_output.h"

/* A recipient that was put off. */
typedef struct {
    char *remote;
    char *text;
} Open;

typedef struct {
    char *key; /* host, newline, queue id */
    char *host, *queue_id, *sender, *message_id;
    GHashTable *open; /* address -> Open; NULL: none yet */
    gint64 time_us;   /* of its last line */
    GList place;      /* in `quiet` */
} Mail;

struct DeliveryLedger {
    GHashTable *mails; /* key -> Mail */
    GQueue quiet;      /* of Mail, the one that was quiet for longest first */
    guint open;
    DeliveryNewsFunction function;
    gpointer data;
};

/* ---- what is kept ------------------------------------------------------------------------------
 */

static void
open_free(Open *open)
{
    g_free(open->remote);
    g_free(open->text);
    g_free(open);
}

static void
mail_free(Mail *mail)
{
    g_free(mail->key);
    g_free(mail->host);
    g_free(mail->queue_id);
    g_free(mail->sender);
    g_free(mail->message_id);
    g_clear_pointer(&mail->open, g_hash_table_unref);
    g_free(mail);
}

DeliveryLedger *
delivery_ledger_new(DeliveryNewsFunction function, gpointer data)
{
    DeliveryLedger *ledger = g_new0(DeliveryLedger, 1);
    ledger->mails = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)mail_free);
    ledger->function = function;
    ledger->data = data;
    return ledger;
}

void
delivery_ledger_free(DeliveryLedger *ledger)
{
    g_hash_table_unref(ledger->mails);
    g_free(ledger);
}

static guint
open_count(const Mail *mail)
{
    return mail->open != NULL ? g_hash_table_size(mail->open) : 0;
}

static void
forget(DeliveryLedger *ledger, Mail *mail)
{
    ledger->open -= open_count(mail);
    g_queue_unlink(&ledger->quiet, &mail->place);
    g_hash_table_remove(ledger->mails, mail->key);
}

static void
forget_quiet(DeliveryLedger *ledger, gint64 now_us)
{
    Mail *mail;
    while ((mail = g_queue_peek_head(&ledger->quiet)) != NULL &&
           (g_hash_table_size(ledger->mails) > LEDGER_MAILS || ledger->open > LEDGER_OPEN ||
            now_us - mail->time_us > LEDGER_AGE_US))
        forget(ledger, mail);
}

static Mail *
mail_new(const char *key, const char *host, const char *queue_id)
{
    Mail *mail = g_new0(Mail, 1);
    mail->key = g_strdup(key);
    mail->host = g_strdup(host);
    mail->queue_id = g_strdup(queue_id);
    mail->place.data = mail;
    return mail;
}

static Mail *
find_mail(DeliveryLedger *ledger, const char *host, const char *queue_id, gint64 time_us,
          gboolean make)
{
    g_autofree char *key = g_strconcat(host, "\n", queue_id, NULL);
    Mail *mail = g_hash_table_lookup(ledger->mails, key);
    if (mail == NULL && !make)
        return NULL;
    if (mail == NULL) {
        mail = mail_new(key, host, queue_id);
        g_hash_table_insert(ledger->mails, mail->key, mail);
    } else {
        g_queue_unlink(&ledger->quiet, &mail->place);
    }
    mail->time_us = time_us;
    g_queue_push_tail_link(&ledger->quiet, &mail->place);
    return mail;
}

static void
replace(char **field, const char *value)
{
    if (value == NULL)
        return;
    g_free(*field);
    *field = g_strdup(value);
}

/* TRUE: it was not open before. */
static gboolean
set_open(DeliveryLedger *ledger, Mail *mail, const char *recipient, const char *remote,
         const char *text)
{
    if (mail->open == NULL)
        mail->open =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)open_free);
    Open *open = g_new0(Open, 1);
    open->remote = g_strdup(remote);
    open->text = g_strndup(text, LEDGER_TEXT);
    gboolean first = g_hash_table_replace(mail->open, g_strdup(recipient), open);
    ledger->open += first ? 1 : 0;
    return first;
}

static void
close_recipient(DeliveryLedger *ledger, Mail *mail, const char *recipient)
{
    if (mail->open != NULL && g_hash_table_remove(mail->open, recipient))
        ledger->open--;
}

/* ---- what a line says --------------------------------------------------------------------------
 */

static void
tell(const DeliveryLedger *ledger, const Mail *mail, MailKind kind, const char *recipient,
     const char *remote, const char *text)
{
    const DeliveryNews news = {.kind = kind,
                               .time_us = mail->time_us,
                               .host = mail->host,
                               .queue_id = mail->queue_id,
                               .sender = mail->sender,
                               .message_id = mail->message_id,
                               .recipient = recipient,
                               .remote = remote,
                               .text = text != NULL ? text : ""};
    ledger->function(&news, ledger->data);
}

static gint
compare_addresses(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

static void
take_expired(DeliveryLedger *ledger, Mail *mail)
{
    if (mail->open == NULL)
        return;
    g_autoptr(GList) addresses = g_hash_table_get_keys(mail->open);
    addresses = g_list_sort(addresses, compare_addresses);
    for (GList *one = addresses; one != NULL; one = one->next) {
        const Open *open = g_hash_table_lookup(mail->open, one->data);
        tell(ledger, mail, MAIL_KIND_FAILURE, one->data, open->remote, open->text);
    }
    ledger->open -= open_count(mail);
    g_hash_table_remove_all(mail->open);
}

static void
take_recipient(DeliveryLedger *ledger, Mail *mail, const LogLine *line, const char *recipient)
{
    const char *remote = line->relay_name != NULL ? line->relay_name : line->relay_addr;
    const char *text = line->text != NULL ? line->text : "";
    if (line->kind == LOG_LINE_DEFERRED) {
        if (set_open(ledger, mail, recipient, remote, text))
            tell(ledger, mail, MAIL_KIND_DELAY, recipient, remote, text);
        return;
    }
    if (line->kind == LOG_LINE_FAILED)
        tell(ledger, mail, MAIL_KIND_FAILURE, recipient, remote, text);
    close_recipient(ledger, mail, recipient);
}

static void
take_mail(DeliveryLedger *ledger, Mail *mail, const LogLine *line)
{
    replace(&mail->sender, line->sender);
    replace(&mail->message_id, line->message_id);
    if (line->kind == LOG_LINE_EXPIRED)
        take_expired(ledger, mail);
    else if (line->kind == LOG_LINE_REMOVED)
        forget(ledger, mail);
    else
        for (guint i = 0; i < line->recipients->len; i++)
            take_recipient(ledger, mail, line, line->recipients->pdata[i]);
}

void
delivery_ledger_take(DeliveryLedger *ledger, const LogLine *line, gint64 time_us)
{
    if (line->kind == LOG_LINE_OTHER || line->kind == LOG_LINE_REFUSED || line->queue_id == NULL)
        return;
    gboolean begins = line->kind == LOG_LINE_FAILED || line->kind == LOG_LINE_DEFERRED ||
                      line->kind == LOG_LINE_SENDER || line->kind == LOG_LINE_MESSAGE_ID;
    g_autofree char *host = g_strndup(line->stamp.host.at, line->stamp.host.length);
    Mail *mail = find_mail(ledger, host != NULL ? host : "", line->queue_id, time_us, begins);
    if (mail != NULL)
        take_mail(ledger, mail, line);
    forget_quiet(ledger, time_us);
}

guint
delivery_ledger_open(const DeliveryLedger *ledger)
{
    return ledger->open;
}

/* ---- the state file ----------------------------------------------------------------------------
 */

static json_t *
mail_to_json(const Mail *mail)
{
    GHashTableIter iter;
    gpointer address, value;
    json_t *object = json_object(), *open = json_array();
    json_output_set(object, "host", mail->host);
    json_output_set(object, "queue_id", mail->queue_id);
    if (mail->sender != NULL)
        json_object_set_new(object, "sender", json_output_text(mail->sender));
    json_output_set(object, "message_id", mail->message_id);
    json_object_set_new(object, "time", json_integer(mail->time_us));
    g_hash_table_iter_init(&iter, mail->open);
    while (g_hash_table_iter_next(&iter, &address, &value)) {
        const Open *one = value;
        json_t *recipient = json_object();
        json_output_set(recipient, "recipient", address);
        json_output_set(recipient, "remote", one->remote);
        json_output_set(recipient, "text", one->text);
        json_array_append_new(open, recipient);
    }
    json_object_set_new(object, "open", open);
    return object;
}

json_t *
delivery_ledger_to_json(const DeliveryLedger *ledger)
{
    json_t *array = json_array();
    for (const GList *place = ledger->quiet.head; place != NULL; place = place->next)
        if (open_count(place->data) > 0)
            json_array_append_new(array, mail_to_json(place->data));
    return array;
}

static const char *
string_in(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
mail_from_json(DeliveryLedger *ledger, const json_t *object)
{
    const char *host = string_in(object, "host"), *queue_id = string_in(object, "queue_id");
    const json_t *open = json_object_get(object, "open");
    if (queue_id == NULL || json_array_size(open) == 0)
        return;
    gint64 time_us = json_integer_value(json_object_get(object, "time"));
    Mail *mail = find_mail(ledger, host != NULL ? host : "", queue_id, time_us, TRUE);
    replace(&mail->sender, string_in(object, "sender"));
    replace(&mail->message_id, string_in(object, "message_id"));
    for (size_t i = 0; i < json_array_size(open); i++) {
        const json_t *one = json_array_get(open, i);
        const char *address = string_in(one, "recipient"), *text = string_in(one, "text");
        if (address != NULL)
            set_open(ledger, mail, address, string_in(one, "remote"), text != NULL ? text : "");
    }
}

void
delivery_ledger_from_json(DeliveryLedger *ledger, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        mail_from_json(ledger, json_array_get(array, i));
    forget_quiet(ledger, 0);
}
