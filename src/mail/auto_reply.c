/*
 * auto_reply: has a machine answered this mail for its owner?
 *
 * Three kinds of sign: those that suffice; a Subject that only machines write; and a Subject such
 * as a confirmation has, together with a header field that says that a machine wrote it.
 */
#include "mail/auto_reply.h"

#include <string.h>

/* The first words of a Subject, in lower case, of answers that no person writes. */
static const char *const absence_subjects[] = {
    /* English */
    "auto:",
    "auto-reply",
    "auto reply",
    "autoreply",
    "auto-response",
    "auto response",
    "autoresponse",
    "auto-responder",
    "autoresponder",
    "auto answer",
    "automatic reply",
    "automatic response",
    "automatic answer",
    "automatically generated reply",
    "automated reply",
    "automated response",
    "out of office",
    "out of the office",
    "out-of-office",
    "ooo:",
    "oof:",
    "away from the office",
    "away from office",
    "away from my mail",
    "i am out of",
    "i'm out of the office",
    "i am away",
    "i am currently out of",
    "i am on vacation",
    "i am on leave",
    "on vacation",
    "on annual leave",
    "on leave:",
    "vacation reply",
    "vacation message",
    "vacation notice",
    "vacation response",
    "vacation auto",
    "vacation:",
    "absence notice",
    "absence notification",
    "no longer with",
    /* German */
    "automatische antwort",
    "automatische r\303\274ckantwort",
    "autom. antwort",
    "automatische e-mail-antwort",
    "abwesenheitsnotiz",
    "abwesenheitsbenachrichtigung",
    "abwesenheitsmeldung",
    "abwesenheitsassistent",
    "abwesenheitsinfo",
    "abwesenheit:",
    "abwesend:",
    "nicht im b\303\274ro",
    "ich bin nicht im b\303\274ro",
    "urlaubsbenachrichtigung",
    /* French */
    "r\303\251ponse automatique",
    "reponse automatique",
    "absence du bureau",
    "absent du bureau",
    "absente du bureau",
    "absent(e) du bureau",
    "message d'absence",
    "notification d'absence",
    "avis d'absence",
    "en dehors du bureau",
    "en cong\303\251",
    /* Spanish, Catalan, Portuguese, Italian, Romanian */
    "respuesta autom\303\241tica",
    "respuesta automatica",
    "contestaci\303\263n autom\303\241tica",
    "fuera de la oficina",
    "fuera de oficina",
    "ausente de la oficina",
    "estoy de vacaciones",
    "resposta autom\303\240tica",
    "resposta autom\303\241tica",
    "resposta automatica",
    "fora do escrit\303\263rio",
    "ausente do escrit\303\263rio",
    "aus\303\252ncia tempor\303\241ria",
    "risposta automatica",
    "fuori sede",
    "fuori ufficio",
    "assenza dall'ufficio",
    "assente dall'ufficio",
    "r\304\203spuns automat",
    "raspuns automat",
    /* Dutch, Swedish, Danish, Norwegian, Finnish, Estonian, Latvian, Lithuanian */
    "automatisch antwoord",
    "automatische reactie",
    "automatisch bericht",
    "afwezigheidsbericht",
    "afwezigheid:",
    "afwezig:",
    "niet aanwezig",
    "autosvar",
    "automatiskt svar",
    "automatisk svar",
    "fr\303\245nvaro",
    "frav\303\246r",
    "ikke til stede",
    "automaattinen vastaus",
    "poissaoloilmoitus",
    "poissa toimistosta",
    "automaatvastus",
    "autom\304\201tiska atbilde",
    "autom\304\201tisk\304\201 atbilde",
    "automatinis atsakymas",
    /* Polish, Czech, Slovak, Hungarian, Slovenian, Croatian, Serbian */
    "automatyczna odpowied\305\272",
    "odpowied\305\272 automatyczna",
    "autoodpowied\305\272",
    "poza biurem",
    "nieobecno\305\233\304\207",
    "automatick\303\241 odpov\304\233\304\217",
    "automatick\303\241 odpove\304\217",
    "mimo kancel\303\241\305\231",
    "automatikus v\303\241lasz",
    "h\303\241zon k\303\255v\303\274l",
    "samodejni odgovor",
    "automatski odgovor",
    /* Russian, Ukrainian, Bulgarian, Greek, Turkish */
    "автоответ",
    "автоматический ответ",
    "нет на рабочем месте",
    "отсутствую на рабочем месте",
    "автоматична відповідь",
    "автовідповідь",
    "автоматичен отговор",
    "αυτόματη απάντηση",
    "εκτός γραφείου",
    "otomatik yanıt",
    "otomatik cevap",
    "ofis dışında",
    /* Hebrew, Arabic, Thai, Vietnamese, Indonesian, Malay */
    "תשובה אוטומטית",
    "מענה אוטומטי",
    "رد تلقائي",
    "الرد التلقائي",
    "ตอบกลับอัตโนมัติ",
    "การตอบกลับอัตโนมัติ",
    "trả lời tự động",
    "thư trả lời tự động",
    "balasan otomatis",
    "jawapan automatik",
    /* Japanese, Chinese, Korean */
    "自動応答",
    "自動返信",
    "自動送信",
    "不在通知",
    "不在応答",
    "不在のお知らせ",
    "不在連絡",
    "自动答复",
    "自动回复",
    "自動回覆",
    /* Hebrew */
    "תגובה אוטומטית",
    "מענה אוטומטי",
    "自動回復",
    "自動回應",
    "自動答覆",
    "不在办公室",
    "외출 중",
    "자동 회신",
    "자동회신",
    "자동 응답",
    "자동응답",
    "부재중",
    "부재 중",
};

/* Words of a confirmation or a challenge: people write them too. */
static const char *const confirmation_words[] = {
    "received your",
    "receipt of your",
    "thank you for contacting",
    "thank you for your",
    "thanks for contacting",
    "thanks for your",
    "your request",
    "your message",
    "your inquiry",
    "your enquiry",
    "your email",
    "your e-mail",
    "we have received",
    "acknowledg",
    "confirm your",
    "confirmation of receipt",
    "requires verification",
    "requires confirmation",
    "please verify",
    "please confirm",
    "eingangsbest\303\244tigung",
    "ihre anfrage",
    "ihre nachricht",
    "ihre e-mail",
    "accus\303\251 de r\303\251ception",
    "votre demande",
    "votre message",
    "su mensaje",
    "su solicitud",
    "acuse de recibo",
    "sua mensagem",
    "la sua richiesta",
    "conferma di ricezione",
    "uw bericht",
    "uw aanvraag",
    "potwierdzenie otrzymania",
    "ваше обращение",
    "ваше письмо",
    "ваш запрос",
    "受付",
    "受領",
    "お問い合わせ",
    "お問合せ",
};

/* ---- fields ------------------------------------------------------------------------------- */

static gboolean
value_begins(const HeaderFields *header, const char *name, const char *prefix)
{
    const char *value = header_fields_get(header, name);
    return value != NULL && g_ascii_strncasecmp(value, prefix, strlen(prefix)) == 0;
}

static gboolean
value_contains(const HeaderFields *header, const char *name, const char *word)
{
    const char *value = header_fields_get(header, name);
    if (value == NULL)
        return FALSE;
    g_autofree char *folded = g_ascii_strdown(value, -1);
    return strstr(folded, word) != NULL;
}

static gboolean
is_null_path(const HeaderFields *header)
{
    const char *path = header_fields_get(header, "Return-Path");
    return path != NULL && (strcmp(path, "<>") == 0 || *path == '\0');
}

/* What delivery reports have, and answers have not. */
static gboolean
is_delivery_report(const HeaderFields *header)
{
    static const char *const daemons[] = {"mailer-daemon", "mailer_daemon", "maildaemon",
                                          "mail delivery s"};
    for (gsize i = 0; i < G_N_ELEMENTS(daemons); i++)
        if (value_contains(header, "From", daemons[i]))
            return TRUE;
    return value_begins(header, "Content-Type", "multipart/report") ||
           header_fields_get(header, "X-Failed-Recipients") != NULL;
}

/* List mail is written to many, whatever it says at its beginning. */
static gboolean
is_list_mail(const HeaderFields *header)
{
    return header_fields_get(header, "List-Id") != NULL ||
           header_fields_get(header, "List-Unsubscribe") != NULL ||
           header_fields_get(header, "List-Post") != NULL ||
           value_begins(header, "Precedence", "list");
}

/* "X-Auto-Reply" as "xautoreply"; cut at what no such name is as long as. */
static void
plain_name(const char *name, char plain[40])
{
    gsize kept = 0;
    for (; *name != '\0' && kept < 39; name++)
        if (g_ascii_isalpha(*name))
            plain[kept++] = g_ascii_tolower(*name);
    plain[kept] = '\0';
}

static gboolean
says_no(const char *value)
{
    static const char *const words[] = {"no", "none", "false", "off", "0", "never"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(value, words[i]) == 0)
            return TRUE;
    return FALSE;
}

/* X-Autoreply, X-Autoresponder, X-Mail-Autoreply, X-Amazon-Auto-Reply and so on; not
 * X-Auto-Response-Suppress, which asks others for none. */
static gboolean
is_reply_field(const HeaderField *field)
{
    char plain[40];
    if (strpbrk(field->name, "aA") == NULL)
        return FALSE;
    plain_name(field->name, plain);
    gboolean named = strstr(plain, "autoreply") != NULL || strstr(plain, "autorespon") != NULL ||
                     strstr(plain, "autoanswer") != NULL || strcmp(plain, "xvacation") == 0;
    gboolean asks = strstr(plain, "suppress") != NULL || strstr(plain, "noauto") != NULL ||
                    strstr(plain, "disable") != NULL;
    return named && !asks && !says_no(field->value);
}

static gboolean
has_reply_field(const HeaderFields *header)
{
    for (guint i = 0; i < header->fields->len; i++)
        if (is_reply_field(&g_array_index(header->fields, HeaderField, i)))
            return TRUE;
    return FALSE;
}

/* Any one of these suffices. */
static gboolean
says_reply(const HeaderFields *header)
{
    return value_begins(header, "Auto-Submitted", "auto-replied") ||
           value_begins(header, "Precedence", "auto_reply") ||
           value_begins(header, "Precedence", "auto-reply") ||
           value_begins(header, "X-Precedence", "auto_reply") ||
           value_begins(header, "Preference", "auto_reply") ||
           value_begins(header, "X-Autogenerated", "reply") ||
           value_begins(header, "Delivered-To", "autoresponder") ||
           value_begins(header, "X-POST-MessageClass", "9") ||
           value_contains(header, "X-Mailer", "autorespon") ||
           value_contains(header, "X-Mailer", "auto responder") ||
           value_contains(header, "X-Mailer", "vacation") || has_reply_field(header);
}

/* A machine wrote it, be it an answer or not. */
static gboolean
says_machine(const HeaderFields *header)
{
    return value_begins(header, "Auto-Submitted", "auto-") ||
           value_begins(header, "Precedence", "junk") ||
           value_begins(header, "Precedence", "bulk") ||
           value_begins(header, "X-Auto-Response-Suppress", "all") ||
           header_fields_get(header, "X-Autogenerated") != NULL || is_null_path(header);
}

/* A rule of a mailbox answered with a text of its owner's. */
static gboolean
is_rule_answer(const HeaderFields *header)
{
    return header_fields_get(header, "X-MS-Exchange-Inbox-Rules-Loop") != NULL &&
           (value_begins(header, "X-Auto-Response-Suppress", "all") || is_null_path(header));
}

/* ---- the subject -------------------------------------------------------------------------- */

/* In lower case and composed, without brackets and quotes before the first word; "" for none. */
static char *
fold_subject(const HeaderFields *header)
{
    static const char *const openings[] = {
        "[", "(", "*", "\"", "'", "<", " ", "\343\200\220", "\342\200\234", "\302\253"};
    const char *subject = header_fields_get(header, "Subject");
    if (subject == NULL)
        return g_strdup("");
    g_autofree char *start = g_utf8_substring(subject, 0, MIN(g_utf8_strlen(subject, -1), 200));
    g_autofree char *composed = g_utf8_normalize(start, -1, G_NORMALIZE_NFC);
    g_autofree char *folded = g_utf8_strdown(composed != NULL ? composed : "", -1);
    const char *at = folded;
    for (gsize i = 0; i < G_N_ELEMENTS(openings); i++)
        if (g_str_has_prefix(at, openings[i])) {
            at += strlen(openings[i]);
            i = (gsize)-1;
        }
    return g_strdup(at);
}

static gboolean
is_absence_subject(const char *subject)
{
    for (gsize i = 0; i < G_N_ELEMENTS(absence_subjects); i++)
        if (g_str_has_prefix(subject, absence_subjects[i]))
            return TRUE;
    return FALSE;
}

static gboolean
is_confirmation_subject(const char *subject)
{
    for (gsize i = 0; i < G_N_ELEMENTS(confirmation_words); i++)
        if (strstr(subject, confirmation_words[i]) != NULL)
            return TRUE;
    return FALSE;
}

gboolean
auto_reply_is(const HeaderFields *header)
{
    if (is_delivery_report(header))
        return FALSE;
    if (says_reply(header) || is_rule_answer(header))
        return TRUE;
    if (is_list_mail(header))
        return FALSE;
    g_autofree char *subject = fold_subject(header);
    if (is_absence_subject(subject))
        return TRUE;
    gboolean answers = header_fields_get(header, "In-Reply-To") != NULL ||
                       header_fields_get(header, "References") != NULL || is_null_path(header);
    return answers && says_machine(header) && is_confirmation_subject(subject);
}
