/*
 * socketmap_echo: what a socketmap server can reach that does nothing: bench/tables' measure.
 *
 * A thread a connection, blocking; each answer is OK and the key. With a file it appends one line
 * of 900 octets for each answer, by one write(), as a server that logs cannot do without.
 *
 *     socketmap_echo PATH [FILE]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire/netstring.h"
#include "wire/socketmap.h"

enum { REQUEST_MAX = 70000, LINE = 900 };

static int log_fd = -1;

static void
append_line(void)
{
    static const char line[LINE] = {[0 ... LINE - 2] = 'x', [LINE - 1] = '\n'};
    if (log_fd >= 0 && write(log_fd, line, sizeof line) < 0)
        perror("write");
}

/* Answers what is whole; returns how many octets that was, or -1. */
static gssize
answer(const char *input, gsize length, GString *output)
{
    gsize done = 0;
    Netstring request;

    for (;;) {
        NetstringState state =
            netstring_decode(input + done, length - done, REQUEST_MAX, &request, NULL);
        if (state != NETSTRING_WHOLE)
            return state == NETSTRING_MORE ? (gssize)done : -1;
        const char *space = memchr(request.payload, ' ', request.length);
        gsize before = space != NULL ? (gsize)(space - request.payload) : request.length;
        g_string_append_printf(output, "%" G_GSIZE_FORMAT ":OK", request.length - before + 2);
        g_string_append_len(output, request.payload + before, (gssize)(request.length - before));
        g_string_append_c(output, ',');
        append_line();
        done += request.size;
    }
}

static void *
serve(void *data)
{
    int fd = GPOINTER_TO_INT(data);
    char *input = g_malloc(REQUEST_MAX + 16);
    g_autoptr(GString) output = g_string_new(NULL);
    gsize length = 0;

    for (;;) {
        ssize_t got = recv(fd, input + length, REQUEST_MAX + 16 - length, 0);
        if (got <= 0)
            break;
        length += (gsize)got;
        gssize done = answer(input, length, output);
        if (done < 0 || send(fd, output->str, output->len, MSG_NOSIGNAL) != (ssize_t)output->len)
            break;
        length -= (gsize)done;
        memmove(input, input + done, length);
        g_string_truncate(output, 0);
    }
    close(fd);
    g_free(input);
    return NULL;
}

static int
listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    unlink(path);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(fd, SOMAXCONN) == 0)
        return fd;
    perror(path);
    exit(1);
}

int
main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: socketmap_echo PATH [FILE]\n");
        return 2;
    }
    if (argc == 3 && (log_fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0) {
        perror(argv[2]);
        return 1;
    }
    int listening = listen_on(argv[1]);
    for (;;) {
        pthread_t thread;
        int fd = accept(listening, NULL, NULL);
        if (fd < 0 || pthread_create(&thread, NULL, serve, GINT_TO_POINTER(fd)) != 0) {
            perror("accept");
            return 1;
        }
        pthread_detach(thread);
    }
}
