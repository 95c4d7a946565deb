
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Records of what becomes of a message.
 */


#include <string.h>

#include "bk_record.h"
#include "bk_record_int.h"
#include "wsc_record.h"


static bk_op_e bk_record_op(const bk_fields_t *f, bk_record_t *r);


/*
 * What another op means nobody knows: such a record is read as a message, and
 * so is all that has a sender, whatever else a producer puts there.
 */

ssize_t
bk_record_change(const bk_fields_t *f, bk_record_t *r, const char **reason)
{
    r->op = bk_record_op(f, r);

    if (r->op == BK_OP_MESSAGE) {
        return WSC_OK;
    }

    if (f->rule) {
        *reason = f->rule;
        return WSC_DECLINED;
    }

    if (bk_record_uint(f, BK_FIELD_EPOCH, &r->target.epoch) != WSC_OK
        || bk_record_uint(f, BK_FIELD_SEQ, &r->target.seq) != WSC_OK
        || r->target.epoch >= WSC_MAX_INTEGER
        || r->target.seq >= WSC_MAX_INTEGER
        || r->target.seq == 0)
    {
        *reason = "a change with bad or no epoch and seq";
        return WSC_DECLINED;
    }

    r->moderate = bk_record_true(f, BK_FIELD_MODERATE);

    switch (bk_record_string(f, BK_FIELD_BY, &r->names, &r->sender)) {

    case WSC_OK:
        if (wsc_user_valid(&r->sender)) {
            return WSC_OK;
        }

        break;

    case WSC_DONE:
        if (r->moderate) {
            return WSC_OK;
        }

        break;

    default:
        break;
    }

    *reason = "a change by nobody";

    return WSC_DECLINED;
}


static bk_op_e
bk_record_op(const bk_fields_t *f, bk_record_t *r)
{
    wsc_str_t  op;

    if (f->values[BK_FIELD_SENDER].data != NULL
        || bk_record_string(f, BK_FIELD_OP, &r->names, &op) != WSC_OK)
    {
        return BK_OP_MESSAGE;
    }

    if (wsc_str_is(&op, WSC_RECORD_EDIT)) {
        return BK_OP_EDIT;
    }

    return wsc_str_is(&op, WSC_RECORD_RETRACT) ? BK_OP_RETRACT
                                               : BK_OP_MESSAGE;
}
