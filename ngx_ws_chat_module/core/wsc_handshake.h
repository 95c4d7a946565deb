
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The header values of an opening handshake: RFC 6455 section 4,
 * RFC 7692 section 7.1.  All parsers are linear in their input.
 */


#ifndef _WSC_HANDSHAKE_H_INCLUDED_
#define _WSC_HANDSHAKE_H_INCLUDED_


#include "wsc_deflate.h"


#define WSC_ACCEPT_LEN      28    /* base64 of a SHA-1 */
#define WSC_KEY_LEN         24    /* base64 of 16 octets */
#define WSC_EXTENSION_LEN   160   /* the longest answer we write */


typedef enum {
    WSC_PROTO_NONE = 0,           /* no subprotocol was offered */
    WSC_PROTO_JSON,               /* chat.v1.json */
    WSC_PROTO_MSGPACK             /* chat.v1.msgpack */
} wsc_proto_e;


/*
 * Checks Sec-WebSocket-Key (16 octets in canonical base64) and writes the
 * WSC_ACCEPT_LEN octets of Sec-WebSocket-Accept.  WSC_DECLINED: a bad key.
 */
ssize_t wsc_handshake_accept(const wsc_str_t *key, u_char *accept);

/*
 * 1 if the comma separated list holds the token, in any case of letters
 * (Connection: keep-alive, Upgrade).
 */
int wsc_handshake_token(const wsc_str_t *list, const char *token);

/*
 * Chooses from an offer of Sec-WebSocket-Protocol: the first of ours that the
 * client names.  Several header lines: call once for each, with the same
 * proto and bearer, which start as WSC_PROTO_NONE and empty.  An entry
 * "bearer.<token>" puts the token into *bearer (points into list).
 * WSC_OK; WSC_DECLINED: not a list of tokens.  *other is set to 1 if
 * something was offered that is neither.
 */
ssize_t wsc_handshake_protocol(const wsc_str_t *list, wsc_proto_e *proto,
    wsc_str_t *bearer, int *other);

/*
 * Takes the first acceptable permessage-deflate offer of a
 * Sec-WebSocket-Extensions line; window: the largest server window wanted
 * (9..15); takeover: who may use its context again (WSC_TAKEOVER_...) unless
 * the offer forbids it.  WSC_OK: params are agreed and the answer's *len
 * octets are in out (WSC_EXTENSION_LEN); WSC_DECLINED: none acceptable (go on
 * without); WSC_ERROR: not the grammar of RFC 6455 section 9.1 (answer 400).
 * Unknown extensions are skipped; offers with unknown, repeated or bad
 * parameters, or server_max_window_bits=8, declined.
 */
#define WSC_TAKEOVER_SERVER  1
#define WSC_TAKEOVER_CLIENT  2

ssize_t wsc_handshake_deflate(const wsc_str_t *list, int window, int takeover,
    wsc_deflate_params_t *params, u_char *out, size_t *len);

/*
 * The client's side: reads the server's answer to an offer of
 * "permessage-deflate; client_max_window_bits".  WSC_OK: agreed;
 * WSC_ERROR: not an answer to that offer: fail the connection.
 */
ssize_t wsc_handshake_answer(const wsc_str_t *value,
    wsc_deflate_params_t *params);


#endif /* _WSC_HANDSHAKE_H_INCLUDED_ */
