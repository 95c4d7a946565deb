
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_conf_file.h"


ngx_int_t
ngx_ws_chat_conf_file(ngx_conf_t *cf, const ngx_str_t *directive,
    ngx_str_t *name, ngx_str_t *text)
{
    ssize_t   n;
    ngx_fd_t  fd;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\" cannot open \"%V\"", directive, name);
        return NGX_ERROR;
    }

    text->len = 0;
    text->data = ngx_palloc(cf->pool, NGX_WS_CHAT_FILE_MAX + 1);

    n = (text->data != NULL) ? 1 : -1;

    while (n > 0 && text->len <= NGX_WS_CHAT_FILE_MAX) {
        n = ngx_read_fd(fd, text->data + text->len,
                        NGX_WS_CHAT_FILE_MAX + 1 - text->len);
        if (n > 0) {
            text->len += n;
        }
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\" cannot read \"%V\"", directive, name);

    } else if (text->len > NGX_WS_CHAT_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" reads no more than %d octets, \"%V\" is "
                           "larger", directive, NGX_WS_CHAT_FILE_MAX, name);
        n = -1;
    }

    (void) ngx_close_file(fd);

    return (n == -1) ? NGX_ERROR : NGX_OK;
}
