
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include "ngx_ws_chat_stat.h"
#include <time.h>


#define NGX_WS_CHAT_STAT_ROWS   (NGX_WS_CHAT_STAT_ZONES + 1)
#define NGX_WS_CHAT_STAT_NAME   64
#define NGX_WS_CHAT_STAT_WANT   15000     /* ms */

#define NGX_WS_CHAT_STAT_GAUGES                                               \
    (offsetof(ngx_ws_chat_counters_t, accepted) / sizeof(ngx_atomic_t))
#define NGX_WS_CHAT_STAT_WORDS                                                \
    (sizeof(ngx_ws_chat_counters_t) / sizeof(ngx_atomic_t))


/* Busy chats change while they are read: version is odd meanwhile. */

typedef struct {
    ngx_ws_chat_stat_t     rows[NGX_WS_CHAT_STAT_ROWS];
    ngx_atomic_t           version;
    ngx_atomic_t           nbusy;
    ngx_ws_chat_busy_t     busy[NGX_WS_CHAT_STAT_BUSY];
} ngx_ws_chat_stat_slot_t;


typedef struct {
    ngx_atomic_t           wanted;        /* ngx_current_msec */
    ngx_atomic_t           used[NGX_WS_CHAT_STAT_SLOTS];
    ngx_uint_t             nrows;
    size_t                 lens[NGX_WS_CHAT_STAT_ROWS];
    u_char                 names[NGX_WS_CHAT_STAT_ROWS][NGX_WS_CHAT_STAT_NAME];
    ngx_ws_chat_stat_slot_t
                           slots[NGX_WS_CHAT_STAT_SLOTS];
} ngx_ws_chat_stat_table_t;


static ngx_uint_t ngx_ws_chat_stat_row(ngx_str_t *name);
static void ngx_ws_chat_stat_add_hist(wsc_hist_t *sum, const wsc_hist_t *h);


static ngx_ws_chat_stat_table_t  *ngx_ws_chat_stat_table;    /* NULL: not made
                                                                yet */
static ngx_ws_chat_stat_slot_t   *ngx_ws_chat_stat_slot;     /* of this one */

static ngx_ws_chat_stat_t         ngx_ws_chat_stat_dummy;
ngx_ws_chat_stat_t               *ngx_ws_chat_stat_own =
                                                     &ngx_ws_chat_stat_dummy;


ngx_int_t
ngx_ws_chat_stat_create(ngx_log_t *log)
{
    ngx_ws_chat_stat_table_t  *t;

    if (ngx_ws_chat_stat_table != NULL) {
        return NGX_OK;
    }

    /* rows that are never used take no memory */

    t = mmap(NULL, sizeof(ngx_ws_chat_stat_table_t), PROT_READ|PROT_WRITE,
             MAP_ANON|MAP_SHARED, -1, 0);
    if (t == MAP_FAILED) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "mmap(%uz) failed",
                      sizeof(ngx_ws_chat_stat_table_t));
        return NGX_ERROR;
    }

    t->nrows = 1;
    ngx_ws_chat_stat_table = t;

    return NGX_OK;
}


void
ngx_ws_chat_stat_init_module(ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    if (ngx_ws_chat_stat_table == NULL) {
        return;
    }

    zones = mcf->zones.elts;

    for (i = 0; i < mcf->zones.nelts; i++) {
        zones[i]->row = ngx_ws_chat_stat_row(&zones[i]->name);
    }
}


/* Zones of earlier configurations keep their rows: they may still drain. */

static ngx_uint_t
ngx_ws_chat_stat_row(ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_ws_chat_stat_table_t  *t;

    t = ngx_ws_chat_stat_table;

    for (i = 1; i < t->nrows; i++) {
        if (t->lens[i] == name->len
            && ngx_strncmp(t->names[i], name->data, name->len) == 0)
        {
            return i;
        }
    }

    if (i == NGX_WS_CHAT_STAT_ROWS) {
        return i - 1;
    }

    t->lens[i] = ngx_min(name->len, NGX_WS_CHAT_STAT_NAME);
    ngx_memcpy(t->names[i], name->data, t->lens[i]);
    t->nrows = i + 1;

    return i;
}


void
ngx_ws_chat_stat_init_process(ngx_ws_chat_main_conf_t *mcf, ngx_uint_t slot)
{
    ngx_uint_t            i;
    ngx_ws_chat_zone_t  **zones;

    zones = mcf->zones.elts;

    if (ngx_ws_chat_stat_table != NULL && slot < NGX_WS_CHAT_STAT_SLOTS) {
        ngx_ws_chat_stat_table->used[slot] = 1;
        ngx_ws_chat_stat_slot = &ngx_ws_chat_stat_table->slots[slot];
        ngx_ws_chat_stat_own = &ngx_ws_chat_stat_slot->rows[0];
        ngx_ws_chat_stat_clean(slot);
    }

    for (i = 0; i < mcf->zones.nelts; i++) {
        zones[i]->stat = ngx_ws_chat_stat_slot
                         ? &ngx_ws_chat_stat_slot->rows[zones[i]->row]
                         : &ngx_ws_chat_stat_dummy;
    }
}


void
ngx_ws_chat_stat_clean(ngx_uint_t slot)
{
    ngx_uint_t                i;
    ngx_ws_chat_stat_slot_t  *s;

    if (ngx_ws_chat_stat_table == NULL || !ngx_ws_chat_stat_table->used[slot])
    {
        return;
    }

    s = &ngx_ws_chat_stat_table->slots[slot];
    s->nbusy = 0;

    /* whoever was about to change the busy ones has died */
    s->version = 0;

    for (i = 0; i < ngx_ws_chat_stat_table->nrows; i++) {
        ngx_memzero((void *) &s->rows[i].counters,
                    NGX_WS_CHAT_STAT_GAUGES * sizeof(ngx_atomic_t));
        s->rows[i].canary = 0;
    }
}


void
ngx_ws_chat_stat_add(ngx_ws_chat_stat_t *sum, ngx_uint_t slot, ngx_uint_t row,
    ngx_uint_t live)
{
    ngx_ws_chat_stat_t  *st;

    if (ngx_ws_chat_stat_table == NULL || !ngx_ws_chat_stat_table->used[slot])
    {
        return;
    }

    st = &ngx_ws_chat_stat_table->slots[slot].rows[row];

    ngx_ws_chat_stat_add_counters(&sum->counters, slot, row, live);

    ngx_ws_chat_stat_add_hist(&sum->ack, &st->ack);
    ngx_ws_chat_stat_add_hist(&sum->delivery, &st->delivery);
    ngx_ws_chat_stat_add_hist(&sum->resume, &st->resume);
    ngx_ws_chat_stat_add_hist(&sum->flush, &st->flush);
    ngx_ws_chat_stat_add_hist(&sum->kafka, &st->kafka);

    /* the oldest one tells */

    if (live && st->canary && (sum->canary == 0 || st->canary < sum->canary)) {
        sum->canary = st->canary;
    }
}


void
ngx_ws_chat_stat_add_counters(ngx_ws_chat_counters_t *sum, ngx_uint_t slot,
    ngx_uint_t row, ngx_uint_t live)
{
    ngx_uint_t     i;
    ngx_atomic_t  *to, *from;

    if (ngx_ws_chat_stat_table == NULL || !ngx_ws_chat_stat_table->used[slot])
    {
        return;
    }

    to = (ngx_atomic_t *) sum;
    from = (ngx_atomic_t *)
               &ngx_ws_chat_stat_table->slots[slot].rows[row].counters;

    for (i = live ? 0 : NGX_WS_CHAT_STAT_GAUGES; i < NGX_WS_CHAT_STAT_WORDS;
         i++)
    {
        to[i] += from[i];
    }
}


static void
ngx_ws_chat_stat_add_hist(wsc_hist_t *sum, const wsc_hist_t *h)
{
    ngx_uint_t  i;

    for (i = 0; i <= WSC_HIST_BOUNDS; i++) {
        sum->counts[i] += h->counts[i];
    }

    sum->sum += h->sum;
}


ngx_uint_t
ngx_ws_chat_stat_rows(void)
{
    return ngx_ws_chat_stat_table ? ngx_ws_chat_stat_table->nrows : 0;
}


ngx_str_t
ngx_ws_chat_stat_name(ngx_uint_t row)
{
    ngx_str_t  name;

    name.data = ngx_ws_chat_stat_table->names[row];
    name.len = ngx_ws_chat_stat_table->lens[row];

    return name;
}


void
ngx_ws_chat_stat_want(void)
{
    if (ngx_ws_chat_stat_table != NULL) {
        ngx_ws_chat_stat_table->wanted = ngx_current_msec;
    }
}


ngx_uint_t
ngx_ws_chat_stat_wanted(void)
{
    return ngx_ws_chat_stat_slot != NULL && ngx_ws_chat_stat_table->wanted
           && (ngx_msec_int_t) (ngx_current_msec
                                - ngx_ws_chat_stat_table->wanted)
              < NGX_WS_CHAT_STAT_WANT;
}


void
ngx_ws_chat_stat_put(const ngx_ws_chat_busy_t *busy, ngx_uint_t n)
{
    ngx_ws_chat_stat_slot_t  *s;

    s = ngx_ws_chat_stat_slot;

    if (s == NULL) {
        return;
    }

    s->version++;
    ngx_memory_barrier();

    s->nbusy = ngx_min(n, NGX_WS_CHAT_STAT_BUSY);
    ngx_memcpy(s->busy, busy, s->nbusy * sizeof(ngx_ws_chat_busy_t));

    ngx_memory_barrier();
    s->version++;
}


ngx_uint_t
ngx_ws_chat_stat_get(ngx_uint_t slot, ngx_ws_chat_busy_t *busy)
{
    ngx_uint_t                n;
    ngx_atomic_uint_t         version;
    ngx_ws_chat_stat_slot_t  *s;

    if (ngx_ws_chat_stat_table == NULL || !ngx_ws_chat_stat_table->used[slot])
    {
        return 0;
    }

    s = &ngx_ws_chat_stat_table->slots[slot];

    version = s->version;
    ngx_memory_barrier();

    n = ngx_min(s->nbusy, NGX_WS_CHAT_STAT_BUSY);
    ngx_memcpy(busy, s->busy, n * sizeof(ngx_ws_chat_busy_t));

    ngx_memory_barrier();

    /* it is being changed: none this time */

    return (version % 2 || s->version != version) ? 0 : n;
}


ngx_uint_t
ngx_ws_chat_stat_rank(ngx_ws_chat_busy_t *busy, ngx_uint_t n,
    const ngx_ws_chat_busy_t *b)
{
    ngx_uint_t  i;

    for (i = n; i > 0; i--) {

        if (b->rate < busy[i - 1].rate
            || (b->rate == busy[i - 1].rate
                && b->members <= busy[i - 1].members))
        {
            break;
        }
    }

    if (i == NGX_WS_CHAT_STAT_BUSY) {
        return n;
    }

    n = ngx_min(n + 1, NGX_WS_CHAT_STAT_BUSY);

    ngx_memmove(&busy[i + 1], &busy[i],
                (n - 1 - i) * sizeof(ngx_ws_chat_busy_t));
    busy[i] = *b;

    return n;
}


uint64_t
ngx_ws_chat_stat_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
