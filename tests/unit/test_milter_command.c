/*
 * wire/milter_command: each command in exact octets, written and read; what is none is refused.
 */
#include <string.h>

#include "milter_cases.h"
#include "wire/milter_command.h"

typedef struct {
    const char *wire;
    gsize length; /* of wire */
    MilterCommand command;
    const char *strings[6];
    guint shorter; /* how many of its data's prefixes are commands, too */
} CommandCase;

static const CommandCase cases[] = {
    {OCTETS("\0\0\0\1A"), {.code = MILTER_COMMAND_ABORT}, {NULL}, 0},
    {OCTETS("\0\0\0\1T"), {.code = MILTER_COMMAND_DATA}, {NULL}, 0},
    {OCTETS("\0\0\0\1N"), {.code = MILTER_COMMAND_EOH}, {NULL}, 0},
    {OCTETS("\0\0\0\1Q"), {.code = MILTER_COMMAND_QUIT}, {NULL}, 0},
    {OCTETS("\0\0\0\1K"), {.code = MILTER_COMMAND_QUIT_NC}, {NULL}, 0},
    {OCTETS("\0\0\0\x1f"
            "Cmail.example.org\0"
            "4\xcd\x2f"
            "192.0.2.1\0"),
     {.code = MILTER_COMMAND_CONNECT,
      .text = "mail.example.org",
      .family = MILTER_FAMILY_INET,
      .port = 52527,
      .address = "192.0.2.1"},
     {NULL},
     0},
    {OCTETS("\0\0\0\x28"
            "C[IPv6:2001:db8::1]\0"
            "6\0\x19"
            "IPv6:2001:db8::1\0"),
     {.code = MILTER_COMMAND_CONNECT,
      .text = "[IPv6:2001:db8::1]",
      .family = MILTER_FAMILY_INET6,
      .port = 25,
      .address = "IPv6:2001:db8::1"},
     {NULL},
     0},
    {OCTETS("\0\0\0\x15"
            "Clocalhost\0L\0\0/run/x\0"),
     {.code = MILTER_COMMAND_CONNECT,
      .text = "localhost",
      .family = MILTER_FAMILY_UNIX,
      .address = "/run/x"},
     {NULL},
     0},
    {OCTETS("\0\0\0\x0a"
            "Cunknown\0U"),
     {.code = MILTER_COMMAND_CONNECT, .text = "unknown", .family = MILTER_FAMILY_UNKNOWN},
     {NULL},
     0},
    {OCTETS("\0\0\0\x10Hmx.example.org\0"),
     {.code = MILTER_COMMAND_HELO, .text = "mx.example.org"},
     {NULL},
     0},
    {OCTETS("\0\0\0\x28M<a@example.org>\0SIZE=100\0BODY=8BITMIME\0"),
     {.code = MILTER_COMMAND_MAIL},
     {"<a@example.org>", "SIZE=100", "BODY=8BITMIME"},
     2},
    {OCTETS("\0\0\0\4M<>\0"), {.code = MILTER_COMMAND_MAIL}, {"<>"}, 0},
    {OCTETS("\0\0\0\x1eR<b@example.org>\0NOTIFY=NEVER\0"),
     {.code = MILTER_COMMAND_RCPT},
     {"<b@example.org>", "NOTIFY=NEVER"},
     1},
    {OCTETS("\0\0\0\x18"
            "DMi\0"
            "4c1xyz\0{auth_type}\0\0"),
     {.code = MILTER_COMMAND_MACRO, .stage = MILTER_COMMAND_MAIL},
     {"i", "4c1xyz", "{auth_type}", ""},
     2},
    {OCTETS("\0\0\0\2DE"),
     {.code = MILTER_COMMAND_MACRO, .stage = MILTER_COMMAND_BODYEOB},
     {NULL},
     0},
    {OCTETS("\0\0\0\x17LSubject\0 two\n\tlines \xfc\0"),
     {.code = MILTER_COMMAND_HEADER, .name = "Subject", .value = " two\n\tlines \xfc"},
     {NULL},
     0},
    {OCTETS("\0\0\0\x0aLX-Empty\0\0"),
     {.code = MILTER_COMMAND_HEADER, .name = "X-Empty", .value = ""},
     {NULL},
     0},
    {OCTETS("\0\0\0\6Ba\r\n\0b"),
     {.code = MILTER_COMMAND_BODY, .octets = "a\r\n\0b", .length = 5},
     {NULL},
     4},
    {OCTETS("\0\0\0\1E"), {.code = MILTER_COMMAND_BODYEOB, .octets = ""}, {NULL}, 0},
    {OCTETS("\0\0\0\7Elast\r\n"),
     {.code = MILTER_COMMAND_BODYEOB, .octets = "last\r\n", .length = 6},
     {NULL},
     6},
    {OCTETS("\0\0\0\x0bUXYZZY now\0"),
     {.code = MILTER_COMMAND_UNKNOWN, .text = "XYZZY now"},
     {NULL},
     0},
};

/* The strings of a case as its packet holds them. */
static MilterStrings
packed(const char *const *strings, GString *store)
{
    guint count = 0;
    for (; strings[count] != NULL; count++)
        g_string_append_len(store, strings[count], (gssize)strlen(strings[count]) + 1);
    return (MilterStrings){store->str, count};
}

static void
assert_same(const MilterCommand *got, const CommandCase *wanted)
{
    MilterStrings left = got->strings;
    assert_int_equal(got->code, wanted->command.code);
    assert_int_equal(got->stage, wanted->command.stage);
    assert_int_equal(got->family, wanted->command.family);
    assert_int_equal(got->port, wanted->command.port);
    assert_same_string(got->text, wanted->command.text);
    assert_same_string(got->address, wanted->command.address);
    assert_same_string(got->name, wanted->command.name);
    assert_same_string(got->value, wanted->command.value);
    assert_int_equal(got->length, wanted->command.length);
    if (wanted->command.length > 0)
        assert_memory_equal(got->octets, wanted->command.octets, got->length);
    for (guint i = 0; wanted->strings[i] != NULL; i++)
        assert_same_string(milter_strings_take(&left), wanted->strings[i]);
    assert_null(milter_strings_take(&left));
}

static void
writes_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(GString) store = g_string_new(NULL);
        MilterCommand command = cases[i].command;
        command.strings = packed(cases[i].strings, store);
        sample_append_command(out, &command);
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
        MilterCommand command;
        GError *error = NULL;
        assert_int_equal(
            milter_packet_decode(copy, cases[i].length, MILTER_DATA_MAX, &packet, &error),
            MILTER_PACKET_WHOLE);
        assert_true(milter_command_parse(&packet, &command, &error));
        assert_same(&command, &cases[i]);
    }
}

/* What is taken is taken whole: written once more, it is the same. */
static gboolean
parses(const MilterPacket *packet, GError **error)
{
    g_autoptr(GString) again = g_string_new(NULL);
    MilterCommand command;

    if (!milter_command_parse(packet, &command, error))
        return FALSE;
    sample_append_command(again, &command);
    assert_int_equal(again->len, packet->size);
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
        assert_int_equal(taken_longer(parses, cases[i].wire, cases[i].length),
                         cases[i].wire[4] == 'B' || cases[i].wire[4] == 'E');
}

static void
says_what_is_wrong(void **state)
{
    static const MilterFault wrong[] = {
        {'c', OCTETS(""), "SMFIR_CONTINUE where a command is due"},
        {'?', OCTETS("x"), "packet 0x3f where a command is due"},
        {'\0', OCTETS(""), "packet 0x00 where a command is due"},
        {'\xff', OCTETS(""), "packet 0xff where a command is due"},
        {'T', OCTETS("\0"), "SMFIC_DATA with 1 octets behind its data"},
        {'H', OCTETS(""), "SMFIC_HELO with no NUL behind its argument"},
        {'H', OCTETS("a\0b\0"), "SMFIC_HELO with 2 octets behind its data"},
        {'M', OCTETS(""), "SMFIC_MAIL with no address"},
        {'R', OCTETS("\0NOTIFY=NEVER\0"), "SMFIC_RCPT with an empty address"},
        {'R', OCTETS("<a@b>\0NOTIFY"), "SMFIC_RCPT with no NUL behind its argument"},
        {'D', OCTETS(""), "SMFIC_MACRO with no stage"},
        {'D', OCTETS("Xi\0y\0"), "SMFIC_MACRO with a stage that there is not"},
        {'D', OCTETS("\0i\0y\0"), "SMFIC_MACRO with a stage that there is not"},
        {'D', OCTETS("Mi\0"), "SMFIC_MACRO with a macro that has no value"},
        {'D', OCTETS("M\0y\0"), "SMFIC_MACRO with an empty macro name"},
        {'D', OCTETS("Mi\0y"), "SMFIC_MACRO with no NUL behind its macro"},
        {'C', OCTETS("h\0"), "SMFIC_CONNECT with no family"},
        {'C', OCTETS("h\0Z\0\0x\0"), "SMFIC_CONNECT with a family that there is not"},
        {'C', OCTETS("h\0\0\0\0x\0"), "SMFIC_CONNECT with a family that there is not"},
        {'C',
         OCTETS("h\0"
                "4\0"),
         "SMFIC_CONNECT with no port"},
        {'C',
         OCTETS("h\0"
                "4\0\x19"
                "192.0.2.1"),
         "SMFIC_CONNECT with no NUL behind its address"},
        {'C', OCTETS("h\0U\0\0x\0"), "SMFIC_CONNECT with 4 octets behind its data"},
        {'L', OCTETS("\0value\0"), "SMFIC_HEADER with an empty name"},
        {'L', OCTETS("Subject\0"), "SMFIC_HEADER with no NUL behind its value"},
        {'L', OCTETS("a\0b\0c\0"), "SMFIC_HEADER with 2 octets behind its data"},
        {'B', OCTETS(""), "SMFIC_BODY with no octets"},
    };
    (void)state;
    assert_refused(parses, wrong, G_N_ELEMENTS(wrong));
}

static void
leaves_the_negotiation_to_its_reader(void **state)
{
    MilterCommand command;
    MilterPacket packet = {'O', "\0\0\0\6", 4, 9};
    (void)state;
    assert_true(milter_command_parse(&packet, &command, NULL));
    assert_int_equal(command.code, MILTER_COMMAND_OPTNEG);
    assert_int_equal(command.length, 4);
    assert_ptr_equal(command.octets, packet.data);
}

/* Macros and their command in one buffer, and what a packet's length is good for. */
static void
appends_one_behind_the_other(void **state)
{
    g_autofree char *value = g_strnfill(MILTER_DATA_MAX - 3, 'x');
    g_autoptr(GString) out = g_string_new(NULL);
    (void)state;
    gsize begun = milter_command_begin_macros(out, MILTER_COMMAND_EOH);
    milter_command_append_macro(out, "i", "q1");
    assert_int_equal(milter_packet_end(out, begun), 6);
    assert_int_equal(milter_command_append(out, MILTER_COMMAND_EOH), 0);
    assert_int_equal(milter_command_append_header(out, "X", value), MILTER_DATA_MAX);
    assert_memory_equal(out->str, "\0\0\0\7DNi\0q1\0\0\0\0\1N\0\1\0\0LX\0xx", 25);
    assert_int_equal(out->len, 11 + 5 + MILTER_PACKET_HEAD + MILTER_DATA_MAX);
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
        cmocka_unit_test(leaves_the_negotiation_to_its_reader),
        cmocka_unit_test(appends_one_behind_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
