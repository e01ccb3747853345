/*
 * replay: feeds files to a fuzz target, with any compiler.
 *
 * Each fuzz target is linked with it, and `make check` replays the target's corpus (FUZZ_CORPUS, a
 * folder; files or folders given as arguments take its place). To search for new inputs, link the
 * target without this file by clang -fsanitize=fuzzer,address,undefined.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static guint
replay_file(const char *path)
{
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;
    gsize size;

    if (!g_file_get_contents(path, &content, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    /* A copy of just that size: g_file_get_contents() has a NUL behind it. */
    g_autofree uint8_t *data = g_memdup2(content, size);
    LLVMFuzzerTestOneInput(data != NULL ? data : (const uint8_t *)"", size);
    return 1;
}

static guint
replay(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint files = 0;

    if (folder == NULL)
        return replay_file(path);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        files += replay_file(inside);
    }
    return files;
}

int
main(int argc, char **argv)
{
    guint files = 0;

    for (int i = 1; i < argc; i++)
        files += replay(argv[i]);
    if (argc < 2)
        files = replay(FUZZ_CORPUS);
    printf("%u inputs replayed\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
