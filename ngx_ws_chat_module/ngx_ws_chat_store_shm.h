
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store: wsc_shmlog in the zone's shared memory, under the zone's
 * mutex, which NGINX's master breaks when its owner dies.
 */


#ifndef _NGX_WS_CHAT_STORE_SHM_H_INCLUDED_
#define _NGX_WS_CHAT_STORE_SHM_H_INCLUDED_


#include "ngx_ws_chat_store.h"


extern const ngx_ws_chat_store_t  ngx_ws_chat_store_shm;

/* Declares the shared memory of a zone while the configuration is read. */
ngx_int_t ngx_ws_chat_store_shm_create(ngx_conf_t *cf, ngx_ws_chat_zone_t *z,
    size_t size);

/* This worker was woken: delivers what is new in every zone. */
void ngx_ws_chat_store_shm_wake(void);

/* A worker died: its slot's interest is cleared in every zone. */
void ngx_ws_chat_store_shm_reclaim(ngx_uint_t slot);

/* Fills the numbers of one zone. */
void ngx_ws_chat_store_shm_stat(ngx_ws_chat_zone_t *z,
    wsc_shmlog_stat_t *st);

#if (NGX_WS_CHAT_TEST)

/* Calls hook at each point where a crash leaves a change half done. */
void ngx_ws_chat_store_shm_hook(ngx_ws_chat_zone_t *z,
    wsc_shmlog_hook_pt hook);

#endif


#endif /* _NGX_WS_CHAT_STORE_SHM_H_INCLUDED_ */
