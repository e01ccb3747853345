/*
 * socketmap_load: asks a socketmap server as fast as it answers, as bench/tables needs it.
 *
 * Like Postfix, each connection has one request on its way at a time. The keys are the lines of a
 * file, in turn ("\r\n" in a line stands for a line end in the key). Prints one line of JSON:
 * answers a second, how many were found, and the 50th, 99th and 99.9th percentile of the time an
 * answer took, in microseconds.
 *
 *     socketmap_load -a PATH -t TABLE -k FILE [-c CONNECTIONS] [-s SECONDS]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "wire/netstring.h"
#include "wire/socketmap.h"

enum {
    ANSWER_SIZE = SOCKETMAP_ANSWER_MAX + 16,
    LONGEST_US = 1000000, /* longer ones count as this */
};

typedef struct {
    int fd;
    gsize next; /* key */
    gint64 asked_us;
    gsize length;
    char answer[ANSWER_SIZE];
} Client;

static struct {
    char *path, *table, *keys;
    int connections;
    double seconds;
} options = {.connections = 10, .seconds = 2};

static GPtrArray *requests; /* of GString * */
static guint histogram[LONGEST_US + 1];
static guint64 answers, found, not_found;

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static void
read_keys(void)
{
    g_autofree char *content = NULL;
    if (!g_file_get_contents(options.keys, &content, NULL, NULL))
        die(options.keys);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(content), "\n", -1);
    requests = g_ptr_array_new();
    for (char **line = lines; *line != NULL; line++) {
        g_autoptr(GString) key = g_string_new(*line);
        GString *wire = g_string_new(NULL);
        g_string_replace(key, "\\r\\n", "\r\n", 0);
        socketmap_request_append(wire, options.table, key->str);
        g_ptr_array_add(requests, wire);
    }
}

static void
ask(Client *client)
{
    const GString *wire = requests->pdata[client->next];
    client->next = (client->next + 1) % requests->len;
    client->length = 0;
    client->asked_us = clock_monotonic_us();
    if (send(client->fd, wire->str, wire->len, MSG_NOSIGNAL) != (ssize_t)wire->len)
        die("send");
}

static void
count(const Client *client, const Netstring *answer)
{
    gint64 took = clock_monotonic_us() - client->asked_us;
    histogram[CLAMP(took, 0, LONGEST_US)]++;
    answers++;
    if (g_str_has_prefix(answer->payload, "OK "))
        found++;
    else if (g_str_has_prefix(answer->payload, "NOTFOUND "))
        not_found++;
}

static void
read_answer(Client *client)
{
    Netstring answer;
    ssize_t got =
        recv(client->fd, client->answer + client->length, ANSWER_SIZE - 1 - client->length, 0);
    if (got <= 0)
        die("the server has hung up");
    client->length += (gsize)got;
    client->answer[client->length] = '\0';
    switch (netstring_decode(client->answer, client->length, SOCKETMAP_ANSWER_MAX, &answer, NULL)) {
    case NETSTRING_WHOLE:
        count(client, &answer);
        ask(client);
        break;
    case NETSTRING_MORE:
        break;
    case NETSTRING_BROKEN:
        errno = EPROTO;
        die("the server's answer");
    }
}

static Client *
connect_client(int epoll, gsize number)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    Client *client = g_new0(Client, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    g_strlcpy(address.sun_path, options.path, sizeof address.sun_path);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
        die(options.path);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
        die("epoll_ctl");
    client->next = number * 7 % requests->len; /* not all the same at the same time */
    return client;
}

static double
run(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[64];

    for (int i = 0; i < options.connections; i++)
        ask(connect_client(epoll, (gsize)i));
    gint64 began = clock_monotonic_us(), now = began;
    gint64 end = began + (gint64)(options.seconds * G_USEC_PER_SEC);
    while (now < end) {
        int ready = epoll_wait(epoll, events, G_N_ELEMENTS(events), 1000);
        for (int i = 0; i < ready; i++)
            read_answer(events[i].data.ptr);
        now = clock_monotonic_us();
    }
    return (double)(now - began) / G_USEC_PER_SEC;
}

static guint
percentile(double part)
{
    guint64 below = 0, wanted = (guint64)((double)answers * part);
    guint us = 0;
    while (us < LONGEST_US && below + histogram[us] < wanted)
        below += histogram[us++];
    return us;
}

static void
read_options(int argc, char **argv)
{
    int letter;
    while ((letter = getopt(argc, argv, "a:t:k:c:s:")) != -1)
        switch (letter) {
        case 'a':
            options.path = optarg;
            break;
        case 't':
            options.table = optarg;
            break;
        case 'k':
            options.keys = optarg;
            break;
        case 'c':
            options.connections = atoi(optarg);
            break;
        case 's':
            options.seconds = g_ascii_strtod(optarg, NULL);
            break;
        default:
            exit(2);
        }
    if (options.path == NULL || options.table == NULL || options.keys == NULL ||
        options.connections < 1 || options.seconds <= 0) {
        fprintf(stderr, "usage: socketmap_load -a PATH -t TABLE -k FILE [-c CONNECTIONS] "
                        "[-s SECONDS]\n");
        exit(2);
    }
}

int
main(int argc, char **argv)
{
    read_options(argc, argv);
    read_keys();
    double seconds = run();
    printf("{\"answers\": %" G_GUINT64_FORMAT
           ", \"per_second\": %.0f, \"found\": %" G_GUINT64_FORMAT
           ", \"not_found\": %" G_GUINT64_FORMAT ", \"p50\": %u, \"p99\": %u, \"p999\": %u}\n",
           answers, (double)answers / seconds, found, not_found, percentile(0.5), percentile(0.99),
           percentile(0.999));
    return 0;
}
