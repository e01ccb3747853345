/*
 * policy/source: what is found wrong before libconfig sees a file, and where; what is handed on.
 */
#include "test_support.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/policy.h"
#include "policy/source.h"

static char *folder;

static int
make_folder(void **state)
{
    (void)state;
    folder = g_dir_make_tmp("source-XXXXXX", NULL);
    return folder == NULL;
}

static int
remove_folder(void **state)
{
    static const char *const names[] = {"main", "part", "loop", "deep"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return 0;
}

static char *
write_file(const char *name, const char *content, gssize length)
{
    char *path = g_build_filename(folder, name, NULL);
    assert_true(g_file_set_contents(path, content, length, NULL));
    return path;
}

static void
put_file(const char *name, const char *content, gssize length)
{
    g_free(write_file(name, content, length));
}

static GPtrArray *
new_problems(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)policy_problem_free);
}

/* The only problem of the file, with "DIR" for the folder. */
static char *
problem_of(const char *path)
{
    g_autoptr(GPtrArray) problems = new_problems();
    g_autoptr(Source) source = source_read(path, problems);
    if (source != NULL)
        return g_strdup("none");
    assert_int_equal(problems->len, 1);
    g_autofree char *text = policy_problem_format(g_ptr_array_index(problems, 0));
    g_auto(GStrv) parts = g_strsplit(text, folder, -1);
    return g_strjoinv("DIR", parts);
}

static void
finds_faults(void **state)
{
    static const struct {
        const char *text, *fault; /* behind "DIR/main" */
    } cases[] = {
        {"a = 1;\nb = \"x",
         ":2: syntax error: a string that begins here is not closed with '\"' on "
         "its line, in: b = \"x"},
        {"b = \"x\\\n\";", ":1: syntax error: a string that begins here is not closed with '\"' on "
                           "its line, in: b = \"x\\"},
        {"a = 1;\n/* never\nclosed", ":2: the comment that begins here is never closed with "
                                     "\"*/\", in: /* never"},
        {"a = { b = 1;\n", ":2: syntax error: the \"{\" of line 1 is never closed"},
        {"a = ( 1 };", ":1: syntax error: \"}\" cannot close the \"(\" of line 1, in: a = ( 1 };"},
        {"a = 1; };", ":1: syntax error: \"}\" closes nothing, in: a = 1; };"},
        {"mode \"x\";", ":1: syntax error: \"=\" is missing behind \"mode\", in: mode \"x\";"},
        {"mode { };", ":1: syntax error: \"=\" is missing behind \"mode\", in: mode { };"},
        {"mode", ":1: syntax error: \"=\" is missing behind \"mode\", in: mode"},
        {"mode = ;", ":1: syntax error: the value of \"mode\" is missing, in: mode = ;"},
        {"a = { mode = }",
         ":1: syntax error: the value of \"mode\" is missing, in: a = { mode = }"},
        {"mode = replace;", ":1: syntax error: \"replace\" needs double quotes, if it is a value, "
                            "in: mode = replace;"},
        {"a = [ x ];", ":1: syntax error: \"x\" needs double quotes, if it is a value, in: a = [ x "
                       "];"},
        {"a = 'x';",
         ":1: syntax error: strings stand in double quotes, not in single ones, in: a = "
         "'x';"},
        {"a = [ \"x\" \"y\" ];",
         ":1: syntax error: a comma is missing before this element, in: a = [ \"x\" \"y\" ];"},
        {"a = [ 1, ];", ":1: syntax error: a comma too many before \"]\", in: a = [ 1, ];"},
        {"a = [ , 1 ];", ":1: syntax error: \",\" has nothing before it, in: a = [ , 1 ];"},
        {"a = [ { b = 1; } ];",
         ":1: syntax error: \"[ ]\" holds only plain values: a list of others "
         "stands in \"( )\", in: a = [ { b = 1; } ];"},
        {"a = ( 1; 2 );", ":1: syntax error: \";\" cannot stand in a list: is its \")\" missing?, "
                          "in: a = ( 1; 2 );"},
        {"a = 1 2;", ":1: syntax error: a value stands here that has no name and \"=\" before it, "
                     "in: a = 1 2;"},
        {"= 1;", ":1: syntax error: \"=\" has no name before it, in: = 1;"},
        {"a = 1;;", ":1: syntax error: \";\" has nothing before it, in: a = 1;;"},
        {"a = 10M;", ":1: syntax error: \"10M\" is no number, and needs double quotes if it is a "
                     "value, in: a = 10M;"},
        {"a = 5.1.1;",
         ":1: syntax error: \"5.1.1\" is no number, and needs double quotes if it is a "
         "value, in: a = 5.1.1;"},
        {"a = -;",
         ":1: syntax error: \"-\" is no number, and needs double quotes if it is a value, "
         "in: a = -;"},
        {"a = 99999999999999999999;", ":1: the number 99999999999999999999 is too large, in: a = "
                                      "99999999999999999999;"},
        {"a = \"x\\x00y\";", ":1: a string cannot hold a NUL octet (\\x00), in: a = "
                             "\"x\\x00y\";"},
        {"a = $;", ":1: syntax error: \"$\" cannot stand here, in: a = $;"},
        {"\xef\xbb\xbf"
         "a = 1;",
         ":1: syntax error: octet 0xef cannot stand outside of a string, in: \xef\xbb\xbf"
         "a = "
         "1;"},
        {"a = 1; @include \"part\"", ":1: syntax error: \"@include\" stands at the beginning of a "
                                     "line, with a name in double quotes behind it, in: a = 1; "
                                     "@include \"part\""},
        {"@include part",
         ":1: syntax error: \"@include\" stands at the beginning of a line, with a "
         "name in double quotes behind it, in: @include part"},
        {"@include \"part", ":1: syntax error: the name of the included file is not closed with "
                            "'\"', in: @include \"part"},
        {"@include \"\"", ":1: the included file has no name, in: @include \"\""},
        {"\n@include \".\"", ":2: the included file \"DIR/.\" is a directory, in: @include \".\""},
        {"@include \"/dev/zero\"",
         ":1: the included file \"/dev/zero\" is not a regular file, in: @include \"/dev/zero\""},
        {"@include \"absent\"",
         ":1: the included file \"DIR/absent\" cannot be opened: No such file "
         "or directory, in: @include \"absent\""},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = write_file("main", cases[i].text, -1);
        g_autofree char *problem = problem_of(path);
        g_autofree char *fault = g_strconcat("DIR/main", cases[i].fault, NULL);
        assert_string_equal(problem, fault);
    }
}

static void
refuses_files(void **state)
{
    (void)state;
    g_autofree char *path = write_file("main", "a = 1;\n", -1);
    assert_int_equal(chmod(path, 0666), 0);
    g_autofree char *open = problem_of(path);
    assert_string_equal(open, "DIR/main: can be written by everybody: chmod o-w it");
    g_unlink(path);
    g_autofree char *absent = problem_of(path);
    assert_string_equal(absent, "DIR/main: cannot be opened: No such file or directory");
    g_autofree char *directory = problem_of(folder);
    assert_string_equal(directory, "DIR: is a directory");
    g_autofree char *nul = write_file("main", "a = 1;\0b = 2;", 13);
    g_autofree char *holds = problem_of(nul);
    assert_string_equal(holds, "DIR/main: holds a NUL octet");
    g_autofree char *large = g_strnfill(SOURCE_FILE_MAX_OCTETS + 1, ' ');
    g_autofree char *big = write_file("main", large, -1);
    g_autofree char *too = problem_of(big);
    assert_string_equal(too, "DIR/main: is larger than 1M");
    g_unlink(big);
    assert_int_equal(mkfifo(big, 0600), 0);
    g_autofree char *fifo = problem_of(big);
    assert_string_equal(fifo, "DIR/main: is not a regular file");
    g_unlink(big);
}

static void
bounds_includes(void **state)
{
    (void)state;
    g_autofree char *path = write_file("main", "@include \"main\"\n", -1);
    g_autofree char *loop = problem_of(path);
    assert_string_equal(loop, "DIR/main:1: files include each other more than 8 deep, in: @include "
                              "\"main\"");
    put_file("part", "", -1);
    g_autoptr(GString) many = g_string_new(NULL);
    for (int i = 0; i < SOURCE_MAX_FILES; i++)
        g_string_append(many, "@include \"part\"\n");
    g_autofree char *again = write_file("main", many->str, -1);
    g_autofree char *count = problem_of(again);
    assert_string_equal(count, "DIR/main:64: the included file \"DIR/part\" is one more than the "
                               "files that may be included, in: @include \"part\"");
    put_file("part", "x = {\n", -1);
    g_autofree char *main = write_file("main", "@include \"part\"\n};\n", -1);
    g_autofree char *unclosed = problem_of(main);
    assert_string_equal(unclosed, "DIR/part:2: syntax error: the \"{\" of line 1 is never closed");
    put_file("part", "};\n", -1);
    g_autofree char *outer = write_file("main", "x = {\n@include \"part\"\n", -1);
    g_autofree char *closed = problem_of(outer);
    assert_string_equal(closed, "DIR/part:1: syntax error: \"}\" closes nothing, in: };");
    g_autofree char *filler = g_strnfill(SOURCE_FILE_MAX_OCTETS - 1, '\n');
    put_file("part", filler, -1);
    g_autofree char *five = write_file(
        "main", "@include \"part\"\n@include \"part\"\n@include \"part\"\n@include \"part\"\n", -1);
    g_autofree char *sum = problem_of(five);
    assert_non_null(strstr(sum, "makes the whole policy larger than 4M"));
}

static void
bounds_brackets(void **state)
{
    (void)state;
    g_autoptr(GString) deep = g_string_new("a = ");
    for (int i = 0; i < 100000; i++)
        g_string_append_c(deep, '(');
    g_autofree char *path = write_file("main", deep->str, -1);
    g_autofree char *problem = problem_of(path);
    assert_non_null(
        strstr(problem, ":1: syntax error: brackets are more than 32 deep, in: a = ((("));
}

static void
hands_on(void **state)
{
    static const struct {
        const char *text, *handed;
    } cases[] = {
        {"a = 1;", "a = 1;\n"},
        {"a = 2147483647;", "a = 2147483647;\n"},
        {"a = 3000000000;", "a = 3000000000L;\n"},
        {"a = 3000000000L;", "a = 3000000000L;\n"},
        {"a = -3000000000;", "a = -3000000000L;\n"},
        {"a = 0xffffffff;", "a = 0xffffffffL;\n"},
        {"a = 1.5e3;", "a = 1.5e3;\n"},
        {"a = \"/* \\\" // # @include\";", "a = \"/* \\\" // # @include\";\n"},
        {"a = \"one\" \"two\";", "a = \"one\" \"two\";\n"},
        {"a /* b */ : TRUE # c", "a   : TRUE \n"},
        {"// c\r\na = 1,\r\n", "\na = 1, \n\n"},
        {"a = /* 1\n2 */ 3", "a =  \n 3\n"},
        {"", "\n"},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) problems = new_problems();
        g_autofree char *path = write_file("main", cases[i].text, -1);
        g_autoptr(Source) source = source_read(path, problems);
        assert_non_null(source);
        assert_string_equal(source_text(source), cases[i].handed);
    }
}

static guint
line_of(const char *text, const char *needle)
{
    guint line = 1;
    for (const char *end = strstr(text, needle); text < end; text++)
        line += *text == '\n';
    return line;
}

static void
knows_places(void **state)
{
    static const struct {
        const char *needle, *file;
        guint line;
        const char *quote;
    } places[] = {
        {"a", "main", 1, "a = 1;"}, {"b", "part", 1, "b = 2;"},
        {"c", "part", 3, "c = 4;"}, {"d", "main", 2, "@include \"part\" d = 5;"},
        {"e", "main", 4, "e = 6;"},
    };
    (void)state;
    g_autoptr(GPtrArray) problems = new_problems();
    g_autofree char *path = write_file("main", "a = 1;\n@include \"part\" d = 5;\n\n e = 6;", -1);
    put_file("part", "b = 2;\n\n  c = 4;", -1);
    g_autoptr(Source) source = source_read(path, problems);
    assert_non_null(source);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        guint text_line = line_of(source_text(source), places[i].needle), line;
        g_autofree char *file = g_path_get_basename(source_place(source, text_line, &line));
        g_autofree char *quote = source_quote(source, text_line);
        assert_string_equal(file, places[i].file);
        assert_int_equal(line, places[i].line);
        assert_string_equal(quote, places[i].quote);
    }
    assert_string_equal(source_folder(source), folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_faults),    cmocka_unit_test(refuses_files),
        cmocka_unit_test(bounds_includes), cmocka_unit_test(bounds_brackets),
        cmocka_unit_test(hands_on),        cmocka_unit_test(knows_places),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
