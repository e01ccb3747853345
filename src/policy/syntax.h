/*
 * syntax: the policy language's tokens and the order in which they may stand.
 *
 * libconfig says no more than "syntax error"; this says what is missing, or there twice, and where.
 * It takes exactly what libconfig 1.5 takes, but for two traps: two strings in a list without a
 * comma between them, and commas behind the last element, which only later versions take. Pure; one
 * owner.
 */
#pragma once

#include <glib.h>

typedef enum {
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_VALUE, /* a number, true, false */
    TOKEN_EQUALS,
    TOKEN_COMMA,
    TOKEN_SEMICOLON,
    TOKEN_OPEN,  /* { [ ( */
    TOKEN_CLOSE, /* } ] ) */
    TOKEN_END,   /* of a file */
} TokenKind;

typedef struct {
    TokenKind kind;
    const char *text; /* its first octet */
    gsize length;
} Token;

typedef struct SyntaxCheck SyntaxCheck;

SyntaxCheck *syntax_check_new(void);
void syntax_check_free(SyntaxCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyntaxCheck, syntax_check_free)

/* The next token, in `line` of the file that is being read. NULL: it may stand there; else what is
 * wrong, in words. The caller frees it. */
char *syntax_check_token(SyntaxCheck *check, Token token, guint line);

/* Round an included file: it closes what it opens. */
void syntax_check_enter(SyntaxCheck *check);
void syntax_check_leave(SyntaxCheck *check);

/* `text` as a string in the policy language, with its quotes. The caller frees it. */
char *syntax_quote(const char *text);
