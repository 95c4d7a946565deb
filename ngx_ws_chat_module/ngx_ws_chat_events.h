
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * ws_chat_kafka_topic events=: what back ends may want to hear of users, as
 * records.  Nobody waits for them, and chats go on without.
 */


#ifndef _NGX_WS_CHAT_EVENTS_H_INCLUDED_
#define _NGX_WS_CHAT_EVENTS_H_INCLUDED_


#include "ngx_ws_chat_conf.h"
#include "core/wsc_record.h"


/* 1: the zone's are told. */
ngx_uint_t ngx_ws_chat_events_are(const ngx_ws_chat_zone_t *z);

/*
 * Tells one, if they are; the caller has set event, user, and what else there
 * is but for node and timestamp.
 */
void ngx_ws_chat_events_tell(const ngx_ws_chat_zone_t *z, wsc_happening_t *h);


#endif /* _NGX_WS_CHAT_EVENTS_H_INCLUDED_ */
