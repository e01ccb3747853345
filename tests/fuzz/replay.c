/*
 * replay: feeds files to a fuzz target, with any compiler.
 *
 * Each fuzz target is linked with it, and `make check` replays the target's corpus (FUZZ_CORPUS, a
 * folder; files or folders given as arguments take its place). Each file is fed as it is and then
 * with a fixed sequence of mutations, the same in every run, so that every check tries some
 * thousands of hostile inputs. scripts/fuzz searches for new ones: there the targets are linked
 * with libFuzzer, whose main() takes the place of this one.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MUTATIONS = 300, MOST_GROWTH = 64 };

static guint64 seed = 0x9e3779b97f4a7c15u;

/* xorshift64: the same numbers everywhere. */
static guint64
next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static gsize
below(gsize limit)
{
    return limit == 0 ? 0 : (gsize)(next_random() % limit);
}

static void
mutate_once(GByteArray *input)
{
    static const guint8 octets[] = "\r\n\0 -.#<>:?_%0459\x7f\x80\xff";
    guint8 octet = next_random() % 2 ? octets[below(sizeof(octets))] : (guint8)next_random();
    gsize at = below(input->len);
    switch (next_random() % 4) {
    case 0:
        if (input->len > 0)
            input->data[at] = octet;
        break;
    case 1:
        if (input->len > 0)
            g_byte_array_remove_range(input, (guint)at,
                                      (guint)(1 + below(MIN(8, input->len - at))));
        break;
    case 2: {
        gsize length = below(MIN(MOST_GROWTH, input->len - at) + 1);
        if (length == 0)
            break;
        g_autofree guint8 *piece = g_memdup2(input->data + at, length);
        g_byte_array_append(input, piece, (guint)length);
        break;
    }
    default:
        g_byte_array_append(input, &octet, 1);
        if (input->len > 1) {
            memmove(input->data + at + 1, input->data + at, input->len - at - 1);
            input->data[at] = octet;
        }
    }
}

/* The target gets a copy of exactly this size, so that AddressSanitizer sees each octet beyond. */
static void
feed(const guint8 *data, gsize size)
{
    guint8 *copy = g_malloc(MAX(size, 1));
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    g_free(copy);
}

static void
feed_mutations(const guint8 *data, gsize size)
{
    for (int i = 0; i < MUTATIONS; i++) {
        g_autoptr(GByteArray) input = g_byte_array_new();
        if (size > 0)
            g_byte_array_append(input, data, (guint)size);
        for (gsize steps = 1 + below(6); steps > 0; steps--)
            mutate_once(input);
        feed(input->data, input->len);
    }
}

static void
replay_file(const char *path)
{
    g_autofree char *data = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(EXIT_FAILURE);
    }
    feed((const guint8 *)data, size);
    feed_mutations((const guint8 *)data, size);
}

static gint
compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static guint
replay(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    if (folder == NULL)
        g_ptr_array_add(paths, g_strdup(path));
    else
        for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
            g_ptr_array_add(paths, g_build_filename(path, name, NULL));
    g_ptr_array_sort(paths, compare_paths);
    for (guint i = 0; i < paths->len; i++)
        replay_file(paths->pdata[i]);
    return paths->len;
}

#ifdef FUZZ_BY_LIBFUZZER
#define main replay_main
int replay_main(int argc, char **argv);
#endif

int
main(int argc, char **argv)
{
    guint files = 0;
    for (int i = 1; i < argc; i++)
        files += replay(argv[i]);
    if (argc < 2)
        files = replay(FUZZ_CORPUS);
    printf("%u inputs replayed, %d mutations each\n", files, MUTATIONS);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
