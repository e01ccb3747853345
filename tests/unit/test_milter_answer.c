/*
 * wire/milter_answer: each answer in exact octets, written and read; what is none is refused.
 */
#include <string.h>

#include "milter_cases.h"
#include "wire/milter_answer.h"
#include "wire/milter_negotiation.h"

typedef struct {
    const char *wire;
    gsize length; /* of wire */
    MilterAnswer answer;
    MilterAnswerKind kind;
    guint32 action;
    guint shorter;   /* how many of its data's prefixes are answers, too */
    gboolean longer; /* may an octet follow? */
} AnswerCase;

static const AnswerCase cases[] = {
    {OCTETS("\0\0\0\1c"), {.code = MILTER_ANSWER_CONTINUE}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1a"), {.code = MILTER_ANSWER_ACCEPT}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1r"), {.code = MILTER_ANSWER_REJECT}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1t"), {.code = MILTER_ANSWER_TEMPFAIL}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1d"), {.code = MILTER_ANSWER_DISCARD}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1s"), {.code = MILTER_ANSWER_SKIP}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1"
            "4"),
     {.code = MILTER_ANSWER_SHUTDOWN},
     MILTER_ANSWER_IS_VERDICT,
     0,
     0,
     FALSE},
    {OCTETS("\0\0\0\1f"), {.code = MILTER_ANSWER_CONN_FAIL}, MILTER_ANSWER_IS_VERDICT, 0, 0, FALSE},
    {OCTETS("\0\0\0\1p"), {.code = MILTER_ANSWER_PROGRESS}, MILTER_ANSWER_IS_PROGRESS, 0, 0, FALSE},
    {OCTETS("\0\0\0\x17y550 5.7.1 No%% thanks\0"),
     {.code = MILTER_ANSWER_REPLYCODE, .octets = "550 5.7.1 No%% thanks", .length = 21},
     MILTER_ANSWER_IS_VERDICT,
     0,
     22,
     TRUE},
    {OCTETS("\0\0\0\6y550\0\0"),
     {.code = MILTER_ANSWER_REPLYCODE, .octets = "550\0", .length = 4},
     MILTER_ANSWER_IS_VERDICT,
     0,
     5,
     TRUE},
    {OCTETS("\0\0\0\2y\0"),
     {.code = MILTER_ANSWER_REPLYCODE, .octets = ""},
     MILTER_ANSWER_IS_VERDICT,
     0,
     1,
     TRUE},
    {OCTETS("\0\0\0\6qheld\0"),
     {.code = MILTER_ANSWER_QUARANTINE, .octets = "held", .length = 4},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_QUARANTINE,
     5,
     TRUE},
    {OCTETS("\0\0\0\x8"
            "bnew\r\n\0x"),
     {.code = MILTER_ANSWER_REPLBODY, .octets = "new\r\n\0x", .length = 7},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGBODY,
     7,
     TRUE},
    {OCTETS("\0\0\0\1b"),
     {.code = MILTER_ANSWER_REPLBODY, .octets = ""},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGBODY,
     0,
     TRUE},
    {OCTETS("\0\0\0\x11+<c@example.org>\0"),
     {.code = MILTER_ANSWER_ADDRCPT, .address = "<c@example.org>"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_ADDRCPT,
     0,
     FALSE},
    {OCTETS("\0\0\0\x11-<c@example.org>\0"),
     {.code = MILTER_ANSWER_DELRCPT, .address = "<c@example.org>"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_DELRCPT,
     0,
     FALSE},
    {OCTETS("\0\0\0\x1e"
            "2<c@example.org>\0NOTIFY=NEVER\0"),
     {.code = MILTER_ANSWER_ADDRCPT_PAR, .address = "<c@example.org>", .arguments = "NOTIFY=NEVER"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_ADDRCPT_PAR,
     1,
     FALSE},
    {OCTETS("\0\0\0\x11"
            "2<c@example.org>\0"),
     {.code = MILTER_ANSWER_ADDRCPT_PAR, .address = "<c@example.org>"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_ADDRCPT_PAR,
     0,
     FALSE},
    {OCTETS("\0\0\0\x1a"
            "e<d@example.org>\0RET=HDRS\0"),
     {.code = MILTER_ANSWER_CHGFROM, .address = "<d@example.org>", .arguments = "RET=HDRS"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGFROM,
     1,
     FALSE},
    {OCTETS("\0\0\0\4e<>\0"),
     {.code = MILTER_ANSWER_CHGFROM, .address = "<>"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGFROM,
     0,
     FALSE},
    {OCTETS("\0\0\0\5e<>\0\0"),
     {.code = MILTER_ANSWER_CHGFROM, .address = "<>", .arguments = ""},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGFROM,
     1,
     FALSE},
    {OCTETS("\0\0\0\xd"
            "hX-Spam\0 yes\0"),
     {.code = MILTER_ANSWER_ADDHEADER, .name = "X-Spam", .value = " yes"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_ADDHDRS,
     0,
     FALSE},
    {OCTETS("\0\0\0\x10i\0\0\0\1X-Spam\0yes\0"),
     {.code = MILTER_ANSWER_INSHEADER, .index = 1, .name = "X-Spam", .value = "yes"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_ADDHDRS,
     0,
     FALSE},
    {OCTETS("\0\0\0\xem\0\0\1\2Subject\0\0"),
     {.code = MILTER_ANSWER_CHGHEADER, .index = 258, .name = "Subject", .value = ""},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGHDRS,
     0,
     FALSE},
    {OCTETS("\0\0\0\xam\xff\xff\xff\xff"
            "a\0b\xfc\0"),
     {.code = MILTER_ANSWER_CHGHEADER, .index = G_MAXUINT32, .name = "a", .value = "b\xfc"},
     MILTER_ANSWER_IS_CHANGE,
     MILTER_ACTION_CHGHDRS,
     0,
     FALSE},
    {OCTETS("\0\0\0\x13l\0\0\0\5i {auth_type}\0"),
     {.code = MILTER_ANSWER_SETSYMLIST, .index = MILTER_STAGE_EOM, .value = "i {auth_type}"},
     MILTER_ANSWER_IS_SETTING,
     MILTER_ACTION_SETSYMLIST,
     0,
     FALSE},
};

static void
assert_same(const MilterAnswer *got, const MilterAnswer *wanted)
{
    assert_int_equal(got->code, wanted->code);
    assert_int_equal(got->index, wanted->index);
    assert_same_string(got->address, wanted->address);
    assert_same_string(got->arguments, wanted->arguments);
    assert_same_string(got->name, wanted->name);
    assert_same_string(got->value, wanted->value);
    assert_int_equal(got->octets != NULL, wanted->octets != NULL);
    assert_int_equal(got->length, wanted->length);
    if (wanted->length > 0)
        assert_memory_equal(got->octets, wanted->octets, wanted->length);
}

static void
writes_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        assert_int_equal(milter_answer_append(out, &cases[i].answer),
                         cases[i].length - MILTER_PACKET_HEAD);
        assert_int_equal(out->len, cases[i].length);
        assert_memory_equal(out->str, cases[i].wire, out->len);
    }
}

static void
reads_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *copy = g_memdup2(cases[i].wire, cases[i].length);
        MilterPacket packet;
        MilterAnswer answer;
        GError *error = NULL;
        assert_int_equal(
            milter_packet_decode(copy, cases[i].length, MILTER_ANSWER_MAX, &packet, &error),
            MILTER_PACKET_WHOLE);
        assert_true(milter_answer_parse(&packet, &answer, &error));
        assert_same(&answer, &cases[i].answer);
        assert_int_equal(milter_answer_kind(answer.code), cases[i].kind);
        assert_int_equal(milter_answer_action(answer.code), cases[i].action);
    }
}

/* What is taken is taken whole: written once more, it is the same, but for the NUL that a text
 * gets. */
static gboolean
parses(const MilterPacket *packet, GError **error)
{
    g_autoptr(GString) again = g_string_new(NULL);
    MilterAnswer answer;

    if (!milter_answer_parse(packet, &answer, error))
        return FALSE;
    gsize written = milter_answer_append(again, &answer);
    assert_true(written == packet->length ||
                (strchr("yq", packet->code) != NULL && written == packet->length + 1 &&
                 again->str[again->len - 1] == '\0'));
    assert_memory_equal(again->str + MILTER_PACKET_HEAD, packet->data, packet->length);
    return TRUE;
}

static void
refuses_each_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(taken_shorter(parses, cases[i].wire, cases[i].length), cases[i].shorter);
}

static void
refuses_octets_behind_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(taken_longer(parses, cases[i].wire, cases[i].length), cases[i].longer);
}

static void
says_what_is_wrong(void **state)
{
    static const MilterFault wrong[] = {
        {'M', OCTETS("<>\0"), "SMFIC_MAIL where an answer is due"},
        {'O', OCTETS("\0\0\0\6"), "SMFIC_OPTNEG where an answer is due"},
        {'?', OCTETS(""), "packet 0x3f where an answer is due"},
        {'\0', OCTETS(""), "packet 0x00 where an answer is due"},
        {'c', OCTETS("\0"), "SMFIR_CONTINUE with 1 octets behind its data"},
        {'+', OCTETS(""), "SMFIR_ADDRCPT with no NUL behind its address"},
        {'+', OCTETS("\0"), "SMFIR_ADDRCPT with an empty address"},
        {'+', OCTETS("a\0NOTIFY=NEVER\0"), "SMFIR_ADDRCPT with 13 octets behind its data"},
        {'-', OCTETS("a"), "SMFIR_DELRCPT with no NUL behind its address"},
        {'2', OCTETS("a\0b\0c\0"), "SMFIR_ADDRCPT_PAR with 2 octets behind its data"},
        {'2', OCTETS("a\0b"), "SMFIR_ADDRCPT_PAR with no NUL behind its arguments"},
        {'e', OCTETS("\0RET=HDRS\0"), "SMFIR_CHGFROM with an empty address"},
        {'h', OCTETS("\0yes\0"), "SMFIR_ADDHEADER with an empty name"},
        {'h', OCTETS("a\0b"), "SMFIR_ADDHEADER with no NUL behind its value"},
        {'i', OCTETS("\0\0\1"), "SMFIR_INSHEADER with no index"},
        {'m', OCTETS("\0\0\0\1\0\0"), "SMFIR_CHGHEADER with an empty name"},
        {'m', OCTETS("\0\0\0\1a\0b\0\0"), "SMFIR_CHGHEADER with 1 octets behind its data"},
        {'l', OCTETS("\0\0\0\1i"), "SMFIR_SETSYMLIST with no NUL behind its macros"},
    };
    (void)state;
    assert_refused(parses, wrong, G_N_ELEMENTS(wrong));
}

/* Each code that is named SMFIR_* has a kind, and no other one. */
static void
knows_the_kind_of_each(void **state)
{
    (void)state;
    for (int code = 0; code < 256; code++) {
        const char *name = milter_code_name((char)code);
        gboolean answers = name != NULL && g_str_has_prefix(name, "SMFIR_");
        MilterAnswerKind kind = milter_answer_kind((MilterAnswerCode)code);
        assert_int_equal(kind != MILTER_ANSWER_IS_UNKNOWN, answers);
        if (kind == MILTER_ANSWER_IS_CHANGE)
            assert_int_not_equal(milter_answer_action((MilterAnswerCode)code), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_each),
        cmocka_unit_test(reads_each),
        cmocka_unit_test(refuses_each_cut_short),
        cmocka_unit_test(refuses_octets_behind_each),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(knows_the_kind_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
