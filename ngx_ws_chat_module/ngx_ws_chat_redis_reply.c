
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What hiredis makes of a reply: objects in memory that goes all at once, when
 * the reply was looked at.  They have the shape of hiredis's own.
 */


#include "ngx_ws_chat_redis_int.h"


#define NGX_WS_CHAT_REDIS_OBJECTS   4096         /* octets kept for them */
#define NGX_WS_CHAT_REDIS_ELEMENTS  (1 << 20)


static void *ngx_ws_chat_redis_string(const redisReadTask *task, char *str,
    size_t len);
static void *ngx_ws_chat_redis_array(const redisReadTask *task, int elements);
static void *ngx_ws_chat_redis_integer(const redisReadTask *task,
    long long value);
static void *ngx_ws_chat_redis_nil(const redisReadTask *task);
static redisReply *ngx_ws_chat_redis_object(const redisReadTask *task,
    int type, size_t more);


static redisReplyObjectFunctions  ngx_ws_chat_redis_functions = {
    .createString = ngx_ws_chat_redis_string,
    .createArray = ngx_ws_chat_redis_array,
    .createInteger = ngx_ws_chat_redis_integer,
    .createNil = ngx_ws_chat_redis_nil
};


void
ngx_ws_chat_redis_reply_open(ngx_ws_chat_redis_t *rc)
{
    rc->reader->fn = &ngx_ws_chat_redis_functions;
    rc->reader->privdata = rc;

    rc->elements = 0;
}


void
ngx_ws_chat_redis_reply_done(ngx_ws_chat_redis_t *rc)
{
    rc->elements = 0;

    if (rc->objects == NULL) {
        return;
    }

    if (rc->objects->d.next) {
        /* a long one, which is rare */
        ngx_ws_chat_redis_reply_close(rc);
        return;
    }

    ngx_reset_pool(rc->objects);
}


void
ngx_ws_chat_redis_reply_close(ngx_ws_chat_redis_t *rc)
{
    if (rc->objects) {
        ngx_destroy_pool(rc->objects);
        rc->objects = NULL;
    }
}


/* A string, a status or an error. */

static void *
ngx_ws_chat_redis_string(const redisReadTask *task, char *str, size_t len)
{
    redisReply  *r;

    r = ngx_ws_chat_redis_object(task, task->type, len + 1);

    if (r != NULL) {
        r->str = (char *) (r + 1);
        r->len = len;

        ngx_memcpy(r->str, str, len);
        r->str[len] = '\0';
    }

    return r;
}


/* A mere number can ask for gigabytes. */

static void *
ngx_ws_chat_redis_array(const redisReadTask *task, int elements)
{
    size_t                n;
    redisReply           *r;
    ngx_ws_chat_redis_t  *rc;

    rc = task->privdata;
    n = ngx_max(elements, 0);
    rc->elements += n;

    if (rc->elements > NGX_WS_CHAT_REDIS_ELEMENTS) {
        ngx_ws_chat_redis_fail(rc, "a reply of more than %d elements",
                               NGX_WS_CHAT_REDIS_ELEMENTS);
        return NULL;
    }

    r = ngx_ws_chat_redis_object(task, REDIS_REPLY_ARRAY,
                                 n * sizeof(redisReply *));

    if (r != NULL) {
        r->element = (redisReply **) (r + 1);
        r->elements = n;
    }

    return r;
}


static void *
ngx_ws_chat_redis_integer(const redisReadTask *task, long long value)
{
    redisReply  *r;

    r = ngx_ws_chat_redis_object(task, REDIS_REPLY_INTEGER, 0);

    if (r != NULL) {
        r->integer = value;
    }

    return r;
}


static void *
ngx_ws_chat_redis_nil(const redisReadTask *task)
{
    /* the task is that of a string or an array */

    return ngx_ws_chat_redis_object(task, REDIS_REPLY_NIL, 0);
}


/* In the task's place; more octets are behind it. */

static redisReply *
ngx_ws_chat_redis_object(const redisReadTask *task, int type, size_t more)
{
    redisReply           *r, *parent;
    ngx_ws_chat_redis_t  *rc;

    rc = task->privdata;

    if (rc->objects == NULL) {
        rc->objects = ngx_create_pool(NGX_WS_CHAT_REDIS_OBJECTS,
                                      ngx_cycle->log);
        if (rc->objects == NULL) {
            return NULL;
        }
    }

    r = ngx_palloc(rc->objects, sizeof(redisReply) + more);
    if (r == NULL) {
        return NULL;
    }

    ngx_memzero(r, sizeof(redisReply));
    r->type = type;

    if (task->parent) {
        parent = task->parent->obj;
        parent->element[task->idx] = r;
    }

    return r;
}
