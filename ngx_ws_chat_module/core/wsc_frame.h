
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The RFC 6455 frame header, section 5.2:
 *
 *   0                   1
 *   7 6 5 4 3 2 1 0 7 6 5 4 3 2 1 0
 *  +-+-+-+-+-------+-+-------------+----------------+----------+
 *  |F|R|R|R| opcode|M| length (7)  | 0, 2 or 8 more | mask key |
 *  |I|S|S|S|  (4)  |A|             | length octets  | if M: 4  |
 *  |N|V|V|V|       |S| 126: 2 more |                |          |
 *  | |1|2|3|       |K| 127: 8 more |                |          |
 *  +-+-+-+-+-------+-+-------------+----------------+----------+
 */


#ifndef _WSC_FRAME_H_INCLUDED_
#define _WSC_FRAME_H_INCLUDED_


#include "wsc_base.h"


#define WSC_FRAME_FIN         0x80
#define WSC_FRAME_RSV1        0x40
#define WSC_FRAME_RSV         0x70
#define WSC_FRAME_MASK        0x80

#define WSC_OP_CONT           0x0
#define WSC_OP_TEXT           0x1
#define WSC_OP_BINARY         0x2
#define WSC_OP_CLOSE          0x8
#define WSC_OP_PING           0x9
#define WSC_OP_PONG           0xa

#define WSC_FRAME_MAX_HEADER  14
#define WSC_MAX_CONTROL       125     /* section 5.5 */

/* Close codes, section 7.4.1 and docs/PROTOCOL.md */

#define WSC_CLOSE_NORMAL         1000
#define WSC_CLOSE_GOING_AWAY     1001
#define WSC_CLOSE_PROTOCOL       1002
#define WSC_CLOSE_UNSUPPORTED    1003
#define WSC_CLOSE_NO_STATUS      1005   /* never on the wire */
#define WSC_CLOSE_ABNORMAL       1006   /* never on the wire */
#define WSC_CLOSE_BAD_DATA       1007
#define WSC_CLOSE_POLICY         1008
#define WSC_CLOSE_TOO_BIG        1009
#define WSC_CLOSE_INTERNAL       1011
#define WSC_CLOSE_RESTART        1012
#define WSC_CLOSE_TRY_LATER      1013
#define WSC_CLOSE_EXPIRED        4001   /* the token has ended */
#define WSC_CLOSE_FORBIDDEN      4003
#define WSC_CLOSE_DISCONNECTED   4009   /* by an administrator */
#define WSC_CLOSE_NO_PONG        4102
#define WSC_CLOSE_SLOW           4108
#define WSC_CLOSE_RATE           4129


typedef struct {
    uint64_t         len;         /* payload octets, bit 63 clear */
    u_char           flags;       /* FIN and RSV bits */
    u_char           opcode;
    u_char           masked;      /* 1: key is valid */
    u_char           size;        /* octets of the header itself */
    u_char           key[4];
} wsc_frame_t;


/*
 * Reads a header from the len octets at p.  WSC_OK: f is filled and f->size
 * octets were used; WSC_AGAIN: more octets are needed, nothing is used;
 * WSC_ERROR: not minimal length or bit 63 set, *reason says which.
 * It checks form only: what a peer may send is wsc_conn's affair.
 */
ssize_t wsc_frame_parse(wsc_frame_t *f, const u_char *p, size_t len,
    const char **reason);

/*
 * Writes a header (flags: FIN and RSV1) for len octets of payload to p, which
 * has WSC_FRAME_MAX_HEADER octets; returns its size.  key: NULL for a server,
 * 4 octets for a client, which must mask its payload with it.
 */
size_t wsc_frame_header(u_char *p, u_char flags, u_char opcode, uint64_t len,
    const u_char *key);

/* 1 if the code may stand in a Close frame (sections 7.4.1, 7.4.2). */
int wsc_frame_close_code(unsigned code);


#endif /* _WSC_FRAME_H_INCLUDED_ */
