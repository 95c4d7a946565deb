
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_store_test.h"
#include "ngx_ws_chat_store_shm.h"


#define NGX_WS_CHAT_TEST_HOLD   10000    /* ms */


static void ngx_ws_chat_store_test_hook(void *ctx, int step);
static ngx_uint_t ngx_ws_chat_store_test_reached(ngx_fd_t fd, int step);


static ngx_str_t  *ngx_ws_chat_test_hold_path;


void
ngx_ws_chat_store_test_hold(ngx_ws_chat_zone_t *z, ngx_str_t *path)
{
    ngx_ws_chat_test_hold_path = path;
    ngx_ws_chat_store_shm_hook(z, ngx_ws_chat_store_test_hook);
}


static void
ngx_ws_chat_store_test_hook(void *ctx, int step)
{
    u_char      buf[NGX_INT64_LEN], path[NGX_MAX_PATH];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_msec_t  slept;

    fd = ngx_open_file(ngx_ws_chat_test_hold_path->data, NGX_FILE_RDWR,
                       NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return;
    }

    (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.pid%Z",
                        ngx_ws_chat_test_hold_path);

    /* whoever renames it first is the one */

    if (!ngx_ws_chat_store_test_reached(fd, step)
        || ngx_rename_file(ngx_ws_chat_test_hold_path->data, path)
           == NGX_FILE_ERROR)
    {
        (void) ngx_close_file(fd);
        return;
    }

    n = ngx_sprintf(buf, "%P", ngx_pid) - buf;

    if (ftruncate(fd, 0) == -1 || pwrite(fd, buf, n, 0) != n) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "writing \"%s\" failed", path);
    }

    (void) ngx_close_file(fd);

    for (slept = 0; slept < NGX_WS_CHAT_TEST_HOLD; slept += 10) {
        ngx_msleep(10);
    }
}


/* The file holds "STEP TIMES"; each process counts for itself. */

static ngx_uint_t
ngx_ws_chat_store_test_reached(ngx_fd_t fd, int step)
{
    u_char                  *p, *last, buf[NGX_INT64_LEN];
    ssize_t                  n;
    ngx_uint_t               times;
    ngx_file_info_t          fi;
    static time_t            mtime;
    static ngx_uint_t        count;
    static ngx_file_uniq_t   uniq;

    n = ngx_read_fd(fd, buf, sizeof(buf));

    if (n <= 0 || ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        return 0;
    }

    last = buf + n;
    p = ngx_strlchr(buf, last, ' ');

    if (p == NULL || ngx_atoi(buf, p - buf) != step) {
        return 0;
    }

    if (uniq != ngx_file_uniq(&fi) || mtime != ngx_file_mtime(&fi)) {
        uniq = ngx_file_uniq(&fi);
        mtime = ngx_file_mtime(&fi);
        count = 0;
    }

    times = ngx_atoi(p + 1, last - p - 1);

    return ++count >= times;
}
