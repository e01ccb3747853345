/*
 * catalog/catalog: look-ups, what fits together, and that the texts answer what lists of codes on
 * the web claim (tests/data/seed-claims.tsv).
 */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "catalog/catalog.h"

/* ---- rows ---- */

static EnhancedStatus
status_of(const char *text)
{
    EnhancedStatus status;
    if (!enhanced_status_parse(text, &status))
        fail_msg("%s is no status", text);
    return status;
}

static void
assert_text(const char *text, const char *what)
{
    if (text == NULL || *text == '\0' || !text_is_printable(text) || strpbrk(text, "%$") != NULL)
        fail_msg("%s: unfit text: %s", what, text);
}

static void
assert_readings(const CatalogReading *readings, guint count, const char *what)
{
    for (guint i = 0; i < count; i++) {
        assert_text(readings[i].name, what);
        assert_text(readings[i].cause, what);
        assert_text(readings[i].sender, what);
        assert_text(readings[i].admin, what);
        assert_true((guint)readings[i].category < CATEGORY_COUNT);
        for (guint before = 0; before < i; before++)
            assert_string_not_equal(readings[i].name, readings[before].name);
    }
}

static void
reply_codes_are_whole(void **state)
{
    guint count, before = 0;
    const CatalogReplyCode *rows = catalog_reply_codes(&count);
    (void)state;
    assert_true(count >= 70);
    for (guint i = 0; i < count; i++) {
        const CatalogReplyCode *row = &rows[i];
        assert_true(row->code > before);
        before = row->code;
        assert_ptr_equal(catalog_reply_code(row->code), row);
        assert_text(row->title, row->title);
        assert_text(row->meaning, row->title);
        assert_text(row->retry, row->title);
        assert_text(row->source, row->title);
        assert_true(text_is_printable(row->note));
        assert_int_equal(row->stages & row->tolerated, 0);
        assert_true(row->code < 400 || row->reading_count > 0);
        assert_readings(row->readings, row->reading_count, row->title);
    }
    assert_null(catalog_reply_code(0));
    assert_null(catalog_reply_code(549));
    assert_null(catalog_reply_code(599));
    assert_null(catalog_reply_code(G_MAXUINT));
}

static void
statuses_are_whole(void **state)
{
    guint count;
    const CatalogStatus *rows = catalog_statuses(&count);
    (void)state;
    assert_true(count > 100);
    for (guint i = 0; i < count; i++) {
        const CatalogStatus *row = &rows[i];
        guint class = (row->classes & 1U << 5) != 0 ? 5 : (row->classes & 1U << 4) != 0 ? 4 : 2;
        EnhancedStatus status = {(guint8) class, row->subject, row->detail};
        if (i > 0)
            assert_true(rows[i - 1].subject * 1000 + rows[i - 1].detail <=
                        row->subject * 1000 + row->detail);
        assert_true(row->last_detail >= row->detail);
        assert_ptr_equal(catalog_status(status), row);
        assert_text(row->title, row->title);
        assert_text(row->meaning, row->title);
        assert_text(row->retry, row->title);
        assert_text(row->source, row->title);
        assert_text(row->codes, row->title);
        assert_true(text_is_printable(row->note));
        assert_true(row->classes == 1U << 2 || row->reading_count > 0 || row->subject == 0);
        assert_readings(row->readings, row->reading_count, row->title);
    }
}

static void
statuses_by_number(void **state)
{
    static const struct {
        const char *status;
        const char *title; /* NULL: none */
        CatalogOrigin origin;
    } cases[] = {
        {"5.1.1", "no such mailbox", CATALOG_RFC},
        {"4.1.1", "no such mailbox", CATALOG_RFC},
        {"5.7.26", "authentication checks failed", CATALOG_RFC},
        {"4.7.28", "mail flood", CATALOG_REGISTRY},
        {"5.7.509", "DMARC failed (Microsoft)", CATALOG_WILD},
        {"5.7.135", "recipient takes mail of authenticated senders only (Microsoft)", CATALOG_WILD},
        {"5.7.606", "banned sending address (Microsoft)", CATALOG_WILD},
        {"5.7.649", "banned sending address (Microsoft)", CATALOG_WILD},
        {"5.7.650", NULL, CATALOG_WILD},
        {"4.7.650", "sending address is limited in rate (Microsoft)", CATALOG_WILD},
        {"4.7.501", "server busy, or the sender looks suspicious (Microsoft)", CATALOG_WILD},
        {"5.7.501", "sender blocked for spam (Microsoft)", CATALOG_WILD},
        {"5.7.700", "the sending organisation is blocked (Microsoft)", CATALOG_WILD},
        {"5.7.708", "traffic from this address not accepted (Microsoft)", CATALOG_WILD},
        {"5.1.11", NULL, CATALOG_WILD},
        {"5.9.1", NULL, CATALOG_WILD},
        {"5.999.999", NULL, CATALOG_WILD},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const CatalogStatus *row = catalog_status(status_of(cases[i].status));
        if (cases[i].title == NULL) {
            assert_null(row);
            continue;
        }
        assert_non_null(row);
        assert_string_equal(row->title, cases[i].title);
        assert_int_equal(row->origin, cases[i].origin);
    }
    assert_null(catalog_status(ENHANCED_STATUS_NONE));
    assert_true(
        enhanced_status_equal(catalog_status_instead(status_of("5.6.10")), status_of("5.6.8")));
    assert_true(
        enhanced_status_equal(catalog_status_instead(status_of("5.6.9")), status_of("5.6.9")));
    assert_true(
        enhanced_status_equal(catalog_status_instead(status_of("5.77.1")), status_of("5.77.1")));
}

static gboolean
has_reading(const CatalogReading *readings, guint count, Category category)
{
    for (guint i = 0; i < count; i++)
        if (readings[i].category == category)
            return TRUE;
    return FALSE;
}

/* 450, 550, 552 and 554 are not one thing. */
static void
codes_have_several_readings(void **state)
{
    static const struct {
        guint code;
        Category categories[8];
        guint count;
    } cases[] = {
        {450,
         {CATEGORY_SYSTEM_ERROR, CATEGORY_GREYLISTED, CATEGORY_BAD_REPUTATION,
          CATEGORY_NETWORK_ERROR, CATEGORY_MAILBOX_DISABLED, CATEGORY_HOST_BLOCKED},
         6},
        {550,
         {CATEGORY_USER_UNKNOWN, CATEGORY_MAILBOX_DISABLED, CATEGORY_POLICY, CATEGORY_HOST_BLOCKED,
          CATEGORY_RELAY_DENIED, CATEGORY_AUTHENTICATION_FAILED, CATEGORY_SENDER_REFUSED,
          CATEGORY_ACCESS_DENIED},
         8},
        {552,
         {CATEGORY_MAILBOX_FULL, CATEGORY_MESSAGE_TOO_LARGE, CATEGORY_RECIPIENT_LIMIT,
          CATEGORY_CONTENT_REFUSED},
         4},
        {554,
         {CATEGORY_SPAM, CATEGORY_HOST_BLOCKED, CATEGORY_DOMAIN_REFUSES_MAIL, CATEGORY_RELAY_DENIED,
          CATEGORY_MAILBOX_DISABLED},
         5},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const CatalogReplyCode *row = catalog_reply_code(cases[i].code);
        for (guint c = 0; c < cases[i].count; c++)
            assert_true(has_reading(row->readings, row->reading_count, cases[i].categories[c]));
    }
}

/* ---- digits ---- */

static void
digits(void **state)
{
    (void)state;
    for (guint code = 200; code < 600; code++) {
        assert_text(catalog_first_digit(code), "first digit");
        assert_text(catalog_third_digit(code), "third digit");
        if (code / 10 % 10 <= 5)
            assert_text(catalog_second_digit(code), "second digit");
        else
            assert_null(catalog_second_digit(code));
    }
    assert_string_equal(catalog_third_digit(550), catalog_third_digit(451));
    assert_string_equal(catalog_third_digit(559), catalog_third_digit(531));
    assert_string_not_equal(catalog_third_digit(550), catalog_third_digit(559));
    assert_null(catalog_first_digit(0));
    assert_null(catalog_first_digit(600));
    assert_null(catalog_second_digit(650));
    assert_null(catalog_third_digit(9999));
    assert_null(catalog_first_digit(G_MAXUINT));
}

static void
parts_of_a_status(void **state)
{
    (void)state;
    for (guint16 subject = 0; subject <= 7; subject++)
        assert_text(catalog_status_subject((EnhancedStatus){5, subject, 99}), "subject");
    assert_null(catalog_status_subject(status_of("5.8.0")));
    assert_null(catalog_status_subject(status_of("5.999.0")));
    assert_text(catalog_status_class(status_of("2.0.0")), "class");
    assert_text(catalog_status_class(status_of("4.0.0")), "class");
    assert_text(catalog_status_class(status_of("5.0.0")), "class");
    assert_string_equal(catalog_status_detail(status_of("5.1.1")),
                        catalog_status_detail(status_of("5.7.26")));
    assert_string_equal(catalog_status_detail(status_of("5.7.509")),
                        catalog_status_detail(status_of("5.1.998")));
    assert_string_not_equal(catalog_status_detail(status_of("5.1.0")),
                            catalog_status_detail(status_of("5.1.1")));
    assert_null(catalog_status_class(ENHANCED_STATUS_NONE));
    assert_null(catalog_status_subject(ENHANCED_STATUS_NONE));
    assert_null(catalog_status_detail(ENHANCED_STATUS_NONE));
}

/* ---- pairs ---- */

/* The associated basic codes of the IANA registry, each in its own class. */
static const struct {
    guint16 subject, detail;
    const char *codes;
} registry[] = {
    {0, 0, "250 421 450 550 554"},
    {1, 1, "451 550"},
    {1, 3, "501"},
    {1, 5, "250"},
    {1, 8, "451 501"},
    {1, 10, "556"},
    {2, 2, "552"},
    {2, 3, "552"},
    {2, 4, "450 452"},
    {3, 0, "221 250 421 451 550 554"},
    {3, 1, "452"},
    {3, 2, "453 521"},
    {3, 4, "552 554"},
    {3, 6, "250 251"},
    {4, 1, "451"},
    {4, 2, "421"},
    {4, 3, "451 550"},
    {4, 5, "451"},
    {5, 0, "220 250 251 252 253 451 452 454 458 459 501 502 503 554"},
    {5, 1, "430 500 501 503 530 550 554 555"},
    {5, 2, "500 501 502 550 555"},
    {5, 3, "451"},
    {5, 4, "451 501 502 503 504 550 555"},
    {5, 6, "500"},
    {6, 3, "554"},
    {6, 4, "250"},
    {6, 6, "554"},
    {6, 7, "553 550"},
    {6, 8, "252 553 550"},
    {6, 9, "550"},
    {7, 0, "220 235 450 454 500 501 503 504 530 535 550"},
    {7, 1, "451 454 502 503 533 550 551"},
    {7, 2, "550"},
    {7, 4, "504"},
    {7, 8, "535 554"},
    {7, 9, "534"},
    {7, 10, "523"},
    {7, 11, "524 538"},
    {7, 12, "422 432"},
    {7, 13, "525"},
    {7, 14, "535 554"},
    {7, 15, "450 550 452 552"},
    {7, 16, "552 452 450"},
    {7, 17, "550 551 553"},
    {7, 18, "550"},
    {7, 19, "550"},
    {7, 20, "550"},
    {7, 21, "550"},
    {7, 22, "550"},
    {7, 23, "550"},
    {7, 24, "451 550"},
    {7, 25, "550"},
    {7, 26, "550"},
    {7, 27, "550"},
    {7, 29, "550"},
    {7, 30, "550"},
};

static void
registered_pairs_are_good(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(registry); i++) {
        g_auto(GStrv) codes = g_strsplit(registry[i].codes, " ", -1);
        for (char **text = codes; *text != NULL; text++) {
            guint code = (guint)atoi(*text);
            EnhancedStatus status = {(guint8)(code / 100), registry[i].subject, registry[i].detail};
            if (catalog_pair(code, status) != CATALOG_PAIR_GOOD)
                fail_msg("%u %u.%u.%u", code, status.class, status.subject, status.detail);
        }
    }
}

static void
pairs(void **state)
{
    static const struct {
        guint code;
        const char *statuses;
        CatalogPair verdict;
    } cases[] = {
        /* what RFCs give as usual, and what MTAs and filters send */
        {220, "2.0.0", CATALOG_PAIR_GOOD},
        {221, "2.0.0", CATALOG_PAIR_GOOD},
        {235, "2.7.0", CATALOG_PAIR_GOOD},
        {250, "2.0.0 2.1.0 2.1.5 2.6.0 2.6.4 2.7.77", CATALOG_PAIR_GOOD},
        {251, "2.1.5 2.1.9", CATALOG_PAIR_GOOD},
        {252, "2.5.2 2.6.8", CATALOG_PAIR_GOOD},
        {421, "4.3.0 4.3.2 4.4.2 4.7.0 4.7.1 4.7.26 4.7.28", CATALOG_PAIR_GOOD},
        {432, "4.7.12 4.3.2", CATALOG_PAIR_GOOD},
        {450, "4.1.1 4.1.2 4.1.7 4.1.8 4.2.0 4.2.1 4.7.0 4.7.1 4.7.25 4.7.28", CATALOG_PAIR_GOOD},
        {451, "4.3.0 4.3.5 4.7.1 4.7.24 4.7.5", CATALOG_PAIR_GOOD},
        {452, "4.3.1 4.5.3 4.2.2", CATALOG_PAIR_GOOD},
        {453, "4.3.2", CATALOG_PAIR_GOOD},
        {454, "4.7.0 4.7.1 4.3.0", CATALOG_PAIR_GOOD},
        {455, "4.5.4", CATALOG_PAIR_GOOD},
        {456, "4.4.8", CATALOG_PAIR_GOOD},
        {500, "5.5.1 5.5.2 5.5.6", CATALOG_PAIR_GOOD},
        {501, "5.5.4 5.1.7 5.1.3 5.5.2", CATALOG_PAIR_GOOD},
        {502, "5.5.1 5.5.2", CATALOG_PAIR_GOOD},
        {503, "5.5.1", CATALOG_PAIR_GOOD},
        {504, "5.5.4 5.5.2", CATALOG_PAIR_GOOD},
        {521, "5.3.2", CATALOG_PAIR_GOOD},
        {530, "5.7.0 5.7.57", CATALOG_PAIR_GOOD},
        {531, "5.3.1 5.2.2", CATALOG_PAIR_GOOD},
        {535, "5.7.8 5.7.139", CATALOG_PAIR_GOOD},
        {550, "5.1.1 5.2.1 5.7.1 5.7.20 5.7.27 5.7.30 5.4.1 5.7.509 5.7.620", CATALOG_PAIR_GOOD},
        {551, "5.1.6 5.7.1", CATALOG_PAIR_GOOD},
        {552, "5.2.2 5.2.3 5.3.4", CATALOG_PAIR_GOOD},
        {553, "5.1.3 5.1.7 5.1.8 5.6.7 5.7.1", CATALOG_PAIR_GOOD},
        {554, "5.7.1 5.6.0 5.3.4 5.5.1 5.4.6", CATALOG_PAIR_GOOD},
        {555, "5.5.4", CATALOG_PAIR_GOOD},
        {556, "5.1.10", CATALOG_PAIR_GOOD},
        {599, "5.0.0", CATALOG_PAIR_GOOD},
        /* nobody has these together */
        {554, "5.7.9 5.7.5", CATALOG_PAIR_UNUSUAL},
        {550, "5.1.10 5.7.8 5.9.9 5.3.1", CATALOG_PAIR_UNUSUAL},
        {535, "5.1.1", CATALOG_PAIR_UNUSUAL},
        {599, "5.1.1", CATALOG_PAIR_UNUSUAL},
        /* the class is not the first digit */
        {550, "4.7.1 4.0.0 2.1.5 4.9.9", CATALOG_PAIR_CLASS},
        {450, "5.1.1 5.0.0", CATALOG_PAIR_CLASS},
        {451, "5.7.1 2.0.0", CATALOG_PAIR_CLASS},
        {250, "5.0.0 4.0.0", CATALOG_PAIR_CLASS},
        {599, "4.0.0", CATALOG_PAIR_CLASS},
        /* no status belongs there */
        {334, "2.0.0 5.7.0", CATALOG_PAIR_MISPLACED},
        {354, "2.0.0", CATALOG_PAIR_MISPLACED},
        {101, "5.0.0", CATALOG_PAIR_MISPLACED},
        {0, "5.0.0", CATALOG_PAIR_MISPLACED},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) statuses = g_strsplit(cases[i].statuses, " ", -1);
        for (char **text = statuses; *text != NULL; text++) {
            CatalogPair verdict = catalog_pair(cases[i].code, status_of(*text));
            if (verdict != cases[i].verdict)
                fail_msg("%u %s: %d, not %d", cases[i].code, *text, (int)verdict,
                         (int)cases[i].verdict);
        }
    }
    assert_int_equal(catalog_pair(550, ENHANCED_STATUS_NONE), CATALOG_PAIR_GOOD);
    assert_int_equal(catalog_pair(354, ENHANCED_STATUS_NONE), CATALOG_PAIR_GOOD);
}

static void
places_of_a_status(void **state)
{
    (void)state;
    assert_false(catalog_takes_status(220, SMTP_STAGE_CONNECT));
    assert_true(catalog_takes_status(220, SMTP_STAGE_STARTTLS));
    assert_false(catalog_takes_status(250, SMTP_STAGE_HELO));
    assert_true(catalog_takes_status(250, SMTP_STAGE_MAIL));
    assert_true(catalog_takes_status(554, SMTP_STAGE_CONNECT));
    assert_true(catalog_takes_status(550, SMTP_STAGE_HELO));
    assert_false(catalog_takes_status(354, SMTP_STAGE_DATA));
    assert_false(catalog_takes_status(334, SMTP_STAGE_AUTH));
    assert_false(catalog_takes_status(0, SMTP_STAGE_RCPT));
}

/* ---- stages ---- */

/* Stages as letters: Connect Helo Starttls Auth Mail Rcpt Data Eom Other. */
static const char stage_letters[] = "?CHSAMRDEO";

/* RFC 5321 section 4.3.2 and the extensions; in small letters what practice adds. */
static const struct {
    guint code;
    const char *stages;
} stage_table[] = {
    {211, "O"},         {214, "O"},       {220, "CS"},       {221, "O"},         {235, "A"},
    {250, "HMREO"},     {251, "RO"},      {252, "Or"},       {334, "A"},         {354, "D"},
    {421, "CHSAMRDEO"}, {432, "Amrde"},   {450, "REchmdo"},  {451, "MREchsado"}, {452, "MREchd"},
    {454, "SAmrd"},     {455, "MR"},      {458, "O"},        {459, "O"},         {500, "HSAMRDOe"},
    {501, "HSAMRDOe"},  {502, "HSAOmrd"}, {503, "AMRDOhse"}, {504, "HAOsmr"},    {521, "Chmrdo"},
    {530, "AMRDOe"},    {534, "A"},       {535, "Amr"},      {538, "A"},         {550, "HMREOcad"},
    {551, "RO"},        {552, "MREd"},    {553, "MROcde"},   {554, "CDEhsamro"}, {555, "MR"},
    {556, "Rm"},
};

static void
codes_at_stages(void **state)
{
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(stage_table); i++) {
        for (guint stage = SMTP_STAGE_CONNECT; stage < SMTP_STAGE_COUNT; stage++) {
            char letter = stage_letters[stage];
            CatalogStageVerdict wanted = CATALOG_STAGE_WRONG;
            if (strchr(stage_table[i].stages, letter) != NULL)
                wanted = CATALOG_STAGE_GOOD;
            else if (strchr(stage_table[i].stages, g_ascii_tolower(letter)) != NULL)
                wanted = CATALOG_STAGE_TOLERATED;
            if (catalog_code_at_stage(stage_table[i].code, (SmtpStage)stage) != wanted)
                fail_msg("%u at %c", stage_table[i].code, letter);
        }
    }
    assert_int_equal(catalog_code_at_stage(550, SMTP_STAGE_UNKNOWN), CATALOG_STAGE_UNKNOWN);
    assert_int_equal(catalog_code_at_stage(599, SMTP_STAGE_RCPT), CATALOG_STAGE_UNKNOWN);
    assert_int_equal(catalog_code_at_stage(531, SMTP_STAGE_RCPT), CATALOG_STAGE_UNKNOWN);
}

static void
codes_for_stages(void **state)
{
    static const struct {
        guint code;
        SmtpStage stage;
        guint best;
    } cases[] = {
        {550, SMTP_STAGE_RCPT, 550},     {554, SMTP_STAGE_RCPT, 554},
        {551, SMTP_STAGE_EOM, 554},      {551, SMTP_STAGE_MAIL, 550},
        {535, SMTP_STAGE_EOM, 554},      {555, SMTP_STAGE_DATA, 554},
        {553, SMTP_STAGE_AUTH, 535},     {503, SMTP_STAGE_CONNECT, 554},
        {455, SMTP_STAGE_EOM, 451},      {458, SMTP_STAGE_RCPT, 450},
        {452, SMTP_STAGE_STARTTLS, 454}, {454, SMTP_STAGE_HELO, 451},
        {354, SMTP_STAGE_AUTH, 334},     {354, SMTP_STAGE_RCPT, 354},
        {235, SMTP_STAGE_RCPT, 250},     {251, SMTP_STAGE_EOM, 250},
        {599, SMTP_STAGE_RCPT, 599},     {550, SMTP_STAGE_UNKNOWN, 550},
        {421, SMTP_STAGE_EOM, 421},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(catalog_code_for_stage(cases[i].code, cases[i].stage), cases[i].best);
}

/* Whatever comes in: the same class, no longer wrong, and settled after one step. */
static void
code_for_stage_settles(void **state)
{
    (void)state;
    for (guint code = 400; code < 600; code++) {
        for (guint stage = SMTP_STAGE_UNKNOWN; stage < SMTP_STAGE_COUNT; stage++) {
            guint best = catalog_code_for_stage(code, (SmtpStage)stage);
            assert_int_equal(best / 100, code / 100);
            assert_int_not_equal(catalog_code_at_stage(best, (SmtpStage)stage),
                                 CATALOG_STAGE_WRONG);
            assert_int_equal(catalog_code_for_stage(best, (SmtpStage)stage), best);
            assert_true(best == code || (best != 421 && best != 521));
        }
    }
}

/* ---- default statuses ---- */

static void
default_statuses_for(void **state)
{
    static const struct {
        guint code;
        SmtpStage stage;
        const char *status; /* "" for none */
    } cases[] = {
        {250, SMTP_STAGE_MAIL, "2.1.0"},
        {250, SMTP_STAGE_RCPT, "2.1.5"},
        {250, SMTP_STAGE_EOM, "2.0.0"},
        {250, SMTP_STAGE_HELO, ""},
        {220, SMTP_STAGE_CONNECT, ""},
        {220, SMTP_STAGE_STARTTLS, "2.0.0"},
        {354, SMTP_STAGE_DATA, ""},
        {334, SMTP_STAGE_AUTH, ""},
        {214, SMTP_STAGE_OTHER, ""},
        {421, SMTP_STAGE_RCPT, "4.3.2"},
        {450, SMTP_STAGE_RCPT, "4.2.0"},
        {450, SMTP_STAGE_EOM, "4.7.1"},
        {451, SMTP_STAGE_RCPT, "4.3.0"},
        {452, SMTP_STAGE_RCPT, "4.3.1"},
        {454, SMTP_STAGE_STARTTLS, "4.7.0"},
        {500, SMTP_STAGE_OTHER, "5.5.2"},
        {503, SMTP_STAGE_MAIL, "5.5.1"},
        {535, SMTP_STAGE_AUTH, "5.7.8"},
        {550, SMTP_STAGE_RCPT, "5.7.1"},
        {550, SMTP_STAGE_EOM, "5.7.1"},
        {552, SMTP_STAGE_RCPT, "5.2.2"},
        {552, SMTP_STAGE_MAIL, "5.3.4"},
        {553, SMTP_STAGE_MAIL, "5.1.7"},
        {553, SMTP_STAGE_RCPT, "5.1.3"},
        {554, SMTP_STAGE_CONNECT, "5.3.2"},
        {554, SMTP_STAGE_EOM, "5.7.1"},
        {554, SMTP_STAGE_DATA, "5.5.1"},
        {554, SMTP_STAGE_UNKNOWN, "5.7.1"},
        {556, SMTP_STAGE_RCPT, "5.1.10"},
        {599, SMTP_STAGE_RCPT, "5.0.0"},
        {509, SMTP_STAGE_RCPT, "5.5.0"},
        {499, SMTP_STAGE_EOM, "4.0.0"},
        {0, SMTP_STAGE_RCPT, ""},
    };
    (void)state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char text[ENHANCED_STATUS_TEXT_SIZE];
        EnhancedStatus status = catalog_default_status(cases[i].code, cases[i].stage);
        assert_string_equal(enhanced_status_format(status, text), cases[i].status);
    }
}

static void
default_statuses_fit_their_codes(void **state)
{
    (void)state;
    for (guint code = 100; code < 600; code++) {
        for (guint stage = SMTP_STAGE_UNKNOWN; stage < SMTP_STAGE_COUNT; stage++) {
            EnhancedStatus status = catalog_default_status(code, (SmtpStage)stage);
            gboolean generic = status.detail == 0 && (status.subject == 0 || status.subject == 5);
            assert_true(catalog_pair(code, status) == CATALOG_PAIR_GOOD ||
                        (generic && catalog_pair(code, status) == CATALOG_PAIR_UNUSUAL));
            assert_true(code < 400 || enhanced_status_is_set(status));
        }
    }
}

/* ---- the claims of lists on the web ---- */

static void
append_texts(GString *all, const char *const texts[], gsize count)
{
    for (gsize i = 0; i < count; i++)
        if (texts[i] != NULL)
            g_string_append_printf(all, "%s\n", texts[i]);
}

static void
append_readings(GString *all, const CatalogReading *readings, guint count)
{
    for (guint i = 0; i < count; i++)
        append_texts(
            all, (const char *const[]){readings[i].cause, readings[i].sender, readings[i].admin},
            3);
}

static void
append_reply_code(GString *all, GString *notes, guint code)
{
    const CatalogReplyCode *row = catalog_reply_code(code);
    assert_non_null(row);
    const char *const texts[] = {row->title,
                                 row->meaning,
                                 row->retry,
                                 row->source,
                                 row->note,
                                 catalog_first_digit(code),
                                 catalog_second_digit(code),
                                 catalog_third_digit(code)};
    append_texts(all, texts, G_N_ELEMENTS(texts));
    append_readings(all, row->readings, row->reading_count);
    append_texts(notes, &row->note, 1);
}

static void
append_status(GString *all, GString *notes, EnhancedStatus status)
{
    const CatalogStatus *row = catalog_status(status);
    assert_non_null(row);
    const char *const texts[] = {row->title,
                                 row->meaning,
                                 row->retry,
                                 row->source,
                                 row->note,
                                 catalog_status_class(status),
                                 catalog_status_subject(status),
                                 catalog_status_detail(status)};
    append_texts(all, texts, G_N_ELEMENTS(texts));
    append_readings(all, row->readings, row->reading_count);
    append_texts(notes, &row->note, 1);
}

/* What the catalogue says of "550", "550 5.1.1", "4xx", "x5x", "xxx", "5.x.x", "X.7.x". */
static void
collect(const char *code, GString *all, GString *notes)
{
    guint digit = 0;
    EnhancedStatus status;
    const char *blank = strchr(code, ' ');
    if (sscanf(code, "%1uxx", &digit) == 1 && g_str_has_suffix(code, "xx"))
        append_texts(all, (const char *const[]){catalog_first_digit(digit * 100)}, 1);
    else if (sscanf(code, "x%1ux", &digit) == 1)
        append_texts(all, (const char *const[]){catalog_second_digit(500 + digit * 10)}, 1);
    else if (g_str_has_prefix(code, "xx"))
        append_texts(all, (const char *const[]){catalog_third_digit(550), catalog_third_digit(559)},
                     2);
    else if (sscanf(code, "X.%1u.x", &digit) == 1)
        append_texts(
            all,
            (const char *const[]){catalog_status_subject((EnhancedStatus){5, (guint16)digit, 0})},
            1);
    else if (sscanf(code, "%1u.x.x", &digit) == 1 && code[1] == '.')
        append_texts(
            all, (const char *const[]){catalog_status_class((EnhancedStatus){(guint8)digit, 0, 0})},
            1);
    else
        append_reply_code(all, notes, (guint)atoi(code));
    if (blank != NULL) {
        assert_true(enhanced_status_parse(blank + 1, &status));
        append_status(all, notes, status);
    }
}

/* Fields of a row of seed-claims.tsv. */
enum {
    CLAIM_LIST,
    CLAIM_CODE,
    CLAIM_TEXT,
    CLAIM_VERDICT,
    CLAIM_PHRASE,
    CLAIM_REASON,
    CLAIM_FIELDS
};

static guint
faults_of_claim(char **fields)
{
    g_autoptr(GString) all = g_string_new(NULL), notes = g_string_new(NULL);
    gboolean differs = strcmp(fields[CLAIM_VERDICT], "differ") == 0;
    gboolean agrees = strcmp(fields[CLAIM_VERDICT], "agree") == 0;
    assert_true(differs || agrees || strcmp(fields[CLAIM_VERDICT], "partly") == 0);
    assert_true(strlen(fields[CLAIM_TEXT]) > 0 && strlen(fields[CLAIM_PHRASE]) >= 7);
    collect(fields[CLAIM_CODE], all, notes);
    gboolean answered = strstr(differs ? notes->str : all->str, fields[CLAIM_PHRASE]) != NULL;
    if (answered && agrees == (*fields[CLAIM_REASON] == '\0'))
        return 0;
    print_error("%s: \"%s\" is not answered by \"%s\"\n", fields[CLAIM_CODE], fields[CLAIM_TEXT],
                fields[CLAIM_PHRASE]);
    return 1;
}

static void
claims_are_answered(void **state)
{
    g_autofree char *text = NULL;
    guint lists = 0, rows = 0, faults = 0;
    (void)state;
    assert_true(
        g_file_get_contents(TEST_SOURCE_DIR "/tests/data/seed-claims.tsv", &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (**line == '#' || **line == '\0')
            continue;
        g_auto(GStrv) fields = g_strsplit(*line, "\t", -1);
        assert_int_equal(g_strv_length(fields), CLAIM_FIELDS);
        lists |= 1U << atoi(fields[CLAIM_LIST]);
        faults += faults_of_claim(fields);
        rows++;
    }
    assert_int_equal(faults, 0);
    assert_int_equal(lists, 0x1f);
    assert_true(rows > 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_codes_are_whole),
        cmocka_unit_test(statuses_are_whole),
        cmocka_unit_test(statuses_by_number),
        cmocka_unit_test(codes_have_several_readings),
        cmocka_unit_test(digits),
        cmocka_unit_test(parts_of_a_status),
        cmocka_unit_test(registered_pairs_are_good),
        cmocka_unit_test(pairs),
        cmocka_unit_test(places_of_a_status),
        cmocka_unit_test(codes_at_stages),
        cmocka_unit_test(codes_for_stages),
        cmocka_unit_test(code_for_stage_settles),
        cmocka_unit_test(default_statuses_for),
        cmocka_unit_test(default_statuses_fit_their_codes),
        cmocka_unit_test(claims_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
