
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What both command fuzzers do with the commands they find: every message must
 * be what jansson takes too and survive the way to msgpack and back, and every
 * event made of it must pass the checkers.
 */


#ifndef _FUZZ_CMD_H_INCLUDED_
#define _FUZZ_CMD_H_INCLUDED_


#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>

#include "wsc_event.h"
#include "wsc_json.h"
#include "wsc_msgpack.h"


#define FUZZ_JANSSON  (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES               \
                       | JSON_DECODE_INT_AS_REAL)

/* A message in an event in the list of another, and what it adds. */
#define FUZZ_EVENT_DEPTH  (WSC_MAX_DEPTH + 3)
#define FUZZ_EVENT_BIN    4


#define fuzz_assert(x)  if (!(x)) { abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void *
fuzz_alloc_malloc(void *ctx, size_t size)
{
    return malloc(size);
}


static void
fuzz_alloc_free(void *ctx, void *p)
{
    free(p);
}


static const wsc_alloc_t  fuzz_alloc = {
    fuzz_alloc_malloc, fuzz_alloc_free, NULL
};


/* JSON, msgpack, JSON again and msgpack again. */

static void
fuzz_message_text(const wsc_str_t *text)
{
    json_t      *a, *b;
    wsc_buf_t    packed, again, back;
    const char  *reason;

    fuzz_assert(wsc_json_check(&fuzz_alloc, text->data, text->len,
                               WSC_MAX_DEPTH, &reason) == WSC_OK);

    wsc_buf_init(&packed, &fuzz_alloc);
    wsc_buf_init(&again, &fuzz_alloc);
    wsc_buf_init(&back, &fuzz_alloc);

    fuzz_assert(wsc_json_to_msgpack(text->data, text->len, &packed)
                == WSC_OK);
    fuzz_assert(wsc_msgpack_check(&fuzz_alloc, packed.data, packed.len,
                                  WSC_MAX_DEPTH, 0, &reason) == WSC_OK);
    fuzz_assert(wsc_msgpack_to_json(packed.data, packed.len, &back, &reason)
                == WSC_OK);
    fuzz_assert(wsc_json_check(&fuzz_alloc, back.data, back.len,
                               WSC_MAX_DEPTH, &reason) == WSC_OK);
    fuzz_assert(wsc_json_to_msgpack(back.data, back.len, &again) == WSC_OK);
    fuzz_assert(again.len == packed.len
                && memcmp(again.data, packed.data, again.len) == 0);

    a = json_loadb((char *) text->data, text->len, FUZZ_JANSSON, NULL);
    b = json_loadb((char *) back.data, back.len, FUZZ_JANSSON, NULL);
    fuzz_assert(a && b && json_equal(a, b));
    json_decref(a);
    json_decref(b);

    wsc_buf_free(&packed);
    wsc_buf_free(&again);
    wsc_buf_free(&back);
}


static void
fuzz_event_check(wsc_buf_t *b, wsc_enc_e enc)
{
    const char  *reason;

    fuzz_assert(!b->failed);

    if (enc == WSC_ENC_JSON) {
        fuzz_assert(wsc_json_check(&fuzz_alloc, b->data, b->len,
                                   FUZZ_EVENT_DEPTH, &reason) == WSC_OK);

    } else {
        fuzz_assert(wsc_msgpack_check(&fuzz_alloc, b->data, b->len,
                                      FUZZ_EVENT_DEPTH, FUZZ_EVENT_BIN,
                                      &reason) == WSC_OK);
    }

    b->len = 0;
}


static void
fuzz_events(const wsc_cmd_t *cmd, wsc_err_e err, const char *reason)
{
    wsc_buf_t      b;
    wsc_enc_e      enc;
    wsc_error_t    error = { err, reason, cmd->chat_id, cmd->cid, 0 };
    wsc_entry_t    e = {
        { 1, 2 }, { 1, 1 }, 3, wsc_string("ann"), cmd->cid, cmd->message,
        cmd->retry, 0
    };
    wsc_joined_t   joined = { cmd->after, &e, 1, NULL, 1, 0, NULL, NULL,
                               NULL, NULL, wsc_null_string, 0, &e, 1 };
    wsc_history_t  history = { &e, 1, cmd->before, cmd->retry };

    if (cmd->op != WSC_CMD_SEND) {
        joined.n = 0;
        joined.nchanged = 0;
        history.n = 0;
    }

    wsc_buf_init(&b, &fuzz_alloc);

    for (enc = 0; enc < WSC_ENC_N; enc++) {

        if (err != WSC_ERR_NONE) {
            wsc_event_error(&b, enc, &cmd->id, &error);
            fuzz_event_check(&b, enc);
            continue;
        }

        wsc_event_ack(&b, enc, &cmd->id, &cmd->chat_id, &cmd->cid, 1,
                      &cmd->before, cmd->retry);
        fuzz_event_check(&b, enc);

        wsc_event_joined(&b, enc, &cmd->id, &cmd->chat_id, &joined);
        fuzz_event_check(&b, enc);

        wsc_event_history(&b, enc, &cmd->id, &cmd->chat_id, &history);
        fuzz_event_check(&b, enc);

        if (cmd->op == WSC_CMD_SEND) {
            wsc_event_message(&b, enc, &cmd->chat_id, &e);
            fuzz_assert(b.len <= wsc_entry_size(&e));
            fuzz_event_check(&b, enc);

            wsc_event_update(&b, enc, &cmd->chat_id, &e);
            fuzz_assert(b.len <= wsc_entry_size(&e));
            fuzz_event_check(&b, enc);
        }
    }

    wsc_buf_free(&b);
}


static void
fuzz_commands(wsc_enc_e enc, const uint8_t *data, size_t size)
{
    int           n;
    ssize_t       rc;
    wsc_cmd_t     cmd;
    wsc_str_t     s = { size, (u_char *) data };
    wsc_err_e     err;
    const char   *reason;
    wsc_batch_t  *batch;

    reason = NULL;
    rc = wsc_batch_open(&fuzz_alloc, enc, &s, &batch, &reason);

    if (rc != WSC_OK) {
        fuzz_assert(rc == WSC_DECLINED && reason);
        return;
    }

    for (n = 0; /* void */ ; n++) {
        reason = NULL;

        rc = wsc_batch_next(batch, &cmd, &err, &reason);
        if (rc == WSC_DONE) {
            break;
        }

        fuzz_assert(rc == WSC_OK || (rc == WSC_DECLINED && reason));
        fuzz_assert((rc == WSC_OK) == (err == WSC_ERR_NONE));

        fuzz_assert(cmd.chat_id.len == 0 || wsc_chat_id_valid(&cmd.chat_id));
        fuzz_assert(cmd.cid.len == 0 || wsc_cid_valid(&cmd.cid));
        fuzz_assert(cmd.limit <= WSC_MAX_LIMIT);

        fuzz_events(&cmd, err, reason);

        if (rc == WSC_OK && cmd.op == WSC_CMD_SEND && !cmd.message.binary) {
            fuzz_message_text(&cmd.message.data);
        }
    }

    fuzz_assert(n && n <= WSC_MAX_BATCH);
    wsc_batch_close(batch);
}


#endif /* _FUZZ_CMD_H_INCLUDED_ */
