
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The directive "ws_chat_sticky" and its key file.
 */


#include "ngx_ws_chat_sticky.h"


#define NGX_WS_CHAT_STICKY_FILE  4096    /* the largest key file */


/* What is read, piece by piece. */

typedef struct {
    ngx_conf_t       *cf;
    ngx_str_t         cookie;
    ngx_str_t         key;
    ngx_str_t         samesite;
    ngx_str_t         path;
    ngx_uint_t        secure;
    ngx_uint_t        httponly;
} ngx_ws_chat_sticky_parse_t;


typedef struct {
    ngx_str_t         name;                   /* with the "=" */
    size_t            offset;
} ngx_ws_chat_sticky_option_t;


static char *ngx_ws_chat_sticky_argument(ngx_ws_chat_sticky_parse_t *p,
    ngx_str_t *arg);
static char *ngx_ws_chat_sticky_check(ngx_ws_chat_sticky_parse_t *p);
static ngx_uint_t ngx_ws_chat_sticky_name(ngx_str_t *name);
static ngx_uint_t ngx_ws_chat_sticky_path(ngx_str_t *path);
static char *ngx_ws_chat_sticky_attributes(ngx_ws_chat_sticky_parse_t *p,
    ngx_str_t *attributes);
static char *ngx_ws_chat_sticky_keys(ngx_ws_chat_sticky_parse_t *p,
    ngx_ws_chat_sticky_conf_t *scf);
static ssize_t ngx_ws_chat_sticky_read(ngx_ws_chat_sticky_parse_t *p,
    u_char *buf, size_t size);


#define ngx_ws_chat_sticky_bad(p, ...)                                        \
    (ngx_conf_log_error(NGX_LOG_EMERG, (p)->cf, 0,                            \
                        "\"ws_chat_sticky\" " __VA_ARGS__), NGX_CONF_ERROR)

#define ngx_ws_chat_sticky_word(field)                                        \
    { ngx_string(#field "="), offsetof(ngx_ws_chat_sticky_parse_t, field) }

#define ngx_ws_chat_sticky_flag(field)                                        \
    { ngx_string(#field), offsetof(ngx_ws_chat_sticky_parse_t, field) }


static ngx_ws_chat_sticky_option_t  ngx_ws_chat_sticky_words[] = {
    ngx_ws_chat_sticky_word(cookie),
    ngx_ws_chat_sticky_word(key),
    ngx_ws_chat_sticky_word(samesite),
    ngx_ws_chat_sticky_word(path),
    { ngx_null_string, 0 }
};


static ngx_ws_chat_sticky_option_t  ngx_ws_chat_sticky_flags[] = {
    ngx_ws_chat_sticky_flag(secure),
    ngx_ws_chat_sticky_flag(httponly),
    { ngx_null_string, 0 }
};


static struct {
    ngx_str_t         name;
    const char       *attribute;
} ngx_ws_chat_sticky_samesite[] = {
    { ngx_string("strict"), "; SameSite=Strict" },
    { ngx_string("lax"), "; SameSite=Lax" },
    { ngx_string("none"), "; SameSite=None" },
    { ngx_null_string, NULL }
};


char *
ngx_ws_chat_sticky_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ws_chat_sticky_conf_t  *scf = conf;

    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_ws_chat_sticky_parse_t   p;

    if (scf->nkeys) {
        return "is duplicate";
    }

    ngx_memzero(&p, sizeof(ngx_ws_chat_sticky_parse_t));
    p.cf = cf;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_ws_chat_sticky_argument(&p, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_ws_chat_sticky_check(&p) != NGX_CONF_OK
        || ngx_ws_chat_sticky_attributes(&p, &scf->attributes)
           != NGX_CONF_OK
        || ngx_ws_chat_sticky_keys(&p, scf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    scf->cookie = p.cookie;

    if (ngx_array_init(&scf->values, cf->pool, 4,
                       sizeof(ngx_ws_chat_sticky_values_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_sticky_argument(ngx_ws_chat_sticky_parse_t *p, ngx_str_t *arg)
{
    ngx_str_t                    *word;
    ngx_uint_t                   *flag;
    ngx_ws_chat_sticky_option_t  *o;

    for (o = ngx_ws_chat_sticky_words; o->name.len; o++) {
        if (ngx_strncmp(arg->data, o->name.data, o->name.len) != 0) {
            continue;
        }

        word = (ngx_str_t *) ((u_char *) p + o->offset);

        if (word->data) {
            return ngx_ws_chat_sticky_bad(p, "has two \"%V\"", &o->name);
        }

        word->data = arg->data + o->name.len;
        word->len = arg->len - o->name.len;

        return NGX_CONF_OK;
    }

    for (o = ngx_ws_chat_sticky_flags; o->name.len; o++) {
        if (ngx_strcmp(arg->data, o->name.data) != 0) {
            continue;
        }

        flag = (ngx_uint_t *) ((u_char *) p + o->offset);

        if (*flag) {
            return ngx_ws_chat_sticky_bad(p, "has two \"%V\"", &o->name);
        }

        *flag = 1;

        return NGX_CONF_OK;
    }

    return ngx_ws_chat_sticky_bad(p, "does not know \"%V\"", arg);
}


static char *
ngx_ws_chat_sticky_check(ngx_ws_chat_sticky_parse_t *p)
{
    if (p->cookie.data == NULL) {
        return ngx_ws_chat_sticky_bad(p, "needs \"cookie=\", a name");
    }

    if (!ngx_ws_chat_sticky_name(&p->cookie)) {
        return ngx_ws_chat_sticky_bad(p, "needs \"cookie=\" to be 1 to %d "
                                      "characters out of A-Z a-z 0-9 _ . -, "
                                      "not \"%V\"", WSC_STICKY_NAME,
                                      &p->cookie);
    }

    if (p->key.len == 0) {
        return ngx_ws_chat_sticky_bad(p, "needs \"key=\", a file");
    }

    if (p->path.data == NULL) {
        ngx_str_set(&p->path, "/");
    }

    if (!ngx_ws_chat_sticky_path(&p->path)) {
        return ngx_ws_chat_sticky_bad(p, "needs \"path=\" to begin with a "
                                      "\"/\" and to be printable without "
                                      "\";\", not \"%V\"", &p->path);
    }

    if (p->samesite.data == NULL) {
        ngx_str_set(&p->samesite, "lax");
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_ws_chat_sticky_name(ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch < '0' || ch > '9') && (ch < 'A' || ch > 'Z')
            && (ch < 'a' || ch > 'z') && ch != '_' && ch != '.' && ch != '-')
        {
            return 0;
        }
    }

    return name->len > 0 && name->len <= WSC_STICKY_NAME;
}


static ngx_uint_t
ngx_ws_chat_sticky_path(ngx_str_t *path)
{
    ngx_uint_t  i;

    for (i = 0; i < path->len; i++) {
        if (path->data[i] < ' ' || path->data[i] > '~'
            || path->data[i] == ';')
        {
            return 0;
        }
    }

    return path->len > 0 && path->data[0] == '/';
}


static char *
ngx_ws_chat_sticky_attributes(ngx_ws_chat_sticky_parse_t *p,
    ngx_str_t *attributes)
{
    u_char      *last;
    ngx_uint_t   i;

    for (i = 0; ngx_ws_chat_sticky_samesite[i].name.len; i++) {
        if (ngx_strcmp(p->samesite.data,
                       ngx_ws_chat_sticky_samesite[i].name.data)
            == 0)
        {
            break;
        }
    }

    if (ngx_ws_chat_sticky_samesite[i].name.len == 0) {
        return ngx_ws_chat_sticky_bad(p, "needs \"samesite=\" to be "
                                      "\"strict\", \"lax\" or \"none\", not "
                                      "\"%V\"", &p->samesite);
    }

    if (ngx_strcmp(p->samesite.data, "none") == 0 && !p->secure) {
        return ngx_ws_chat_sticky_bad(p, "needs \"secure\" with "
                                      "\"samesite=none\": browsers drop such "
                                      "a cookie without it");
    }

    attributes->data = ngx_pnalloc(p->cf->pool, p->path.len
                         + sizeof("; Path=; Secure; HttpOnly"
                                  "; SameSite=Strict"));
    if (attributes->data == NULL) {
        return NGX_CONF_ERROR;
    }

    last = ngx_sprintf(attributes->data, "; Path=%V%s%s%s", &p->path,
                       p->secure ? "; Secure" : "",
                       p->httponly ? "; HttpOnly" : "",
                       ngx_ws_chat_sticky_samesite[i].attribute);

    attributes->len = last - attributes->data;

    return NGX_CONF_OK;
}


static char *
ngx_ws_chat_sticky_keys(ngx_ws_chat_sticky_parse_t *p,
    ngx_ws_chat_sticky_conf_t *scf)
{
    ssize_t      n;
    wsc_str_t    text;
    const char  *reason;

    if (ngx_conf_full_name(p->cf->cycle, &p->key, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    text.data = ngx_pnalloc(p->cf->pool, NGX_WS_CHAT_STICKY_FILE + 1);
    if (text.data == NULL) {
        return NGX_CONF_ERROR;
    }

    n = ngx_ws_chat_sticky_read(p, text.data, NGX_WS_CHAT_STICKY_FILE + 1);
    if (n == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (n > NGX_WS_CHAT_STICKY_FILE) {
        return ngx_ws_chat_sticky_bad(p, "needs a key file of at most %d "
                                      "octets, but \"%V\" is larger",
                                      NGX_WS_CHAT_STICKY_FILE, &p->key);
    }

    text.len = n;

    n = wsc_sticky_keys(&text, scf->keys, &reason);
    if (n == WSC_ERROR) {
        return ngx_ws_chat_sticky_bad(p, "needs a key of 32 octets or more in "
                                      "\"%V\", which %s", &p->key, reason);
    }

    scf->nkeys = n;

    return NGX_CONF_OK;
}


static ssize_t
ngx_ws_chat_sticky_read(ngx_ws_chat_sticky_parse_t *p, u_char *buf,
    size_t size)
{
    size_t    len;
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(p->key.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, p->cf, ngx_errno,
                           "\"ws_chat_sticky\" cannot open \"%V\"", &p->key);
        return NGX_ERROR;
    }

    for (len = 0; len < size; len += n) {
        n = ngx_read_fd(fd, buf + len, size - len);

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, p->cf, ngx_errno,
                               "\"ws_chat_sticky\" cannot read \"%V\"",
                               &p->key);
            break;
        }

        if (n == 0) {
            break;
        }
    }

    (void) ngx_close_file(fd);

    return (n == -1) ? NGX_ERROR : (ssize_t) len;
}
