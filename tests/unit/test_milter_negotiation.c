/*
 * wire/milter_negotiation: what an MTA offers, what a filter answers, and what then holds.
 */
#include <string.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "test_support.h"

#include "base/error.h"
#include "milter_samples.h"
#include "wire/milter_negotiation.h"

/* What libmilter sends for a filter that adds headers and asks for macros twice. */
static const char answered[] = "\0\0\0\x36"
                               "O\0\0\0\6\0\0\0\x11\0\x10\4\2"
                               "\0\0\0\2i {auth_type}\0"
                               "\0\0\0\5{tls_version}\0"
                               "\0\0\0\6";

static gboolean
parse(const char *data, gsize length, MilterNegotiation *negotiation, GError **error)
{
    g_autofree char *copy = NULL;
    MilterPacket packet = sample_packet('O', data, length, &copy);
    return milter_negotiation_parse(&packet, negotiation, error);
}

static void
offers_what_the_version_has(void **state)
{
    static const struct {
        const char *octets;
        gsize length;
    } cases[] = {
        [2] = {OCTETS("\0\0\0\xdO\0\0\0\2\0\0\0\x3f\0\0\0\x7f")},
        [3] = {OCTETS("\0\0\0\xdO\0\0\0\3\0\0\0\x3f\0\0\1\x7f")},
        [4] = {OCTETS("\0\0\0\xdO\0\0\0\4\0\0\0\x3f\0\0\3\x7f")},
        [5] = {OCTETS("\0\0\0\xdO\0\0\0\5\0\0\0\x3f\0\0\3\x7f")},
        [6] = {OCTETS("\0\0\0\xdO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff")},
    };
    (void)state;
    for (guint32 version = MILTER_VERSION_MIN; version <= MILTER_VERSION_MAX; version++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_auto(MilterNegotiation) offer = milter_negotiation_offer(version);
        assert_int_equal(milter_negotiation_append(out, &offer), 12);
        assert_int_equal(out->len, cases[version].length);
        assert_memory_equal(out->str, cases[version].octets, out->len);
    }
}

static void
reads_and_writes_lists_of_macros(void **state)
{
    g_auto(MilterNegotiation) negotiation;
    g_autoptr(GString) out = g_string_new(NULL);
    MilterPacket packet;
    (void)state;
    assert_int_equal(
        milter_packet_decode(answered, sizeof answered, MILTER_DATA_MAX, &packet, NULL),
        MILTER_PACKET_WHOLE);
    assert_true(milter_negotiation_parse(&packet, &negotiation, NULL));
    assert_int_equal(negotiation.version, 6);
    assert_int_equal(negotiation.actions, MILTER_ACTION_ADDHDRS | MILTER_ACTION_CHGHDRS);
    assert_int_equal(negotiation.steps,
                     MILTER_STEP_HDR_LEADSPC | MILTER_STEP_SKIP | MILTER_STEP_NOHELO);
    assert_null(negotiation.macros[MILTER_STAGE_CONNECT]);
    assert_string_equal(negotiation.macros[MILTER_STAGE_ENVFROM], "i {auth_type}");
    assert_string_equal(negotiation.macros[MILTER_STAGE_EOM], "{tls_version}");
    assert_string_equal(negotiation.macros[MILTER_STAGE_EOH], "");
    milter_negotiation_append(out, &negotiation);
    assert_int_equal(out->len, sizeof answered);
    assert_memory_equal(out->str, answered, out->len);
}

/* Behind each list a shorter answer is whole, too; everywhere else it is refused. */
static void
refuses_each_cut_short(void **state)
{
    (void)state;
    for (gsize length = 0; length < sizeof answered - MILTER_PACKET_HEAD; length++) {
        g_auto(MilterNegotiation) negotiation;
        g_autoptr(GError) error = NULL;
        gboolean whole = length == 12 || length == 30 || length == 48;
        assert_int_equal(parse(answered + MILTER_PACKET_HEAD, length, &negotiation, &error), whole);
        assert_int_equal(g_error_matches(error, REPLYMILTER_ERROR, REPLYMILTER_ERROR_PROTOCOL),
                         !whole);
        if (error != NULL)
            assert_non_null(strstr(error->message, "SMFIC_OPTNEG with no "));
    }
}

static void
refuses_other_packets(void **state)
{
    g_auto(MilterNegotiation) negotiation;
    g_autoptr(GError) error = NULL;
    MilterPacket packet = {'c', "", 0, 5};
    (void)state;
    assert_false(milter_negotiation_parse(&packet, &negotiation, &error));
    assert_non_null(strstr(error->message, "SMFIR_CONTINUE where SMFIC_OPTNEG is due"));
}

static void
takes_the_last_list_and_no_unknown_stage(void **state)
{
    g_auto(MilterNegotiation) negotiation;
    (void)state;
    assert_true(parse(OCTETS("\0\0\0\6\0\0\0\0\0\0\0\0"
                             "\0\0\0\1i\0"
                             "\0\0\0\7j\0"
                             "\xff\xff\xff\xffk\0"
                             "\0\0\0\1l\0"),
                      &negotiation, NULL));
    for (guint i = 0; i < MILTER_STAGES; i++)
        if (i == MILTER_STAGE_HELO)
            assert_string_equal(negotiation.macros[i], "l");
        else
            assert_null(negotiation.macros[i]);
}

static void
settles(void **state)
{
    static const struct {
        guint32 offered, sizes, version, actions, steps;
        guint32 settled;
        const char *said; /* NULL: it holds */
    } cases[] = {
        {6, 0, 6, 0x1ff, 0x1fffff, 0x1fffff, NULL},
        {6, 0, 6, 0, 0, 0, NULL},
        {6, 0, 4, 0, 0, 0, NULL},
        {6, 0, 3, 0, 0, MILTER_STEP_NODATA, NULL},
        {6, 0, 2, 0x3f, 0x7f, 0x37f, NULL},
        {2, 0, 2, 0, MILTER_STEP_NR_HDR, 0x300 | MILTER_STEP_NR_HDR, NULL},
        {6, 0, 6, 0, 0xffe00000, 0, NULL},
        {6, 0, 6, 0, MILTER_STEP_MDS_1M, 0, NULL},
        {6, MILTER_STEP_MDS_1M, 6, 0, MILTER_STEP_MDS_1M, MILTER_STEP_MDS_1M, NULL},
        {6, MILTER_STEP_MDS_1M, 6, 0, MILTER_STEP_MDS_256K, 0, NULL},
        {6, 0, 1, 0, 0, 0, "the filter's version is 1, not between 2 and 6"},
        {6, 0, 0, 0, 0, 0, "the filter's version is 0"},
        {6, 0, 7, 0, 0, 0, "the filter's version is 7"},
        {4, 0, 6, 0, 0, 0, "the filter's version is 6, not between 2 and 4"},
        {6, 0, 6, 0x201, 0, 0, "not offered: 0x200"},
        {2, 0, 2, MILTER_ACTION_CHGFROM, 0, 0, "not offered: 0x40"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(MilterNegotiation) offer = milter_negotiation_offer(cases[i].offered);
        g_auto(MilterNegotiation) answer = {
            .version = cases[i].version, .actions = cases[i].actions, .steps = cases[i].steps};
        g_autoptr(GError) error = NULL;
        offer.steps |= cases[i].sizes;
        assert_int_equal(milter_negotiation_settle(&offer, &answer, &error), cases[i].said == NULL);
        if (cases[i].said != NULL)
            assert_non_null(strstr(error->message, cases[i].said));
        else
            assert_int_equal(answer.steps, cases[i].settled);
    }
}

static void
knows_the_most_data(void **state)
{
    (void)state;
    assert_int_equal(milter_steps_data_max(0), 65535);
    assert_int_equal(milter_steps_data_max(MILTER_STEPS_V6), 65535);
    assert_int_equal(milter_steps_data_max(MILTER_STEP_MDS_256K), 262143);
    assert_int_equal(milter_steps_data_max(MILTER_STEPS_MDS), 1048575);
}

static void
knows_the_steps_of_each_command(void **state)
{
    static const struct {
        MilterCommandCode code;
        guint32 unwanted, unanswered;
        MilterStage stage;
        gboolean answered;
    } cases[] = {
        {MILTER_COMMAND_CONNECT, 0x1, 0x1000, MILTER_STAGE_CONNECT, TRUE},
        {MILTER_COMMAND_HELO, 0x2, 0x2000, MILTER_STAGE_HELO, TRUE},
        {MILTER_COMMAND_MAIL, 0x4, 0x4000, MILTER_STAGE_ENVFROM, TRUE},
        {MILTER_COMMAND_RCPT, 0x8, 0x8000, MILTER_STAGE_ENVRCPT, TRUE},
        {MILTER_COMMAND_BODY, 0x10, 0x80000, MILTER_STAGE_NONE, TRUE},
        {MILTER_COMMAND_HEADER, 0x20, 0x80, MILTER_STAGE_NONE, TRUE},
        {MILTER_COMMAND_EOH, 0x40, 0x40000, MILTER_STAGE_EOH, TRUE},
        {MILTER_COMMAND_UNKNOWN, 0x100, 0x20000, MILTER_STAGE_NONE, TRUE},
        {MILTER_COMMAND_DATA, 0x200, 0x10000, MILTER_STAGE_DATA, TRUE},
        {MILTER_COMMAND_BODYEOB, 0, 0, MILTER_STAGE_EOM, TRUE},
        {MILTER_COMMAND_OPTNEG, 0, 0, MILTER_STAGE_NONE, TRUE},
        {MILTER_COMMAND_MACRO, 0, 0, MILTER_STAGE_NONE, FALSE},
        {MILTER_COMMAND_ABORT, 0, 0, MILTER_STAGE_NONE, FALSE},
        {MILTER_COMMAND_QUIT, 0, 0, MILTER_STAGE_NONE, FALSE},
        {MILTER_COMMAND_QUIT_NC, 0, 0, MILTER_STAGE_NONE, FALSE},
    };
    guint32 no = 0, nr = 0;
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MilterCommandCode code = cases[i].code;
        assert_int_equal(milter_step_unwanted(code), cases[i].unwanted);
        assert_int_equal(milter_step_unanswered(code), cases[i].unanswered);
        assert_int_equal(milter_command_stage(code), cases[i].stage);
        assert_int_equal(milter_steps_answered(0, code), cases[i].answered);
        assert_int_equal(milter_steps_answered(MILTER_STEPS_V6, code),
                         cases[i].answered && cases[i].unanswered == 0);
        no |= cases[i].unwanted;
        nr |= cases[i].unanswered;
    }
    assert_int_equal(no, MILTER_STEPS_NO);
    assert_int_equal(nr, MILTER_STEPS_NR);
}

/* The flags and stages are those of Sendmail's headers. */
static void
agrees_with_mfdef(void **state)
{
    (void)state;
    assert_int_equal(MILTER_ACTION_ADDHDRS, SMFIF_ADDHDRS);
    assert_int_equal(MILTER_ACTION_CHGBODY, SMFIF_CHGBODY);
    assert_int_equal(MILTER_ACTION_ADDRCPT, SMFIF_ADDRCPT);
    assert_int_equal(MILTER_ACTION_DELRCPT, SMFIF_DELRCPT);
    assert_int_equal(MILTER_ACTION_CHGHDRS, SMFIF_CHGHDRS);
    assert_int_equal(MILTER_ACTION_QUARANTINE, SMFIF_QUARANTINE);
    assert_int_equal(MILTER_ACTION_CHGFROM, SMFIF_CHGFROM);
    assert_int_equal(MILTER_ACTION_ADDRCPT_PAR, SMFIF_ADDRCPT_PAR);
    assert_int_equal(MILTER_ACTION_SETSYMLIST, SMFIF_SETSYMLIST);
    assert_int_equal(MILTER_STEP_NOCONNECT, SMFIP_NOCONNECT);
    assert_int_equal(MILTER_STEP_NOHELO, SMFIP_NOHELO);
    assert_int_equal(MILTER_STEP_NOMAIL, SMFIP_NOMAIL);
    assert_int_equal(MILTER_STEP_NORCPT, SMFIP_NORCPT);
    assert_int_equal(MILTER_STEP_NOBODY, SMFIP_NOBODY);
    assert_int_equal(MILTER_STEP_NOHDRS, SMFIP_NOHDRS);
    assert_int_equal(MILTER_STEP_NOEOH, SMFIP_NOEOH);
    assert_int_equal(MILTER_STEP_NR_HDR, SMFIP_NR_HDR);
    assert_int_equal(MILTER_STEP_NOUNKNOWN, SMFIP_NOUNKNOWN);
    assert_int_equal(MILTER_STEP_NODATA, SMFIP_NODATA);
    assert_int_equal(MILTER_STEP_SKIP, SMFIP_SKIP);
    assert_int_equal(MILTER_STEP_RCPT_REJ, SMFIP_RCPT_REJ);
    assert_int_equal(MILTER_STEP_NR_CONN, SMFIP_NR_CONN);
    assert_int_equal(MILTER_STEP_NR_HELO, SMFIP_NR_HELO);
    assert_int_equal(MILTER_STEP_NR_MAIL, SMFIP_NR_MAIL);
    assert_int_equal(MILTER_STEP_NR_RCPT, SMFIP_NR_RCPT);
    assert_int_equal(MILTER_STEP_NR_DATA, SMFIP_NR_DATA);
    assert_int_equal(MILTER_STEP_NR_UNKN, SMFIP_NR_UNKN);
    assert_int_equal(MILTER_STEP_NR_EOH, SMFIP_NR_EOH);
    assert_int_equal(MILTER_STEP_NR_BODY, SMFIP_NR_BODY);
    assert_int_equal(MILTER_STEP_HDR_LEADSPC, SMFIP_HDR_LEADSPC);
    assert_int_equal(MILTER_STEP_MDS_256K, SMFIP_MDS_256K);
    assert_int_equal(MILTER_STEP_MDS_1M, SMFIP_MDS_1M);
    assert_int_equal(MILTER_STAGE_CONNECT, SMFIM_CONNECT);
    assert_int_equal(MILTER_STAGE_HELO, SMFIM_HELO);
    assert_int_equal(MILTER_STAGE_ENVFROM, SMFIM_ENVFROM);
    assert_int_equal(MILTER_STAGE_ENVRCPT, SMFIM_ENVRCPT);
    assert_int_equal(MILTER_STAGE_DATA, SMFIM_DATA);
    assert_int_equal(MILTER_STAGE_EOM, SMFIM_EOM);
    assert_int_equal(MILTER_STAGE_EOH, SMFIM_EOH);
    assert_int_equal(MILTER_STAGES, SMFIM_LAST + 1);
    assert_int_equal(MILTER_ACTIONS_V2, SMFI_V2_ACTS);
    assert_int_equal(MILTER_ACTIONS_V6, SMFI_CURR_ACTS);
    assert_int_equal(MILTER_STEPS_V2, SMFI_V2_PROT);
    assert_int_equal(MILTER_STEPS_V6, SMFI_CURR_PROT);
    assert_int_equal(MILTER_VERSION_MAX, SMFI_PROT_VERSION);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_what_the_version_has),
        cmocka_unit_test(reads_and_writes_lists_of_macros),
        cmocka_unit_test(refuses_each_cut_short),
        cmocka_unit_test(refuses_other_packets),
        cmocka_unit_test(takes_the_last_list_and_no_unknown_stage),
        cmocka_unit_test(settles),
        cmocka_unit_test(knows_the_most_data),
        cmocka_unit_test(knows_the_steps_of_each_command),
        cmocka_unit_test(agrees_with_mfdef),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
