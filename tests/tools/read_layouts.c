/*
 * read_layouts: what the layouts read in mails, one line a finding.
 *
 * usage: read_layouts FILE...: file, layout, verdict, recipient, remote host and text, tabs between
 * them. A mail that no layout fits prints its name and "-".
 */
#include <stdio.h>

#include "classify/layout.h"

static const char *const verdict_names[] = {"failed", "delayed", "delivered"};

static void
print_reading(const char *path, const LayoutReading *reading)
{
    g_autofree char *name = g_path_get_basename(path);
    for (guint i = 0; i < reading->findings->len; i++) {
        const LayoutFinding *finding = g_ptr_array_index(reading->findings, i);
        printf("%s\t%s\t%s\t%s\t%s\t%s\n", name, reading->name, verdict_names[finding->verdict],
               finding->recipient, finding->remote_mta, finding->text);
    }
}

static gboolean
read_file(const Layouts *layouts, const char *path)
{
    g_autofree char *octets = NULL;
    g_autoptr(GError) error = NULL;
    gsize length;
    if (!g_file_get_contents(path, &octets, &length, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return FALSE;
    }
    g_autoptr(MimeView) view = mime_view_new(octets, length, &mime_limits_default);
    g_autoptr(LayoutReading) reading = layout_read(layouts, view);
    g_autofree char *name = g_path_get_basename(path);
    if (reading != NULL)
        print_reading(path, reading);
    else
        printf("%s\t-\n", name);
    return TRUE;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    mime_view_init();
    g_autoptr(Layouts) layouts = layouts_new(&error);
    if (layouts == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return 1;
    }
    gboolean whole = TRUE;
    for (int i = 1; i < argc; i++)
        whole = read_file(layouts, argv[i]) && whole;
    return whole ? 0 : 1;
}
