/*
 * policy/policy: what is refused, with the exact words; what is worked out; what is printed and
 * loaded again.
 */
#include "test_support.h"

#include <glib/gstdio.h>
#include <grp.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "policy/settings.h"

static char *folder;
static char *own_group;

static int
make_folder(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("policy-XXXXXX", NULL);
    const struct group *group = getgrgid(getgid());
    own_group = g_strdup(group != NULL ? group->gr_name : "root");
    return folder == NULL;
}

static int
remove_folder(void **state)
{
    static const char *const names[] = {"main", "part", "moved", "key", "bare", "again"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    g_free(own_group);
    return 0;
}

static char *
in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void
put_file(const char *name, const char *content, mode_t mode)
{
    g_autofree char *path = in_folder(name);
    assert_true(g_file_set_contents(path, content, -1, NULL));
    assert_int_equal(chmod(path, mode), 0);
}

static GPtrArray *
new_problems(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
}

/* One problem a line, each without the path of the policy and with "DIR" for the folder. */
static char *
lines_of(const GPtrArray *problems)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *main = g_strconcat(folder, "/main:", NULL);
    for (guint i = 0; i < problems->len; i++) {
        g_autofree char *line = policy_problem_format(g_ptr_array_index(problems, i));
        gboolean own = g_str_has_prefix(line, main);
        g_string_append_printf(lines, "%s%s", i > 0 ? "\n" : "", line + (own ? strlen(main) : 0));
    }
    g_string_replace(lines, folder, "DIR", 0);
    return g_strdup(lines->str);
}

/* "GROUP" stands for a group that exists, "DIR" for the folder. */
static Policy *
load(const char *text, char **problems, char **warnings)
{
    g_autoptr(GString) content = g_string_new(text);
    g_string_replace(content, "GROUP", own_group, 0);
    g_string_replace(content, "DIR", folder, 0);
    put_file("main", content->str, 0600);
    g_autofree char *path = in_folder("main");
    g_autoptr(GPtrArray) faults = new_problems(), doubts = new_problems();
    Policy *policy = policy_load(path, NULL, faults, doubts);
    assert_int_equal(policy == NULL, faults->len > 0);
    *problems = lines_of(faults);
    *warnings = lines_of(doubts);
    return policy;
}

typedef struct {
    const char *text;
    const char *said; /* a line each, without the path */
} Case;

static void
refuses_all(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *problems = NULL, *warnings = NULL;
        g_autoptr(Policy) policy = load(cases[i].text, &problems, &warnings);
        if (strcmp(problems, cases[i].said) != 0)
            fail_msg("%s\n%s\nnot\n%s", cases[i].text, problems, cases[i].said);
        assert_null(policy);
    }
}

static void
warns_of_all(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *problems = NULL, *warnings = NULL;
        g_autoptr(Policy) policy = load(cases[i].text, &problems, &warnings);
        assert_string_equal(problems, "");
        assert_non_null(policy);
        if (strcmp(warnings, cases[i].said) != 0)
            fail_msg("%s\n%s\nnot\n%s", cases[i].text, warnings, cases[i].said);
    }
}

/* ---- the file and its sections
 * -------------------------------------------------------------------- */

static void
refuses_files(void **state)
{
    static const Case cases[] = {
        {"a = 1;\n a = 2;",
         "2: syntax error: \"a\" is set in line 1 already: put both into one, in: a = 2;"},
        {"site = {\n networks = [ \"::1\",\n 5 ];\n};",
         "3: mismatched element type in array, in: 5 ];"},
        {"site = { reference \"x\"; };", "1: syntax error: \"=\" is missing behind \"reference\", "
                                         "in: site = { reference \"x\"; };"},
        {"\n\n@include \"part\"\nsite = { x = 1; };",
         "DIR/part:2: unknown setting \"mod\": did you mean \"mode\"?\n"
         "4: unknown setting \"x\": it can be one of hostname, networks, help_url, contact, "
         "reference, disclosure"},
        {"filters = { };", "1: \"filters\" must be a list of groups: ( { ... }, { ... } )"},
        {"filters = ( 1 );", "1: a filter is a group: { name = \"...\"; socket = \"...\"; }"},
        {"bounces = ( );\nclassify = ( );", "1: \"bounces\" must be a group: bounces = { ... };\n"
                                            "2: \"classify\" must be a group: classify = { ... };"},
        {"classify = { rule = ( ); };", "1: unknown setting \"rule\": did you mean \"rules\"?"},
        {"classify = { rules = { }; };",
         "1: \"rules\" must be a list of groups: ( { ... }, { ... } )"},
        {"classify = { rules = ( \"x\" ); };",
         "1: a rule is a group: { category = \"...\"; text = \"...\"; }"},
        {"sites = { };", "1: unknown setting \"sites\": did you mean \"site\"?"},
        {"nothing_like_it = { };", "1: unknown setting \"nothing_like_it\": it can be one of "
                                   "milter, tables, control, metrics, site, "
                                   "replies, checks, filters, bounces, classify, limits, log"},
        {"site = ( );", "1: \"site\" must be a group: site = { ... };"},
        {"checks = { };", "1: \"checks\" must be a list of groups: ( { ... }, { ... } )"},
        {"checks = ( 1 );", "1: a check is a group: { name = ...; when = ...; then = ...; }"},
        {"replies = { rules = [ ]; };",
         "1: \"rules\" must be a list of groups: ( { ... }, { ... } )"},
    };
    (void)state;
    put_file("part", "\nmilter = { mod = \"0660\"; };\n", 0600);
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
refuses_a_file_for_everybody(void **state)
{
    g_autoptr(GPtrArray) problems = new_problems();
    g_autofree char *path = in_folder("main");
    (void)state;
    put_file("main", "site = { };", 0666);
    assert_null(policy_load(path, NULL, problems, NULL));
    g_autofree char *text = policy_problem_format(g_ptr_array_index(problems, 0));
    g_autofree char *wanted =
        g_strconcat(path, ": can be written by everybody: chmod o-w it", NULL);
    assert_string_equal(text, wanted);
}

/* ---- settings
 * ------------------------------------------------------------------------------------------ */

static void
refuses_settings(void **state)
{
    static const Case cases[] = {
        {"milter = { mod = \"0660\"; };", "1: unknown setting \"mod\": did you mean \"mode\"?"},
        {"milter = { mode = 0660; };",
         "1: \"milter.mode\" must be a string of octal digits: \"0660\""},
        {"milter = { mode = \"0888\"; };",
         "1: \"milter.mode\": \"0888\" is no file mode: write it in octal digits, as \"0660\""},
        {"milter = { mode = \"4755\"; };",
         "1: \"milter.mode\": \"4755\" is no file mode: write it in octal digits, as \"0660\""},
        {"milter = { group = \"no-such-group-here\"; };",
         "1: \"milter.group\": there is no group \"no-such-group-here\" on this host"},
        {"milter = { socket = \"/run/x\"; };",
         "1: \"milter.socket\": \"/run/x\" is no socket: write it as \"unix:/path\", "
         "\"inet:PORT@HOST\", \"inet6:PORT@HOST\" or \"fd:3\""},
        {"milter = { socket = \"unix:run/x\"; };",
         "1: \"milter.socket\": \"unix:run/x\": the path of the socket must begin with \"/\""},
        {"milter = { socket = \"inet:smtp@x\"; };",
         "1: \"milter.socket\": \"inet:smtp@x\": \"smtp\" is no port: a number from 1 to 65535, "
         "then "
         "\"@HOST\""},
        {"milter = { socket = \"inet:70000\"; };",
         "1: \"milter.socket\": \"inet:70000\": \"70000\" is no port: a number from 1 to 65535, "
         "then "
         "\"@HOST\""},
        {"milter = { socket = \"inet6:25@\"; };",
         "1: \"milter.socket\": \"inet6:25@\": the host behind \"@\" is missing"},
        {"milter = { socket = \"fd:2\"; };",
         "1: \"milter.socket\": \"fd:2\": the descriptor is a number from 3 on"},
        {"milter = { socket = \"unix:"
         "/2345678901234567890123456788901234567890123456788901234567890123456788901234567890123456"
         "7889"
         "0123456789012345678\"; };",
         "1: \"milter.socket\": \"unix:"
         "/2345678901234567890123456788901234567890123456788901234567890123456788901234567890123456"
         "7889"
         "0123456789012345678\": the path of a socket has at most 107 octets"},
        {"milter = { socket = \"unix:/x\";\n link = \"/x\"; };",
         "2: \"milter.link\" is the socket itself: leave it out, or give it another name"},
        {"milter = { socket = \"inet:25\"; link = \"/x\"; };",
         "1: \"milter.link\" can only name a local socket, and \"inet:25\" is none"},
        {"milter = { link = \"x\"; };",
         "1: \"milter.link\": \"x\" is no absolute path: it must begin with \"/\""},
        {"milter = { socket = \"unix:/x\"; };\ntables = { socket = \"local:/x\"; };",
         "2: \"tables.socket\" is the socket of the milter: they need one each"},
        {"milter = { socket = \"unix:/x\"; link = \"/l\"; };\n"
         "tables = { socket = \"unix:/y\"; link = \"/l\"; };",
         "2: \"tables.link\" is the link of the milter: they need one each"},
        {"milter = { socket = \"unix:/x\"; link = \"/y\"; };\n"
         "tables = { socket = \"unix:/y\"; };",
         "1: \"milter.link\" is the socket of the tables"},
        {"control = { socket = \"inet:7000@127.0.0.1\"; };",
         "1: \"control.socket\" must be a local socket: \"unix:/path\""},
        {"control = { socket = \"unix:/x\"; link = \"/y\"; };",
         "1: unknown setting \"link\": it can be one of socket, mode, group"},
        {"control = { socket = \"local:/x\"; };\ntables = { socket = \"unix:/x\"; };",
         "1: \"control.socket\" is \"tables.socket\" too: they need one each"},
        {"milter = { socket = \"unix:/x\"; link = \"/y\"; };\ncontrol = { socket = \"unix:/y\"; };",
         "2: \"control.socket\" is \"milter.link\" too: they need one each"},
        {"site = { hostname = \"mx example\"; };",
         "1: \"site.hostname\": \"mx example\" is no host name"},
        {"site = { networks = [ \"10.0.0.0/8\", \"10.1.2.3/8\" ]; };",
         "1: \"site.networks\": \"10.1.2.3/8\" has bits set behind its prefix: did you mean "
         "\"10.0.0.0/8\"?"},
        {"site = { networks = 10; };",
         "1: \"site.networks\" must be a string or a list of strings"},
        {"site = { help_url = \"mail.example.net\"; };",
         "1: \"site.help_url\": \"mail.example.net\" is no URL: it begins with \"https://\" and "
         "has "
         "no spaces"},
        {"site = { help_url = \"https://x/%{recipient}\"; };",
         "1: \"site.help_url\": %{recipient} cannot stand in a URL: %{status}, %{code}, "
         "%{category}, "
         "%{reference}, %{queue_id} and %{hostname} can"},
        {"site = { help_url = \"https://x/%{satus}\"; };",
         "1: \"site.help_url\": unknown variable \"%{satus}\": did you mean \"%{status}\"?"},
        {"site = { contact = \"gr\xc3\xbc\xc3\x9f\"; };",
         "1: \"site.contact\": only printable ASCII can stand in a reply"},
        {"site = { reference = 1; };", "1: \"site.reference\" must be true or false"},
        {"site = { disclosure = \"breif\"; };",
         "1: \"site.disclosure\": unknown value \"breif\": did you mean \"brief\"? (full, brief)"},
        {"replies = { default = \"annotated\"; };",
         "1: \"replies.default\": unknown value \"annotated\": did you mean \"annotate\"? (keep, "
         "repair, annotate, replace)"},
        {"replies = { stages = [ \"rcpt\", \"everywhere\" ]; };",
         "1: \"replies.stages\": unknown stage \"everywhere\": it can be one of connect, helo, "
         "starttls, auth, mail, rcpt, data, eom, other"},
        {"bounces = { tag = \"yes\"; };", "1: \"bounces.tag\" must be true or false"},
        {"bounces = { max_body = 20000000; };",
         "1: \"bounces.max_body\": 20000000 is outside its limits: 0 to 16M"},
        {"bounces = { recipients = [ \"a@*\", \"/(/\" ]; };",
         "1: \"bounces.recipients\": \"/(/\" is no regular expression: missing terminating )"},
        {"bounces = { recipients = \"file:absent\"; };",
         "1: \"bounces.recipients\": \"DIR/absent\" cannot be opened: No such file or directory"},
        {"bounces = { trust = \"none\"; };",
         "1: \"bounces.trust\": unknown value \"none\": it can be one of own-mta, proof, all"},
        {"limits = { memory = \"lots\"; };",
         "1: \"limits.memory\": \"lots\" is no size: write it as \"256M\""},
        {"limits = { memory = 1000; };",
         "1: \"limits.memory\": 1000 is outside its limits: 1M to 1024G"},
        {"limits = {\n sessions = 3000000000; };",
         "2: \"limits.sessions\": 3000000000 is outside its limits: 1 to 65535"},
        {"limits = { sessions = \"many\"; };", "1: \"limits.sessions\" must be a whole number"},
        {"limits = { stop_timeout = -1; };",
         "1: \"limits.stop_timeout\": -1 is outside its limits: 0 to 3600"},
        {"log = { events = \"events.jsonl\"; };",
         "1: \"log.events\": \"events.jsonl\" is no absolute path, nor \"stdout\" or \"syslog\""},
        {"log = { syslog = \"mial\"; };",
         "1: \"log.syslog\": unknown facility \"mial\": did you mean \"mail\"? (mail, daemon, "
         "local0, local1, local2, local3, local4, local5, local6, local7)"},
        {"log = { addresses = \"prefix\"; };",
         "1: \"log.addresses\": unknown value \"prefix\": it can be one of plain, domain, hashed"},
        {"log = { addresses = \"hashed\"; };",
         "1: \"log.addresses\" is \"hashed\", which needs \"log.key_file\""},
        {"log = { client = \"hashed\"; };",
         "1: \"log.client\" is \"hashed\", which needs \"log.key_file\""},
        {"log = {\n rate = 5;\n client = \"hashed\";\n key_file = \"\";\n};",
         "3: \"log.client\" is \"hashed\", which needs \"log.key_file\""},
        {"log = {\n addresses = \"hashed\";\n client = \"prefix\";\n};",
         "2: \"log.addresses\" is \"hashed\", which needs \"log.key_file\""},
        {"log = { key_file = \"DIR/absent\"; };",
         "1: \"log.key_file\": \"DIR/absent\" cannot be opened: No such file or directory"},
        {"log = { key_file = \"DIR/key\"; };",
         "1: \"log.key_file\": \"DIR/key\" can be read by everybody: chmod o-r it"},
        {"log = { key_file = \"DIR/bare\"; };",
         "1: \"log.key_file\": \"DIR/bare\" holds less than 16 octets"},
    };
    (void)state;
    put_file("key", "0123456789abcdef", 0644);
    put_file("bare", "0123456789abcde", 0600);
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
has_defaults(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    g_autoptr(Policy) policy = load("", &problems, &warnings);
    (void)state;
    assert_non_null(policy);
    assert_string_equal(warnings, "");
    const PolicySettings *settings = policy_settings(policy);
    assert_null(settings->milter.socket);
    assert_int_equal(settings->milter.mode, 0660);
    assert_int_equal(settings->site.networks->len, 2);
    assert_null(settings->site.help_url);
    assert_true(settings->site.reference);
    assert_int_equal(settings->site.disclosure, DISCLOSURE_FULL);
    assert_int_equal(settings->replies.mode, REPLY_MODE_ANNOTATE);
    assert_int_equal(settings->replies.stages, 1 << SMTP_STAGE_MAIL | 1 << SMTP_STAGE_RCPT |
                                                   1 << SMTP_STAGE_DATA | 1 << SMTP_STAGE_EOM);
    assert_int_equal(settings->limits.memory, 256 << 20);
    assert_int_equal(settings->limits.sessions, 2000);
    assert_int_equal(settings->limits.stop_timeout, 20);
    assert_false(settings->bounces.tag);
    assert_int_equal(settings->bounces.max_body, 1 << 20);
    assert_null(settings->bounces.recipients);
    assert_int_equal(settings->bounces.trust, BOUNCE_TRUST_PROOF);
    assert_int_equal(policy_site_rule_count(policy), 0);
    assert_null(settings->log.events);
    assert_int_equal(settings->log.rate, 100);
    assert_string_equal(settings->log.syslog, "mail");
    assert_int_equal(settings->log.addresses, PRIVACY_PLAIN);
    assert_null(settings->log.key);
    assert_int_equal(policy_rule_count(policy), 0);
    assert_int_equal(policy_check_count(policy), 0);
    assert_int_equal(policy_needs(policy)->points, 0);
    assert_true(policy_is_inside(policy, "127.3.2.1"));
    assert_true(policy_is_inside(policy, "::1"));
    assert_false(policy_is_inside(policy, "192.0.2.1"));
    assert_false(policy_is_inside(policy, "unknown"));
}

static void
takes_settings(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    put_file("key", "0123456789abcdef\n", 0640);
    g_autoptr(Policy) policy =
        load("milter = { socket = \"inet:8890@127.0.0.1\"; mode = \"666\"; group = \"GROUP\"; };\n"
             "tables = { socket = \"fd:4\"; };\n"
             "site = { hostname = \"mx.example\"; networks = \"192.0.2.0/24\"; contact = \"\";\n"
             "         help_url = \"https://h/%{status}\"; reference = false; disclosure = "
             "\"brief\"; };\n"
             "replies = { default = \"keep\"; stages = \"other\"; };\n"
             "bounces = { tag = true; max_body = 1048576; trust = \"all\";\n"
             "            recipients = [ \"bounces@*\", \"fbl@example.net\" ]; };\n"
             "limits = { memory = 3000000000; sessions = 1; stop_timeout = 0; };\n"
             "log = { events = \"syslog\"; rate = 0; addresses = \"domain\"; client = \"prefix\";\n"
             "        key_file = \"DIR/key\"; syslog = \"local3\"; };\n",
             &problems, &warnings);
    (void)state;
    assert_string_equal(problems, "");
    const PolicySettings *settings = policy_settings(policy);
    assert_string_equal(settings->milter.socket, "inet:8890@127.0.0.1");
    assert_int_equal(settings->milter.mode, 0666);
    assert_string_equal(settings->milter.group, own_group);
    assert_string_equal(settings->tables.socket, "fd:4");
    assert_null(settings->site.contact);
    assert_string_equal(template_text(settings->site.help_url), "https://h/%{status}");
    assert_false(settings->site.reference);
    assert_int_equal(settings->replies.mode, REPLY_MODE_KEEP);
    assert_int_equal(settings->replies.stages, 1 << SMTP_STAGE_OTHER);
    assert_int_equal(settings->limits.memory, 3000000000);
    assert_true(settings->bounces.tag);
    assert_int_equal(settings->bounces.max_body, 1 << 20);
    assert_string_equal(matcher_text(settings->bounces.recipients),
                        "[ \"bounces@*\", \"fbl@example.net\" ]");
    assert_int_equal(settings->bounces.trust, BOUNCE_TRUST_ALL);
    assert_int_equal(settings->log.addresses, PRIVACY_PARTIAL);
    assert_int_equal(g_bytes_get_size(settings->log.key), 17);
    assert_false(policy_is_inside(policy, "127.0.0.1"));
    assert_true(policy_is_inside(policy, "::ffff:192.0.2.1"));
}

static void
finds_the_control_door(void **state)
{
    static const struct {
        const char *text, *socket;
        gboolean read;
    } cases[] = {
        {"control = { socket = \"unix:/c\"; };", "unix:/c", TRUE},
        {"", NULL, TRUE},
        {"control = { socket = \"\"; };", NULL, TRUE},
        {"control = { socket = 5; };", NULL, TRUE},
        /* All else may be wrong. */
        {"log = { addresses = \"hashed\"; key_file = \"/gone\"; };\nsites = 1;\n"
         "control = { sockets = 1; socket = \"local:/c\"; };\nchecks = 5; limits = { sessions = 0; "
         "};",
         "local:/c", TRUE},
        {"control = { socket = \"unix:/c\"; };\nsite = {", NULL, FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) problems = new_problems();
        g_autofree char *path = in_folder("main"), *socket = NULL;
        put_file("main", cases[i].text, 0644);
        assert_int_equal(policy_find_control(path, &socket, problems), cases[i].read);
        assert_int_equal(problems->len == 0, cases[i].read);
        if (g_strcmp0(socket, cases[i].socket) != 0)
            fail_msg("%s: %s", cases[i].text, socket);
    }
}

/* ---- rules
 * --------------------------------------------------------------------------------------------------
 */

#define RULE(when, then)                                                                           \
    "replies = { rules = ( { name = \"r\"; when = { " when " }; then = { " then " }; } ); };"
#define NAMED(name, rest) "{ name = \"" name "\"; " rest " }"
#define RULES(one, two)   "replies = { rules = (\n" one ",\n" two " ); };"
#define CHECK(when, then)                                                                          \
    "checks = ( { name = \"c\"; when = { " when " }; then = { " then " }; } );"

static void
refuses_rules(void **state)
{
    static const Case cases[] = {
        {RULES("{ when = { code = 550; }; then = { mode = \"keep\"; }; }",
               NAMED("x y", "then = { mode = \"keep\"; };")),
         "2: a rule needs a name\n"
         "3: \"x y\" is no name: letters, digits, \"-\", \"_\" and \".\", at most 64 of them"},
        {RULES(NAMED("a", "when = { code = 550; }; then = { mode = \"keep\"; };"),
               NAMED("a", "then = { mode = \"keep\"; };")),
         "3: there is a rule \"a\" already (DIR/main:2)"},
        {RULES(NAMED("a", "when = { code = 550; };"), NAMED("b", "then = { };")),
         "2: the rule says nothing to do: it needs \"then\"\n"
         "3: the rule says nothing to do: \"then\" is empty"},
        {RULES(NAMED("a", "if = { code = 550; }; then = { mode = \"keep\"; };"),
               NAMED("b", "when = 5; then = \"keep\";")),
         "2: unknown setting \"if\": it can be one of name, when, then\n"
         "3: \"when\" must be a group: { ... }\n"
         "3: \"then\" must be a group: { ... }"},
        {RULE("categroy = \"spam\";", "mode = \"keep\";"),
         "1: unknown condition \"categroy\": did you mean \"category\"?"},
        {RULE("category = \"user-unknow\";", "mode = \"keep\";"),
         "1: condition \"category\": unknown category \"user-unknow\": did you mean "
         "\"user-unknown\"?"},
        {RULE("helo = 5;", "mode = \"keep\";"),
         "1: \"helo\" must be a string or a list of strings"},
        {RULE("helo = [ ];", "mode = \"keep\";"),
         "1: condition \"helo\": the list of \"helo\" is empty, so it could never match"},
        {RULE("text = \"/(/\";", "mode = \"keep\";"),
         "1: condition \"text\": \"/(/\" is no regular expression: missing terminating )"},
        {RULE("sender = \"file:absent\";", "mode = \"keep\";"),
         "1: condition \"sender\": \"DIR/absent\" cannot be opened: No such file or directory"},
        {RULE("code = 250;", "mode = \"keep\";"),
         "1: condition \"code\": \"250\" is no code of a refusal: 400 to 599, or \"5*\""},
        {RULE("code = 550;", "mode = \"replaec\"; text = \"x\";"),
         "1: unknown mode \"replaec\": did you mean \"replace\"? (keep, repair, annotate, "
         "replace)"},
        {RULE("code = 550;", "mode = \"keep\"; text = \"x\";"),
         "1: mode \"keep\" leaves the reply as it is: code, status and text cannot stand beside "
         "it"},
        {RULE("code = 550;", "mode = \"repair\"; text = \"x\";"),
         "1: mode \"repair\" says no text: use \"annotate\" or \"replace\""},
        {RULE("code = 550;", "cod = 550;"), "1: unknown setting \"cod\": did you mean \"code\"?"},
        {RULE("code = 550;", "code = 550; at_once = true;"), "1: \"at_once\" is for checks only"},
        {RULE("code = 550;", "code = \"550\";"), "1: \"code\" must be a whole number"},
        {RULE("code = 550;", "code = 250;"),
         "1: 250 is no code of a refusal: those are 400 to 599"},
        {RULE("code = 550;", "code = 3000000000;"),
         "1: 3000000000 is no code of a refusal: those are 400 to 599"},
        {RULE("code = 550;", "code = 577;"),
         "1: no document has 577 as an SMTP reply code: use 550, 552, 553 or 554"},
        {RULE("code = 450;", "code = 477;"),
         "1: no document has 477 as an SMTP reply code: use 450, 451 or 452"},
        {RULE("code = 550;", "status = 5;"), "1: \"status\" must be a string in double quotes"},
        {RULE("code = 550;", "status = \"5.7\";"),
         "1: \"5.7\" is no enhanced status of a refusal: write it as \"5.7.1\""},
        {RULE("code = 550;", "status = \"2.1.5\";"),
         "1: \"2.1.5\" is no enhanced status of a refusal: write it as \"5.7.1\""},
        {RULE("code = 550;", "status = \"5.77.1\";"),
         "1: no registry has the enhanced status 5.77.1: a general one is \"5.7.0\""},
        {RULE("code = 550;", "status = \"5.6.10\";"),
         "1: the enhanced status 5.6.10 is deprecated: write \"5.6.8\""},
        {RULE("code = 550;", "code = 550; status = \"4.7.1\";"),
         "1: code 550 and status 4.7.1 disagree: a 550 needs a status that begins with 5"},
        {RULE("code = \"4*\";", "code = 550;"),
         "1: the rule matches 4xx replies only and says 5xx: that needs change_class = true"},
        {RULE("code = 550;", "mode = \"annotate\"; change_class = true;"),
         "1: \"change_class\" needs a code or a status to change to"},
        {RULE("stage = \"data\";", "code = 551;"),
         "1: code 551 cannot be given at the stage \"data\""},
        {RULE("code = 550;", "text = [ ];"), "1: \"text\" has 0 lines: it can have 1 to 20"},
        {RULE("code = 550;", "text = [ \"a\",\n\"\",\n\"%{helo\" ];"),
         "2: \"text\": a line is empty\n"
         "3: \"text\": \"%{helo\" is never closed with \"}\""},
        {RULE("code = 550;", "text = \"for %{recipent}\";"),
         "1: \"text\": unknown variable \"%{recipent}\": did you mean \"%{recipient}\"?"},
        {RULE("code = 550;", "text = \"gr\xc3\xbc\xc3\x9f\";"),
         "1: \"text\": \"gr\xc3\xbc\xc3\x9f\" holds what cannot stand in a reply: only printable "
         "ASCII can"},
        {RULE("code = 550;", "text = \"a\\r\\n550 b\";"),
         "1: \"text\": \"a\\r\\n550 b\" holds what cannot stand in a reply: only printable ASCII "
         "can"},
        {RULE("text = \"/(a)(b)/\";", "text = \"%{1} %{2} %{3}\";"),
         "1: %{3} has no value: the conditions have 2 groups in parentheses"},
        {RULE("recipient = \"file:bare\";", "text = \"%{value}\";"),
         "1: %{value} has no value: no condition looks into a file that has values behind its "
         "keys"},
        /* what hangs on a condition that is at fault is not held against the text */
        {RULE("recipient = \"file:/nowhere\";", "text = \"%{value} %{1}\";"),
         "1: condition \"recipient\": \"/nowhere\" cannot be opened: No such file or directory"},
        {RULE("kind = \"failure\";", "mode = \"keep\";"),
         "1: a reply has no \"kind\": only mail that reports has one, so it is a condition for "
         "checks"},
        {RULE("provider = \"gogle\";", "mode = \"keep\";"),
         "1: condition \"provider\": unknown provider \"gogle\": did you mean \"google\"?"},
        {RULE("code = 550;", "disclosure = \"none\";"),
         "1: unknown disclosure \"none\": it can be one of full, brief"},
    };
    (void)state;
    put_file("bare", "a@b.example\n", 0600);
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
warns_of_rules(void **state)
{
    static const Case cases[] = {
        {RULES(NAMED("a", "then = { mode = \"keep\"; };"),
               NAMED("b", "when = { code = 550; }; then = { mode = \"keep\"; };")),
         "3: this rule and those behind it never speak: the one before has no conditions"},
        {RULE("text = \"/(a+)+$/\";", "mode = \"keep\";"),
         "1: condition \"text\": the regular expression /(a+)+$/ can run into its limit, and then "
         "does not match: simplify what repeats inside of repeats"},
        {RULE("code = 550;", "text = [ \"x\", \"%{help_url}\", \"%{contact}\" ];"),
         "1: the line with %{help_url} is always left out: site.help_url is not set\n"
         "1: the line with %{contact} is always left out: site.contact is not set"},
        {"site = { reference = false; };" RULE("code = 550;", "text = \"x %{reference}\";"),
         "1: the line with %{reference} is always left out: site.reference is false"},
        {RULE("code = 550;", "mode = \"annotate\"; text = [ \"1\", \"2\", \"3\", \"4\" ];"),
         "1: only the first 3 lines are added to a reply"},
        {"milter = { socket = \"unix:/x\"; mode = \"0666\"; };",
         "1: mode \"0666\" lets every user of this host speak to the socket"},
        {"metrics = { listen = \"127.0.0.1:9125\"; };", ""},
        {"metrics = { listen = \"[::1]:9125\"; };", ""},
        {"metrics = { listen = \"0.0.0.0:9125\"; };",
         "1: \"0.0.0.0:9125\" is no loopback address: whoever can reach it can read the metrics"},
        {"metrics = { listen = \"[2001:db8::1]:9125\"; };",
         "1: \"[2001:db8::1]:9125\" is no loopback address: whoever can reach it can read the "
         "metrics"},
        {RULE("code = 550;", "text = \"x\";"), ""},
    };
    (void)state;
    warns_of_all(cases, G_N_ELEMENTS(cases));
}

static void
understands_modes(void **state)
{
    static const struct {
        const char *file;
        gboolean set;
        ReplyMode mode;
    } cases[] = {
        {RULE("code = 550;", "text = \"x\";"), TRUE, REPLY_MODE_REPLACE},
        {RULE("code = 550;", "mode = \"annotate\"; text = \"x\";"), TRUE, REPLY_MODE_ANNOTATE},
        {RULE("code = 550;", "status = \"5.1.1\";"), FALSE, REPLY_MODE_KEEP},
        {"replies = { default = \"keep\"; rules = ( { name = \"r\"; then = { status = \"5.1.1\"; "
         "}; "
         "} ); };",
         TRUE, REPLY_MODE_REPAIR},
        {RULE("code = 550;", "disclosure = \"brief\";"), FALSE, REPLY_MODE_KEEP},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problems = NULL, *warnings = NULL;
        g_autoptr(Policy) policy = load(cases[i].file, &problems, &warnings);
        assert_string_equal(problems, "");
        const PolicyRule *rule = policy_rule(policy, 0);
        assert_int_equal(rule->mode_set, cases[i].set);
        assert_int_equal(rule->mode, cases[i].mode);
        assert_int_equal(rule->line, 1);
    }
}

/* ---- checks
 * --------------------------------------------------------------------------------------------------
 */

static void
refuses_checks(void **state)
{
    static const Case cases[] = {
        {CHECK("", "text = \"x\";"),
         "1: a check without conditions would refuse everything: it needs \"when\""},
        {CHECK("helo = \"x\";", "code = 550;"),
         "1: the check refuses without a word: it needs \"text\""},
        {CHECK("kind = \"bounce\";", "text = \"x\";"),
         "1: condition \"kind\": unknown kind \"bounce\": it can be one of not-a-bounce, failure, "
         "delay, delivered, feedback, auto-reply"},
        {CHECK("kind = \"failure\"; stage = \"rcpt\";", "text = \"x\";"),
         "1: the check never speaks: what it asks for is known from \"eom\" on, and what it does "
         "is "
         "possible from \"connect\" on"},
        {CHECK("provider = \"google\"; filter = \"x\";", "text = \"x\";"),
         "1: a check cannot know \"provider\": only a reply has it, so it is a condition for "
         "rules\n"
         "1: a check cannot know \"filter\": only a reply has it, so it is a condition for rules"},
        {CHECK("helo = \"x\";", "text = \"x\"; mode = \"replace\";"),
         "1: \"mode\" is for rules only"},
        {CHECK("helo = \"x\";", "text = \"x\"; action = \"drop\";"),
         "1: unknown action \"drop\": it can be one of refuse, quarantine, discard"},
        {CHECK("helo = \"x\";", "text = \"x\"; action = \"discard\";"),
         "1: action \"discard\" gives no reply: code, status and text cannot stand beside it"},
        {CHECK("helo = \"x\";", "text = \"x\"; action = \"quarantine\";"),
         "1: action \"quarantine\" gives no reply: code, status and text cannot stand beside it"},
        {CHECK("helo = \"x\"; stage = \"helo\";", "text = \"x\";"),
         "1: the MTA loses the text of a refusal at \"helo\": leave the stage out, and the check "
         "speaks at RCPT, or say at_once = true"},
        {CHECK("recipient = \"x\"; stage = \"mail\";", "text = \"x\";"),
         "1: the check never speaks: what it asks for is known from \"rcpt\" on, and what it does "
         "is "
         "possible from \"connect\" on"},
        {CHECK("sender = \"x\"; stage = \"rcpt\";", "action = \"quarantine\";"),
         "1: the check never speaks: what it asks for is known from \"mail\" on, and what it does "
         "is "
         "possible from \"eom\" on"},
        {CHECK("size = \">1M\";", "text = \"x\"; code = 551;"),
         "1: the check speaks at \"eom\", where code 551 cannot be given: use 554"},
        {CHECK("sender = \"x\";", "text = \"not for %{recipient}\";"),
         "1: %{recipient} is not known at \"mail\", where the check speaks"},
        {CHECK("sender = \"x\";", "text = \"%{original}\";"),
         "1: %{original} has no value in a check: there is no other reply"},
        {"checks = ( { name = \"a\"; when = { helo = \"x\"; }; then = { text = \"x\"; }; },\n"
         "{ name = \"a\"; when = { helo = \"x\"; }; then = { text = \"x\"; }; } );",
         "2: there is a check \"a\" already (DIR/main:1)"},
    };
    (void)state;
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
warns_of_checks(void **state)
{
    static const Case cases[] = {
        {CHECK("sender = \"x\";", "text = \"x\"; at_once = true;"),
         "1: \"at_once\" changes nothing: the check speaks at \"mail\" anyway"},
        {CHECK("helo = \"x\";", "text = \"x\"; at_once = true;"),
         "1: the client will not see this text: the MTA has its own at \"helo\""},
        {CHECK("recipient = \"x\";", "text = \"x\"; code = 421;"),
         "1: the MTA closes the connection behind a 421: later recipients and messages of that "
         "session are lost to the client"},
        {CHECK("recipient = \"x\"; size = \">1M\";", "text = \"x %{recipient}\";"),
         "1: the line with %{recipient} is left out where a message has several recipients: the "
         "check speaks at \"eom\""},
        {CHECK("helo = \"x\";", "text = \"x %{recipient} %{sender} %{helo} %{client_addr}\";"), ""},
        {"bounces = { max_body = 0; };\n" CHECK("kind = \"feedback\";", "text = \"x\";"),
         "2: the check never matches: \"bounces.max_body\" is 0, so no mail is read"},
        {"bounces = { max_body = 0;\ntag = true; };",
         "2: nothing is tagged: \"bounces.max_body\" is 0"},
    };
    (void)state;
    warns_of_all(cases, G_N_ELEMENTS(cases));
}

static void
plans_checks(void **state)
{
    static const struct {
        const char *file;
        CheckPoint known_at, speaks_at;
        gboolean all_recipients;
        guint code;
        const char *status;
    } cases[] = {
        {CHECK("client = \"192.0.2.1\";", "text = \"x\";"), CHECK_POINT_CONNECT, CHECK_POINT_RCPT,
         FALSE, 550, "5.7.1"},
        {CHECK("helo = \"x\";", "text = \"x\"; at_once = true;"), CHECK_POINT_HELO,
         CHECK_POINT_HELO, FALSE, 550, NULL},
        {CHECK("client = \"192.0.2.1\";", "text = \"x\"; at_once = true;"), CHECK_POINT_CONNECT,
         CHECK_POINT_CONNECT, FALSE, 0, NULL},
        {CHECK("client = \"192.0.2.1\"; stage = \"mail\";", "text = \"x\";"), CHECK_POINT_CONNECT,
         CHECK_POINT_MAIL, FALSE, 550, NULL},
        {CHECK("helo = \"x\"; auth_user = \"!*\";", "text = \"x\";"), CHECK_POINT_MAIL,
         CHECK_POINT_MAIL, FALSE, 550, NULL},
        {CHECK("sender = \"x\"; stage = \"!mail\";", "text = \"x\";"), CHECK_POINT_MAIL,
         CHECK_POINT_RCPT, FALSE, 550, NULL},
        {CHECK("recipient = \"x\";", "text = \"x\"; status = \"4.2.1\";"), CHECK_POINT_RCPT,
         CHECK_POINT_RCPT, FALSE, 450, "4.2.1"},
        {CHECK("recipient = \"x\"; stage = \"data\";", "text = \"x\";"), CHECK_POINT_RCPT,
         CHECK_POINT_DATA, TRUE, 0, NULL},
        {CHECK("header = \"X: *\"; recipient = \"x\";", "text = \"x\"; code = 554;"),
         CHECK_POINT_HEADERS, CHECK_POINT_HEADERS, TRUE, 554, NULL},
        {CHECK("header = \"X: *\"; size = \"<1M\";", "text = \"x\";"), CHECK_POINT_EOM,
         CHECK_POINT_EOM, FALSE, 0, NULL},
        {CHECK("header = \"X: *\";", "action = \"quarantine\";"), CHECK_POINT_HEADERS,
         CHECK_POINT_EOM, FALSE, 0, ""},
        {CHECK("client = \"192.0.2.1\";", "action = \"discard\";"), CHECK_POINT_CONNECT,
         CHECK_POINT_MAIL, FALSE, 0, ""},
        {CHECK("recipient = \"x\";", "action = \"discard\";"), CHECK_POINT_RCPT, CHECK_POINT_DATA,
         TRUE, 0, ""},
        {CHECK("kind = \"failure\";", "text = \"x\";"), CHECK_POINT_EOM, CHECK_POINT_EOM, FALSE,
         550, "5.7.1"},
        {CHECK("category = \"user-unknown\"; recipient = \"x\";", "action = \"discard\";"),
         CHECK_POINT_EOM, CHECK_POINT_EOM, TRUE, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problems = NULL, *warnings = NULL;
        g_autoptr(Policy) policy = load(cases[i].file, &problems, &warnings);
        assert_string_equal(problems, "");
        const PolicyCheck *check = policy_check(policy, 0);
        const PolicyNeeds *needs = policy_needs(policy);
        char status[ENHANCED_STATUS_TEXT_SIZE];
        enhanced_status_format(check->reply.status, status);
        assert_int_equal(check->known_at, cases[i].known_at);
        assert_int_equal(check->speaks_at, cases[i].speaks_at);
        assert_int_equal(check->all_recipients, cases[i].all_recipients);
        assert_int_equal(needs->points, 1 << cases[i].speaks_at);
        assert_int_equal(needs->headers, strstr(cases[i].file, "header") != NULL);
        assert_int_equal(needs->body, strstr(cases[i].file, "size") != NULL);
        assert_int_equal(needs->message_action, check->action == CHECK_QUARANTINE);
        assert_int_equal(needs->reports, strstr(cases[i].file, "kind") != NULL ||
                                             strstr(cases[i].file, "category") != NULL);
        assert_false(needs->own_reports || needs->header_changes);
        if (cases[i].code != 0)
            assert_int_equal(check->reply.code, cases[i].code);
        if (cases[i].status != NULL)
            assert_string_equal(status, cases[i].status);
        if (check->action == CHECK_REFUSE)
            assert_int_equal(check->reply.status.class, check->reply.code / 100);
    }
}

/* ---- mail that reports
 * ---------------------------------------------------------------------------------------
 */

static void
reads_reports_where_somebody_wants_them(void **state)
{
    static const struct {
        const char *file;
        gboolean reports, own, changes;
    } cases[] = {
        {"", FALSE, FALSE, FALSE},
        {"log = { events = \"stdout\"; };", TRUE, TRUE, FALSE},
        {"log = { events = \"stdout\"; }; bounces = { max_body = 0; };", FALSE, FALSE, FALSE},
        {"bounces = { tag = true; };", TRUE, FALSE, TRUE},
        {"bounces = { recipients = \"x@y\"; };", FALSE, FALSE, FALSE},
        {"log = { events = \"stdout\"; }; bounces = { tag = true; };", TRUE, TRUE, TRUE},
        {CHECK("kind = \"failure\";", "text = \"x\";"), TRUE, FALSE, FALSE},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *problems = NULL, *warnings = NULL;
        g_autoptr(Policy) policy = load(cases[i].file, &problems, &warnings);
        assert_string_equal(problems, "");
        const PolicyNeeds *needs = policy_needs(policy);
        assert_int_equal(needs->reports, cases[i].reports);
        assert_int_equal(needs->own_reports, cases[i].own);
        assert_int_equal(needs->header_changes, cases[i].changes);
    }
}

/* ---- filters
 * ---------------------------------------------------------------------------------------- */

#define FILTER(rest) "filters = ( { name = \"f\"; socket = \"unix:/f\"; " rest " } );"
#define SOCKET(name) "filters = ( { name = \"f\"; socket = \"" name "\"; } );"
#define FILTERS      "filters = ( { name = \"opendmarc\"; socket = \"unix:/f\"; } );\n"

static void
refuses_filters(void **state)
{
    static const Case cases[] = {
        {"filters = (\n{ socket = \"unix:/f\"; },\n{ name = \"f\"; } );",
         "2: a filter needs a name\n3: a filter needs a socket"},
        {"filters = (\n{ name = \"f\"; socket = \"unix:/f\"; },\n"
         "{ name = \"f\"; socket = \"unix:/g\"; } );",
         "3: there is a filter \"f\" already (DIR/main:2)"},
        {"filters = ( { name = \"a b\"; socket = 5; } );",
         "1: \"a b\" is no name: letters, digits, \"-\", \"_\" and \".\", at most 64 of them\n"
         "1: \"socket\" must be a string in double quotes"},
        {FILTER("timout = 1;"), "1: unknown setting \"timout\": did you mean \"timeout\"?"},
        {FILTER("x = 1;"), "1: unknown setting \"x\": it can be one of name, socket, timeout, "
                           "connect_timeout, on_failure"},
        {FILTER("timeout = \"10\";"), "1: \"timeout\" must be a number of seconds: 10 or 2.5"},
        {FILTER("timeout = 0.05;"), "1: \"timeout\" is outside its limits: 0.1 to 600 seconds"},
        {FILTER("timeout = 601;"), "1: \"timeout\" is outside its limits: 0.1 to 600 seconds"},
        {FILTER("timeout = -1.5;"), "1: \"timeout\" is outside its limits: 0.1 to 600 seconds"},
        {FILTER("timeout = 1e300;"), "1: \"timeout\" is outside its limits: 0.1 to 600 seconds"},
        {FILTER("connect_timeout = 3000000000;"),
         "1: \"connect_timeout\" is outside its limits: 0.1 to 60 seconds"},
        {FILTER("connect_timeout = true;"),
         "1: \"connect_timeout\" must be a number of seconds: 10 or 2.5"},
        {FILTER("on_failure = \"acept\";"),
         "1: unknown on_failure \"acept\": did you mean \"accept\"? (tempfail, accept, reject)"},
        {FILTER("on_failure = false;"), "1: \"on_failure\" must be a string in double quotes"},
        {SOCKET("/f"), "1: \"/f\" is no socket to connect to: write it as \"unix:/path\", "
                       "\"inet:PORT@HOST\" or \"inet6:PORT@HOST\""},
        {SOCKET("fd:3"), "1: \"fd:3\" is no socket to connect to: write it as \"unix:/path\", "
                         "\"inet:PORT@HOST\" or \"inet6:PORT@HOST\""},
        {SOCKET("unix:f"), "1: \"unix:f\": the path of the socket must begin with \"/\""},
        {SOCKET("inet:localhost:8891"),
         "1: \"inet:localhost:8891\": \"localhost:8891\" is no port: a number from 1 to 65535, "
         "then \"@HOST\""},
        {SOCKET("inet:8891"), "1: \"inet:8891\" does not say on which host: write it as "
                              "\"inet:8891@127.0.0.1\""},
        {"milter = { socket = \"local:/f\"; };\n" SOCKET("unix:/f"),
         "2: \"unix:/f\" is our own socket: \"milter.socket\""},
        {"milter = { socket = \"unix:/x\"; link = \"/f\"; };\n" SOCKET("local:/f"),
         "2: \"local:/f\" is our own socket: \"milter.link\""},
        {SOCKET("unix:/f") "\ntables = { socket = \"unix:/f\"; };",
         "1: \"unix:/f\" is our own socket: \"tables.socket\""},
        {"tables = { socket = \"inet:2700\"; };\n" SOCKET("inet6:2700@::1"),
         "2: \"inet6:2700@::1\" is our own socket: \"tables.socket\""},
        {"control = { socket = \"unix:/f\"; };\n" SOCKET("unix:/f"),
         "2: \"unix:/f\" is our own socket: \"control.socket\""},
        {"milter = { socket = \"inet:8890@MX\"; };\n" SOCKET("inet:8890@mx"),
         "2: \"inet:8890@mx\" is our own socket: \"milter.socket\""},
    };
    (void)state;
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
warns_of_filters(void **state)
{
    static const Case cases[] = {
        {"filters = ( );", ""},
        {"milter = { socket = \"inet:8890@127.0.0.1\"; };\n" SOCKET("inet:8891@127.0.0.1"), ""},
        {"milter = { socket = \"inet:8890@192.0.2.1\"; };\n" SOCKET("inet:8890@127.0.0.1"), ""},
        {"milter = { socket = \"fd:3\"; };\n" SOCKET("inet:3@127.0.0.1"), ""},
        {"filters = ( { name = \"a\"; socket = \"unix:/f\"; },\n"
         "{ name = \"b\"; socket = \"unix:/f\"; } );",
         "2: the filter \"a\" has this socket already: it is asked twice"},
        {FILTERS RULE("filter = \"opendmarc\";", "mode = \"keep\";"), ""},
        {FILTERS RULE("filter = [ \"OpenDMARC\", \"open*\", \"/dm/\", \"*\", \"!x\" ];",
                      "mode = \"keep\";"),
         ""},
        {FILTERS RULE("filter = [ \"opendmrc\", \"rspamd*\", \"opendmarc\" ];", "mode = \"keep\";"),
         "2: there is no filter \"opendmrc\": did you mean \"opendmarc\"?\n"
         "2: there is no filter \"rspamd*\""},
        {RULE("filter = \"opendmarc\";", "mode = \"keep\";"),
         "1: there is no filter \"opendmarc\""},
    };
    (void)state;
    warns_of_all(cases, G_N_ELEMENTS(cases));
}

static void
takes_filters(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    g_autoptr(Policy) bare = load("milter = { socket = \"inet:1\"; };", &problems, &warnings);
    g_free(problems), g_free(warnings);
    g_autoptr(Policy) policy =
        load("milter = { socket = \"inet:1\"; };\nfilters = (\n"
             "{ name = \"opendkim\"; socket = \"unix:/run/opendkim.sock\"; },\n"
             "{ name = \"clamav\"; socket = \"inet6:7357@[::1]\"; timeout = 600;\n"
             "  connect_timeout = 0.1; on_failure = \"reject\"; } );\n",
             &problems, &warnings);
    (void)state;
    assert_string_equal(problems, "");
    assert_int_equal(policy_filter_count(bare), 0);
    assert_int_equal(policy_filter_count(policy), 2);
    const PolicyFilter *one = policy_filter(policy, 0), *two = policy_filter(policy, 1);
    assert_string_equal(one->name, "opendkim");
    assert_string_equal(one->socket, "unix:/run/opendkim.sock");
    assert_int_equal(one->line, 3);
    assert_int_equal(one->timeout_us, 10 * G_USEC_PER_SEC);
    assert_int_equal(one->connect_timeout_us, 3 * G_USEC_PER_SEC);
    assert_int_equal(one->on_failure, FILTER_FAILURE_TEMPFAIL);
    assert_string_equal(two->socket, "inet6:7357@[::1]");
    assert_int_equal(two->timeout_us, 600 * G_USEC_PER_SEC);
    assert_int_equal(two->connect_timeout_us, 100000);
    assert_int_equal(two->on_failure, FILTER_FAILURE_REJECT);
    assert_null(policy_restart_needed(bare, policy));
    assert_memory_equal(policy_needs(bare), policy_needs(policy), sizeof(PolicyNeeds));
}

/* ---- site rules
 * ---------------------------------------------------------------------------------------
 */

#define SITE_RULE(rule) "classify = { rules = (\n{ " rule " } ); };"

static void
refuses_site_rules(void **state)
{
    static const Case cases[] = {
        {SITE_RULE("text = \"/x/\";"),
         "2: the rule does not say what such a reply means: it needs \"category\""},
        {SITE_RULE("category = \"spam\";"),
         "2: the rule would take every reply: it needs \"text\", \"code\", \"status\" or "
         "\"provider\""},
        {SITE_RULE("category = \"user-unknow\"; code = 550;"),
         "2: unknown category \"user-unknow\": did you mean \"user-unknown\"? (user-unknown, "
         "mailbox-disabled, mailbox-full, mailbox-moved, recipient-refused, recipient-suppressed, "
         "domain-unknown, domain-refuses-mail, sender-refused, authentication-failed, "
         "reverse-dns-missing, host-blocked, bad-reputation, relay-denied, access-denied, "
         "tls-required, spam, virus, content-refused, policy, message-malformed, "
         "message-too-large, recipient-limit, rate-limited, too-many-connections, greylisted, "
         "system-error, system-full, network-error, expired, delivery-program-failed, "
         "protocol-error, feedback-report, auto-reply, delivered, unclassified)"},
        {SITE_RULE("category = \"spam\"; text = \"/(/\"; status = \"5.9\"; provider = \"gogle\";"),
         "2: condition \"text\": \"/(/\" is no regular expression: missing terminating )\n"
         "2: condition \"status\": \"5.9\" is no enhanced status: write it as \"5.1.1\" or "
         "\"5.7.*\"\n"
         "2: condition \"provider\": unknown provider \"gogle\": did you mean \"google\"?"},
        {SITE_RULE("category = \"spam\"; code = 550; helo = \"x\";"),
         "2: unknown setting \"helo\": it can be one of name, category, text, code, status, "
         "provider"},
        {SITE_RULE("name = \"12\"; category = \"spam\"; code = 550;"),
         "2: \"12\" is no name: a number is what a rule without a name is called by"},
        {"classify = { rules = ( { name = \"a\"; category = \"spam\"; code = 550; },\n"
         "{ name = \"a\"; category = \"spam\"; code = 550; } ); };",
         "2: there is a rule \"a\" already (DIR/main:1)"},
    };
    (void)state;
    refuses_all(cases, G_N_ELEMENTS(cases));
}

static void
counts_site_rules(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    g_autoptr(Policy) policy = load("classify = { rules = (\n"
                                    " { category = \"policy\"; text = \"/odd/\"; },\n"
                                    " { name = \"b\"; category = \"spam\"; code = 550;\n"
                                    "   status = \"5.7.*\"; provider = \"google\"; } ); };",
                                    &problems, &warnings);
    (void)state;
    assert_string_equal(problems, "");
    assert_int_equal(policy_site_rule_count(policy), 2);
    const PolicySiteRule *first = policy_site_rule(policy, 0),
                         *second = policy_site_rule(policy, 1);
    assert_string_equal(first->id, "site:1");
    assert_int_equal(first->category, CATEGORY_POLICY);
    assert_int_equal(first->line, 2);
    assert_int_equal(first->conditions->len, 1);
    assert_string_equal(second->id, "site:b");
    assert_int_equal(second->conditions->len, 3);
    policy_site_rule_note(policy, "site:b");
    policy_site_rule_note(policy, "site:b");
    policy_site_rule_note(policy, "site:c");
    policy_site_rule_note(policy, "b");
    policy_site_rule_note(policy, NULL);
    assert_int_equal(policy_site_rule_hits(policy, 0), 0);
    assert_int_equal(policy_site_rule_hits(policy, 1), 2);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------
 */

/* The installed file, with "//" taken from the block of examples that begins on `only`, or from all
 * of them if it is 0. `blocks` gets the first lines of the blocks. */
static char *
uncomment(const char *text, guint only, GArray *blocks)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    guint block = 0;
    for (guint i = 0; lines[i] != NULL; i++) {
        const char *start = lines[i] + strspn(lines[i], " ");
        gboolean example = g_str_has_prefix(start, "//");
        if (example && block == 0) {
            block = i + 1;
            g_array_append_val(blocks, block);
        } else if (!example) {
            block = 0;
        }
        g_string_append(out, example && (only == 0 || only == block) ? start + 2 : lines[i]);
        g_string_append_c(out, '\n');
    }
    g_string_replace(out, "\"replymilter\"", "\"GROUP\"", 0);
    g_string_replace(out, "/etc/replymilter/", "DIR/", 0);
    g_string_replace(out, "hash.key", "key", 0);
    return g_strdup(out->str);
}

static void
loads_the_installed_file(void **state)
{
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "etc", "replymilter.conf", NULL);
    g_autofree char *text = NULL, *problems = NULL, *warnings = NULL;
    g_autoptr(GArray) blocks = g_array_new(FALSE, FALSE, sizeof(guint));
    g_autoptr(GArray) again = g_array_new(FALSE, FALSE, sizeof(guint));
    (void)state;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    put_file("moved", "old@example.net new@example.org\n", 0600);
    put_file("key", "0123456789abcdef", 0600);
    g_autofree char *plain = uncomment(text, G_MAXUINT, blocks);
    g_autoptr(Policy) policy = load(plain, &problems, &warnings);
    assert_string_equal(problems, "");
    assert_string_equal(warnings, "");
    assert_int_equal(policy_rule_count(policy), 0);
    assert_int_equal(policy_check_count(policy), 0);
    assert_null(policy_settings(policy)->site.contact);
    assert_true(blocks->len > 10);
    for (guint i = 0; i <= blocks->len; i++) {
        guint only = i < blocks->len ? g_array_index(blocks, guint, i) : 0;
        g_autofree char *more = uncomment(text, only, again);
        g_autofree char *faults = NULL, *doubts = NULL;
        g_autoptr(Policy) fuller = load(more, &faults, &doubts);
        if (fuller == NULL || *doubts != '\0')
            fail_msg("etc/replymilter.conf, examples of line %u: %s%s", only, faults, doubts);
        if (only == 0) {
            assert_true(policy_rule_count(fuller) >= 4);
            assert_true(policy_check_count(fuller) >= 4);
            assert_true(policy_site_rule_count(fuller) >= 2);
            assert_true(policy_filter_count(fuller) >= 2);
        }
    }
}

/* Every plain setting stands in the installed file, with its default where that is an example. */
static void
installed_file_has_every_setting(void **state)
{
    g_autofree char *path = g_build_filename(TEST_SOURCE_DIR, "etc", "replymilter.conf", NULL);
    g_autofree char *text = NULL;
    g_autofree char *problems = NULL, *warnings = NULL;
    g_autoptr(Policy) defaults = load("", &problems, &warnings);
    guint count;
    const SettingRow *rows = settings_rows(&count);
    (void)state;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (guint i = 0; i < count; i++) {
        g_auto(GStrv) parts = g_strsplit(rows[i].path, ".", 2);
        g_autofree char *section = g_strdup_printf("\n%s = {", parts[0]);
        g_autofree char *setting = g_strdup_printf("%s = ", parts[1]);
        g_autofree char *preset = setting_print(policy_settings(defaults), &rows[i]);
        g_autofree char *line = g_strdup_printf("%s%s;", setting, preset != NULL ? preset : "\"");
        const char *at = strstr(text, section);
        assert_non_null(at);
        g_autofree char *body = g_strndup(at, (gsize)(strstr(at, "\n};") - at));
        if (strstr(body, preset != NULL ? line : setting) == NULL)
            fail_msg("etc/replymilter.conf: %s is not there, or not with its default %s",
                     rows[i].path, preset);
    }
}

static void
prints_what_it_loads(void **state)
{
    static const char text[] =
        "site = { help_url = \"https://h/%{status}?a=\"; contact = \"a \\\\ b\"; };\n"
        "log = { key_file = \"DIR/key\"; addresses = \"hashed\"; };\n"
        "replies = { default = \"repair\"; rules = (\n"
        " { name = \"a\"; when = { text = \"/\\\\d \\\"(x)\\\"/i\"; code = [ \"5*\", \"!551\" ]; "
        "};\n"
        "   then = { code = 450; change_class = true; text = [ \"a %{1} 100%%\", \"b\" ]; }; },\n"
        " { name = \"b\"; then = { mode = \"keep\"; disclosure = \"brief\"; }; } ); };\n"
        "checks = (\n"
        " { name = \"c\"; when = { recipient = \"file:moved\"; }; then = { text = \"%{value}\"; }; "
        "},\n"
        " { name = \"d\"; when = { header = \"X: *\"; }; then = { action = \"quarantine\"; }; },\n"
        " { name = \"e\"; when = { helo = \"x\"; }; then = { text = \"x\"; at_once = true; }; } "
        ");\n"
        "bounces = { tag = true; recipients = [ \"bounces@*\", \"file:moved\" ]; max_body = "
        "\"2M\"; "
        "};\n"
        "classify = { rules = ( { category = \"policy\"; text = \"/odd \\\"(x)\\\"/\"; },\n"
        " { name = \"n\"; category = \"spam\"; code = [ \"5*\", \"!551\" ]; status = \"5.7.1\"; "
        "provider = \"google\"; } ); };\n"
        "filters = ( { name = \"f\"; socket = \"unix:/a \\\"b\\\"\"; timeout = 2.25; },\n"
        " { name = \"g\"; socket = \"inet:1@h\"; timeout = 10; connect_timeout = 0.123456; "
        "on_failure = \"accept\"; } );\n";
    g_autofree char *problems = NULL, *warnings = NULL;
    (void)state;
    put_file("moved", "old@example.net new@example.org\n", 0600);
    put_file("key", "0123456789abcdef", 0600);
    g_autoptr(Policy) policy = load(text, &problems, &warnings);
    assert_string_equal(problems, "");
    g_autofree char *printed = policy_print(policy);
    g_autofree char *faults = NULL, *doubts = NULL;
    g_autoptr(Policy) again = load(printed, &faults, &doubts);
    assert_string_equal(faults, "");
    g_autofree char *twice = policy_print(again);
    assert_string_equal(twice, printed);
    assert_null(policy_restart_needed(policy, again));
    assert_int_equal(policy_check(again, 0)->speaks_at, CHECK_POINT_RCPT);
    assert_string_equal(
        matcher_text(g_array_index(policy_rule(again, 0)->conditions, Condition, 0).matcher),
        "\"/\\\\d \\\"(x)\\\"/i\"");
    assert_string_equal(policy_filter(again, 0)->socket, "unix:/a \"b\"");
    assert_int_equal(policy_filter(again, 0)->timeout_us, 2250000);
    assert_int_equal(policy_filter(again, 1)->connect_timeout_us, 123456);
    assert_int_equal(policy_filter(again, 1)->on_failure, FILTER_FAILURE_ACCEPT);
    assert_non_null(strstr(printed, " timeout = 2.25; connect_timeout = 3.0; on_failure"));
    assert_non_null(strstr(printed, " timeout = 10.0; "));
}

static void
knows_what_needs_a_restart(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    (void)state;
    g_autoptr(Policy) one = load("milter = { socket = \"inet:1\"; };", &problems, &warnings);
    g_free(problems), g_free(warnings);
    g_autoptr(Policy) two = load("milter = { socket = \"inet:1\"; }; limits = { sessions = 7; };",
                                 &problems, &warnings);
    assert_null(policy_restart_needed(one, two));
    g_free(problems), g_free(warnings);
    g_autoptr(Policy) three = load(
        "milter = { socket = \"inet:2\"; }; log = { events = \"stdout\"; };", &problems, &warnings);
    g_autofree char *rows = policy_restart_needed(two, three);
    assert_string_equal(rows, "milter.socket, log.events");
}

/* ---- threads
 * ----------------------------------------------------------------------------------------------------
 */

enum { THREADS = 4, ROUNDS = 2000 };

static void *
use_policy(void *data)
{
    Policy *policy = data;
    const char *values[] = {"mail from x42", NULL};
    for (int i = 0; i < ROUNDS; i++) {
        Policy *own = policy_ref(policy);
        const PolicyRule *rule = policy_rule(own, 0);
        MatchCaptures captures = {NULL, NULL};
        g_assert(matcher_match(g_array_index(rule->conditions, Condition, 0).matcher, values,
                               &captures));
        g_assert_cmpstr(g_ptr_array_index(captures.captures, 0), ==, "42");
        match_captures_clear(&captures);
        const char *keys[] = {"OLD@example.net", NULL};
        g_assert(
            matcher_match(g_array_index(rule->conditions, Condition, 1).matcher, keys, &captures));
        g_assert_cmpstr(captures.value, ==, "new@example.org");
        match_captures_clear(&captures);
        policy_unref(own);
    }
    policy_unref(policy);
    return NULL;
}

/* The last of the threads frees it. */
static void
serves_many_threads(void **state)
{
    g_autofree char *problems = NULL, *warnings = NULL;
    pthread_t threads[THREADS];
    (void)state;
    put_file("moved", "old@example.net new@example.org\n", 0600);
    Policy *policy = load(
        RULE("text = \"/x(\\\\d+)/\"; recipient = \"file:moved\";", "text = \"%{1} %{value}\";"),
        &problems, &warnings);
    assert_string_equal(problems, "");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_policy, policy_ref(policy)), 0);
    policy_unref(policy);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_files),
        cmocka_unit_test(refuses_a_file_for_everybody),
        cmocka_unit_test(refuses_settings),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(takes_settings),
        cmocka_unit_test(finds_the_control_door),
        cmocka_unit_test(refuses_rules),
        cmocka_unit_test(warns_of_rules),
        cmocka_unit_test(understands_modes),
        cmocka_unit_test(refuses_checks),
        cmocka_unit_test(warns_of_checks),
        cmocka_unit_test(plans_checks),
        cmocka_unit_test(reads_reports_where_somebody_wants_them),
        cmocka_unit_test(refuses_site_rules),
        cmocka_unit_test(counts_site_rules),
        cmocka_unit_test(loads_the_installed_file),
        cmocka_unit_test(installed_file_has_every_setting),
        cmocka_unit_test(refuses_filters),
        cmocka_unit_test(warns_of_filters),
        cmocka_unit_test(takes_filters),
        cmocka_unit_test(prints_what_it_loads),
        cmocka_unit_test(knows_what_needs_a_restart),
        cmocka_unit_test(serves_many_threads),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
