/*
 * replyctl pages: static help pages for what site.help_url points at.
 */
#include <stdio.h>

#include "replyctl/command.h"
#include "replyctl/help_pages.h"

static const char description[] = "Put DIR on a web server and let site.help_url point there:\n"
                                  "  help_url = \"https://mail.example.net/why/%{status}\";\n"
                                  "404.html there is for numbers that no table has.";

int
cmd_pages(int argc, char **argv)
{
    g_autofree char *contact = NULL;
    guint written = 0;
    g_autoptr(GError) error = NULL;
    const GOptionEntry entries[] = {
        {"contact", 'c', 0, G_OPTION_ARG_STRING, &contact, "whom to ask, at the foot of each page",
         "WHOM"},
        G_OPTION_ENTRY_NULL,
    };
    if (!command_parse(entries, description, &argc, &argv))
        return COMMAND_USAGE;
    if (argc != 2) {
        command_complain("pages: which folder? (see replyctl pages --help)");
        return COMMAND_USAGE;
    }
    if (!help_pages_write(argv[1], contact, &written, &error)) {
        command_complain("pages: %s", error->message);
        return COMMAND_FAILED;
    }
    printf("%s: %u pages; begin with %s/index.html\n", argv[1], written, argv[1]);
    return COMMAND_DONE;
}
