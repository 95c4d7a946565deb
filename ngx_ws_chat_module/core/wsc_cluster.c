
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "wsc_cluster.h"

#include <string.h>


#define WSC_CLUSTER_FIELDS  8         /* before the slots */


static uint16_t wsc_cluster_crc(const u_char *p, size_t len);
static int wsc_cluster_token(wsc_str_t *rest, u_char end, wsc_str_t *token);
static ssize_t wsc_cluster_line(wsc_str_t *line, wsc_cluster_map_t *map);
static ssize_t wsc_cluster_address(wsc_str_t *text, wsc_cluster_owner_t *o);
static int wsc_cluster_flag(wsc_str_t flags, const char *flag);
static ssize_t wsc_cluster_slots(wsc_str_t *range, wsc_cluster_map_t *map);
static ssize_t wsc_cluster_number(const wsc_str_t *text, uint32_t max,
    uint32_t *n);
static int wsc_cluster_is(const wsc_str_t *text, const char *word);


static const char *const  wsc_cluster_moved[] = {
    "MOVED", "READONLY", NULL
};

static const char *const  wsc_cluster_later[] = {
    "ASK", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "LOADING", NULL
};


uint16_t
wsc_cluster_slot(const wsc_str_t *key)
{
    size_t   len;
    u_char  *open, *close;

    open = key->len ? memchr(key->data, '{', key->len) : NULL;

    if (open != NULL) {
        open++;
        len = key->data + key->len - open;
        close = len ? memchr(open, '}', len) : NULL;

        if (close != NULL && close != open) {
            return wsc_cluster_crc(open, close - open) % WSC_CLUSTER_SLOTS;
        }
    }

    return wsc_cluster_crc(key->data, key->len) % WSC_CLUSTER_SLOTS;
}


/* CRC-16/XMODEM: polynomial 0x1021, nothing reflected. */

static uint16_t
wsc_cluster_crc(const u_char *p, size_t len)
{
    unsigned  bit;
    uint32_t  crc;

    crc = 0;

    for ( /* void */ ; len; len--) {
        crc ^= (uint32_t) *p++ << 8;

        for (bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1;
        }
    }

    return (uint16_t) crc;
}


ssize_t
wsc_cluster_read(const wsc_str_t *text, wsc_cluster_map_t *map)
{
    wsc_str_t  rest, line;

    map->n = 0;
    memset(map->slots, 0, sizeof(map->slots));

    rest = *text;

    if (rest.len == 0) {
        return WSC_DECLINED;
    }

    while (wsc_cluster_token(&rest, '\n', &line)) {

        if (line.len && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (line.len && wsc_cluster_line(&line, map) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    return WSC_OK;
}


/* Takes what is before `end`, or all; 0: there is nothing left. */

static int
wsc_cluster_token(wsc_str_t *rest, u_char end, wsc_str_t *token)
{
    u_char  *p;

    if (rest->len == 0) {
        return 0;
    }

    *token = *rest;
    p = memchr(rest->data, end, rest->len);

    if (p == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return 1;
    }

    token->len = p - rest->data;
    rest->data = p + 1;
    rest->len -= token->len + 1;

    return 1;
}


static ssize_t
wsc_cluster_line(wsc_str_t *line, wsc_cluster_map_t *map)
{
    unsigned              i;
    wsc_str_t             field[WSC_CLUSTER_FIELDS], range;
    wsc_cluster_owner_t  *o;

    for (i = 0; i < WSC_CLUSTER_FIELDS; i++) {
        if (!wsc_cluster_token(line, ' ', &field[i])) {
            return WSC_DECLINED;
        }
    }

    /* replicas and those whose address nobody knows have nothing for us */

    if (line->len == 0 || !wsc_cluster_flag(field[2], "master")
        || wsc_cluster_flag(field[2], "noaddr"))
    {
        return WSC_OK;
    }

    if (map->n == WSC_CLUSTER_OWNERS) {
        return WSC_DECLINED;
    }

    o = &map->owners[map->n++];

    if (wsc_cluster_address(&field[1], o) != WSC_OK) {
        return WSC_DECLINED;
    }

    while (wsc_cluster_token(line, ' ', &range)) {
        if (wsc_cluster_slots(&range, map) != WSC_OK) {
            return WSC_DECLINED;
        }
    }

    return WSC_OK;
}


/* IP:PORT[@BUS][,HOSTNAME[,...]]; the IP may have colons in it. */

static ssize_t
wsc_cluster_address(wsc_str_t *text, wsc_cluster_owner_t *o)
{
    size_t     i;
    uint32_t   port;
    wsc_str_t  endpoint, address, number;

    memset(o, 0, sizeof(wsc_cluster_owner_t));

    if (!wsc_cluster_token(text, ',', &endpoint)) {
        return WSC_DECLINED;
    }

    if (wsc_cluster_token(text, ',', &o->host)
        && memchr(o->host.data, '=', o->host.len) != NULL)
    {
        /* something else about it */
        o->host.len = 0;
    }

    if (!wsc_cluster_token(&endpoint, '@', &address)) {
        return WSC_DECLINED;
    }

    for (i = address.len; i && address.data[i - 1] != ':'; i--) { /* void */ }

    if (i == 0) {
        return WSC_DECLINED;
    }

    number.data = address.data + i;
    number.len = address.len - i;

    if (wsc_cluster_number(&number, 65535, &port) != WSC_OK || port == 0) {
        return WSC_DECLINED;
    }

    o->port = (uint16_t) port;
    o->ip.data = address.data;
    o->ip.len = i - 1;

    return WSC_OK;
}


static int
wsc_cluster_flag(wsc_str_t flags, const char *flag)
{
    wsc_str_t  one;

    while (wsc_cluster_token(&flags, ',', &one)) {
        if (wsc_str_is(&one, flag)) {
            return 1;
        }
    }

    return 0;
}


/* The last owner has these. */

static ssize_t
wsc_cluster_slots(wsc_str_t *range, wsc_cluster_map_t *map)
{
    uint32_t   first, last;
    wsc_str_t  one;

    if (range->len == 0 || range->data[0] == '[') {
        /* a slot that moves is still its owner's */
        return WSC_OK;
    }

    (void) wsc_cluster_token(range, '-', &one);

    if (wsc_cluster_number(&one, WSC_CLUSTER_SLOTS - 1, &first) != WSC_OK) {
        return WSC_DECLINED;
    }

    last = first;

    if (range->len
        && wsc_cluster_number(range, WSC_CLUSTER_SLOTS - 1, &last) != WSC_OK)
    {
        return WSC_DECLINED;
    }

    for ( /* void */ ; first <= last; first++) {

        if (map->slots[first]) {
            /* two have it: no such map, and no work without end */
            return WSC_DECLINED;
        }

        map->slots[first] = (uint16_t) map->n;
    }

    return WSC_OK;
}


static ssize_t
wsc_cluster_number(const wsc_str_t *text, uint32_t max, uint32_t *n)
{
    size_t    i;
    uint32_t  value;

    if (text->len == 0 || text->len > 5) {
        return WSC_DECLINED;
    }

    value = 0;

    for (i = 0; i < text->len; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return WSC_DECLINED;
        }

        value = value * 10 + (text->data[i] - '0');
    }

    if (value > max) {
        return WSC_DECLINED;
    }

    *n = value;

    return WSC_OK;
}


int
wsc_cluster_ok(const wsc_str_t *text)
{
    wsc_str_t  rest, line;

    rest = *text;

    while (wsc_cluster_token(&rest, '\n', &line)) {

        if (line.len && line.data[line.len - 1] == '\r') {
            line.len--;
        }

        if (wsc_cluster_is(&line, "cluster_state:ok")) {
            return 1;
        }
    }

    return 0;
}


wsc_cluster_error_e
wsc_cluster_error(const wsc_str_t *text)
{
    unsigned  i;

    for (i = 0; wsc_cluster_moved[i]; i++) {
        if (wsc_cluster_is(text, wsc_cluster_moved[i])) {
            return WSC_CLUSTER_MOVED;
        }
    }

    for (i = 0; wsc_cluster_later[i]; i++) {
        if (wsc_cluster_is(text, wsc_cluster_later[i])) {
            return WSC_CLUSTER_LATER;
        }
    }

    return WSC_CLUSTER_REFUSED;
}


/* The text is that word, or begins with it and a space. */

static int
wsc_cluster_is(const wsc_str_t *text, const char *word)
{
    size_t  len;

    len = strlen(word);

    return text->len >= len && memcmp(text->data, word, len) == 0
           && (text->len == len || text->data[len] == ' ');
}
