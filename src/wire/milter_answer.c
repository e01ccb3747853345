/*
 * milter_answer: what a filter tells the MTA.
 */
#include "wire/milter_answer.h"

#include "wire/milter_fields.h"
#include "wire/milter_negotiation.h"

/* What an answer's data hold. */
typedef enum {
    FORM_NOTHING,
    FORM_ADDRESS,
    FORM_ADDRESS_ARGUMENTS,
    FORM_HEADER,
    FORM_INDEX_HEADER,
    FORM_INDEX_NAMES,
    FORM_OCTETS,
    FORM_TEXT,
} Form;

typedef struct {
    MilterAnswerCode code;
    MilterAnswerKind kind;
    guint32 action;
    Form form;
} AnswerRow;

static const AnswerRow answers[] = {
    {MILTER_ANSWER_CONTINUE, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_ACCEPT, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_REJECT, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_TEMPFAIL, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_DISCARD, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_SKIP, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_SHUTDOWN, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_CONN_FAIL, MILTER_ANSWER_IS_VERDICT, 0, FORM_NOTHING},
    {MILTER_ANSWER_REPLYCODE, MILTER_ANSWER_IS_VERDICT, 0, FORM_TEXT},
    {MILTER_ANSWER_PROGRESS, MILTER_ANSWER_IS_PROGRESS, 0, FORM_NOTHING},
    {MILTER_ANSWER_SETSYMLIST, MILTER_ANSWER_IS_SETTING, MILTER_ACTION_SETSYMLIST,
     FORM_INDEX_NAMES},
    {MILTER_ANSWER_ADDRCPT, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_ADDRCPT, FORM_ADDRESS},
    {MILTER_ANSWER_ADDRCPT_PAR, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_ADDRCPT_PAR,
     FORM_ADDRESS_ARGUMENTS},
    {MILTER_ANSWER_DELRCPT, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_DELRCPT, FORM_ADDRESS},
    {MILTER_ANSWER_CHGFROM, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_CHGFROM, FORM_ADDRESS_ARGUMENTS},
    {MILTER_ANSWER_ADDHEADER, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_ADDHDRS, FORM_HEADER},
    {MILTER_ANSWER_INSHEADER, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_ADDHDRS, FORM_INDEX_HEADER},
    {MILTER_ANSWER_CHGHEADER, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_CHGHDRS, FORM_INDEX_HEADER},
    {MILTER_ANSWER_REPLBODY, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_CHGBODY, FORM_OCTETS},
    {MILTER_ANSWER_QUARANTINE, MILTER_ANSWER_IS_CHANGE, MILTER_ACTION_QUARANTINE, FORM_TEXT},
};

static const AnswerRow *
find(MilterAnswerCode code)
{
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        if (answers[i].code == code)
            return &answers[i];
    return NULL;
}

MilterAnswerKind
milter_answer_kind(MilterAnswerCode code)
{
    const AnswerRow *row = find(code);
    return row != NULL ? row->kind : MILTER_ANSWER_IS_UNKNOWN;
}

guint32
milter_answer_action(MilterAnswerCode code)
{
    const AnswerRow *row = find(code);
    return row != NULL ? row->action : 0;
}

static gboolean
parse_header(MilterFields *fields, MilterAnswer *answer, GError **error)
{
    return milter_fields_name(fields, "name", &answer->name, error) &&
           milter_fields_string(fields, "value", &answer->value, error);
}

/* Postfix takes a text without its NUL, too. */
static void
parse_text(MilterFields *fields, MilterAnswer *answer)
{
    milter_fields_rest(fields, &answer->octets, &answer->length);
    if (answer->length > 0 && answer->octets[answer->length - 1] == '\0')
        answer->length--;
}

static gboolean
parse_fields(MilterFields *fields, Form form, MilterAnswer *answer, GError **error)
{
    switch (form) {
    case FORM_NOTHING:
        break;
    case FORM_ADDRESS:
        return milter_fields_name(fields, "address", &answer->address, error);
    case FORM_ADDRESS_ARGUMENTS:
        return milter_fields_name(fields, "address", &answer->address, error) &&
               (fields->left == 0 ||
                milter_fields_string(fields, "arguments", &answer->arguments, error));
    case FORM_HEADER:
        return parse_header(fields, answer, error);
    case FORM_INDEX_HEADER:
        return milter_fields_long(fields, "index", &answer->index, error) &&
               parse_header(fields, answer, error);
    case FORM_INDEX_NAMES:
        return milter_fields_long(fields, "stage", &answer->index, error) &&
               milter_fields_string(fields, "macros", &answer->value, error);
    case FORM_OCTETS:
        milter_fields_rest(fields, &answer->octets, &answer->length);
        break;
    case FORM_TEXT:
        parse_text(fields, answer);
        break;
    }
    return TRUE;
}

gboolean
milter_answer_parse(const MilterPacket *packet, MilterAnswer *answer, GError **error)
{
    MilterFields fields = milter_fields(packet);

    *answer = (MilterAnswer){.code = (MilterAnswerCode)(guchar)packet->code};
    const AnswerRow *row = find(answer->code);
    if (row == NULL)
        return milter_fields_fail(packet->code, error, "where an answer is due");
    return parse_fields(&fields, row->form, answer, error) && milter_fields_end(&fields, error);
}

static void
append_fields(GString *out, Form form, const MilterAnswer *answer)
{
    if (form == FORM_INDEX_HEADER || form == FORM_INDEX_NAMES)
        milter_long_append(out, answer->index);
    if (form == FORM_ADDRESS || form == FORM_ADDRESS_ARGUMENTS)
        milter_string_append(out, answer->address);
    if (form == FORM_ADDRESS_ARGUMENTS && answer->arguments != NULL)
        milter_string_append(out, answer->arguments);
    if (form == FORM_HEADER || form == FORM_INDEX_HEADER)
        milter_string_append(out, answer->name);
    if (form == FORM_HEADER || form == FORM_INDEX_HEADER || form == FORM_INDEX_NAMES)
        milter_string_append(out, answer->value);
    if ((form == FORM_OCTETS || form == FORM_TEXT) && answer->length > 0)
        g_string_append_len(out, answer->octets, (gssize)answer->length);
    if (form == FORM_TEXT)
        g_string_append_c(out, '\0');
}

gsize
milter_answer_append(GString *out, const MilterAnswer *answer)
{
    const AnswerRow *row = find(answer->code);

    g_assert(row != NULL);
    gsize begun = milter_packet_begin(out, (char)answer->code);
    append_fields(out, row->form, answer);
    return milter_packet_end(out, begun);
}
