
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The status as people read it: one page that fetches itself every two
 * seconds and needs nothing from elsewhere.
 */


#include "ngx_ws_chat_status.h"
#include "ngx_ws_chat_bus.h"
#include "ngx_ws_chat_health.h"
#include "ngx_ws_chat_sample.h"
#include "ngx_ws_chat_store_shm.h"


static void ngx_ws_chat_page_head(wsc_buf_t *b, ngx_ws_chat_main_conf_t *mcf);
static void ngx_ws_chat_page_zones(wsc_buf_t *b, ngx_ws_chat_main_conf_t *mcf);
static void ngx_ws_chat_page_store(wsc_buf_t *b, ngx_ws_chat_zone_t *z,
    const ngx_ws_chat_counters_t *c);
static void ngx_ws_chat_page_busiest(wsc_buf_t *b);
static void ngx_ws_chat_page_fact(wsc_buf_t *b, const char *name,
    uint64_t value);
static void ngx_ws_chat_page_cell(wsc_buf_t *b, uint64_t value);
static void ngx_ws_chat_page_text(wsc_buf_t *b, const char *s);
static void ngx_ws_chat_page_escape(wsc_buf_t *b, const u_char *p, size_t len);
static void ngx_ws_chat_page_number(wsc_buf_t *b, uint64_t value);


static const char  ngx_ws_chat_page_begin[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\">"
    "<meta name=\"color-scheme\" content=\"light dark\">"
    "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"
    "<title>Chat status</title><style>"
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem auto;"
    "max-width:60rem;padding:0 1rem;background:light-dark(#fff,#16181c)}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin:1.5rem 0 .5rem}"
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(9rem,1fr));"
    "gap:.75rem;margin:0}"
    "dl div{border:1px solid #8885;border-radius:.5rem;padding:.5rem .75rem}"
    "dt,th{font-size:.85rem;font-weight:normal;"
    "color:light-dark(#57606a,#9aa4ae)}"
    "dd{margin:0;font-size:1.3rem;font-variant-numeric:tabular-nums}"
    ".ready{color:light-dark(#1a7f37,#4ac26b)}"
    ".draining{color:light-dark(#9a6700,#d4a72c)}"
    ".unavailable{color:light-dark(#cf222e,#ff8182)}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.35rem .5rem;"
    "border-bottom:1px solid #8885;"
    "font-variant-numeric:tabular-nums;overflow-wrap:anywhere}"
    ".n{text-align:right}"
    ".wide{overflow-x:auto}"
    "</style></head><body><main>";

static const char  ngx_ws_chat_page_end[] =
    "</main><p><label><input type=\"checkbox\" id=\"on\" checked> "
    "Refresh every two seconds</label></p><script>"
    "setInterval(async()=>{if(!document.getElementById('on').checked||"
    "document.hidden)return;try{const r=await fetch(location.href,"
    "{headers:{Accept:'text/html'}});if(!r.ok)return;"
    "const d=new DOMParser().parseFromString(await r.text(),'text/html');"
    "document.querySelector('main').replaceWith(d.querySelector('main'))"
    "}catch(e){}},2000)</script></body></html>\n";


void
ngx_ws_chat_status_page(ngx_http_request_t *r, wsc_buf_t *buf)
{
    ngx_ws_chat_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_ws_chat_module);

    ngx_ws_chat_sample_live(mcf);

    ngx_ws_chat_page_text(buf, ngx_ws_chat_page_begin);
    ngx_ws_chat_page_head(buf, mcf);
    ngx_ws_chat_page_zones(buf, mcf);
    ngx_ws_chat_page_busiest(buf);
    ngx_ws_chat_page_text(buf, ngx_ws_chat_page_end);
}


static void
ngx_ws_chat_page_head(wsc_buf_t *b, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t               workers;
    const char              *state, *reason;
    ngx_ws_chat_counters_t   sum;

    ngx_ws_chat_bus_sum(&sum, &workers);
    (void) ngx_ws_chat_health(mcf, &state, &reason);

    ngx_ws_chat_page_text(b, "<h1>Chat node ");
    ngx_ws_chat_page_escape(b, mcf->node.data, mcf->node.len);
    ngx_ws_chat_page_text(b, "</h1><p>Health: <strong class=\"");
    ngx_ws_chat_page_text(b, state);
    ngx_ws_chat_page_text(b, "\">");
    ngx_ws_chat_page_text(b, state);
    ngx_ws_chat_page_text(b, "</strong>");

    if (reason) {
        ngx_ws_chat_page_text(b, ", ");
        ngx_ws_chat_page_escape(b, (u_char *) reason, ngx_strlen(reason));
    }

    ngx_ws_chat_page_text(b, ". Version " NGX_WS_CHAT_VERSION
                          ".</p><dl>");

    ngx_ws_chat_page_fact(b, "Connections", sum.connections);
    ngx_ws_chat_page_fact(b, "Members", sum.members);
    ngx_ws_chat_page_fact(b, "Messages in/s", sum.rate_in);
    ngx_ws_chat_page_fact(b, "Messages out/s", sum.rate_out);
    ngx_ws_chat_page_fact(b, "Members behind", sum.behind);
    ngx_ws_chat_page_fact(b, "Memory, KiB", sum.memory / 1024);
    ngx_ws_chat_page_fact(b, "Workers", workers);
    ngx_ws_chat_page_fact(b, "Draining workers", sum.draining);
    ngx_ws_chat_page_fact(b, "Accepted", sum.accepted);
    ngx_ws_chat_page_fact(b, "Refused", sum.refused);
    ngx_ws_chat_page_fact(b, "Errors", sum.errors);
    ngx_ws_chat_page_fact(b, "Gaps", sum.gaps);

    ngx_ws_chat_page_text(b, "</dl>");
}


static void
ngx_ws_chat_page_zones(wsc_buf_t *b, ngx_ws_chat_main_conf_t *mcf)
{
    ngx_uint_t            i;
    ngx_ws_chat_stat_t    sum;
    ngx_ws_chat_zone_t  **zones;

    zones = mcf->zones.elts;

    ngx_ws_chat_page_text(b, "<h2>Zones</h2><div class=\"wide\"><table><tr>"
                          "<th scope=\"col\">Zone</th>"
                          "<th scope=\"col\">Store</th>"
                          "<th scope=\"col\" class=\"n\">Connections</th>"
                          "<th scope=\"col\" class=\"n\">Members</th>"
                          "<th scope=\"col\" class=\"n\">In/s</th>"
                          "<th scope=\"col\" class=\"n\">Out/s</th></tr>");

    for (i = 0; i < mcf->zones.nelts; i++) {
        ngx_ws_chat_bus_sum_row(&sum, zones[i]->row);

        ngx_ws_chat_page_text(b, "<tr><td>");
        ngx_ws_chat_page_escape(b, zones[i]->name.data, zones[i]->name.len);
        ngx_ws_chat_page_text(b, "</td><td>");
        ngx_ws_chat_page_store(b, zones[i], &sum.counters);
        ngx_ws_chat_page_text(b, "</td>");
        ngx_ws_chat_page_cell(b, sum.counters.connections);
        ngx_ws_chat_page_cell(b, sum.counters.members);
        ngx_ws_chat_page_cell(b, sum.counters.rate_in);
        ngx_ws_chat_page_cell(b, sum.counters.rate_out);
        ngx_ws_chat_page_text(b, "</tr>");
    }

    ngx_ws_chat_page_text(b, "</table></div>");
}


static void
ngx_ws_chat_page_store(wsc_buf_t *b, ngx_ws_chat_zone_t *z,
    const ngx_ws_chat_counters_t *c)
{
    wsc_shmlog_stat_t  st;

    if (z->redis) {
        ngx_ws_chat_page_text(b, z->durable ? "Kafka and Redis"
                                            : "Redis");
        ngx_ws_chat_page_text(b, c->stale ? ", without news; sends pending: "
                                          : "; sends pending: ");
        ngx_ws_chat_page_number(b, c->pending);
        return;
    }

    ngx_ws_chat_store_shm_stat(z, &st);

    ngx_ws_chat_page_text(b, "embedded: ");
    ngx_ws_chat_page_number(b, st.chats);
    ngx_ws_chat_page_text(b, " chats, ");
    ngx_ws_chat_page_number(b, st.messages);
    ngx_ws_chat_page_text(b, " messages, ");
    ngx_ws_chat_page_number(b, 100 * st.chunks_free / ngx_max(st.chunks, 1));
    ngx_ws_chat_page_text(b, "% free");
}


static void
ngx_ws_chat_page_busiest(wsc_buf_t *b)
{
    ngx_str_t           zone;
    ngx_uint_t          i, n;
    ngx_ws_chat_busy_t  busy[NGX_WS_CHAT_STAT_BUSY];

    ngx_ws_chat_page_text(b, "<h2>Busiest chats</h2><div class=\"wide\">"
                          "<table><tr><th scope=\"col\">Chat</th>"
                          "<th scope=\"col\">Zone</th>"
                          "<th scope=\"col\" class=\"n\">Members</th>"
                          "<th scope=\"col\" class=\"n\">Messages/s</th>"
                          "</tr>");

    n = ngx_ws_chat_status_busy(busy);

    if (n == 0) {
        ngx_ws_chat_page_text(b, "<tr><td colspan=\"4\">"
                              "None was seen in the last second.</td></tr>");
    }

    for (i = 0; i < n; i++) {
        zone = ngx_ws_chat_stat_name(busy[i].row);

        ngx_ws_chat_page_text(b, "<tr><td>");
        ngx_ws_chat_page_escape(b, busy[i].chat_id, busy[i].len);
        ngx_ws_chat_page_text(b, "</td><td>");
        ngx_ws_chat_page_escape(b, zone.data, zone.len);
        ngx_ws_chat_page_text(b, "</td>");
        ngx_ws_chat_page_cell(b, busy[i].members);
        ngx_ws_chat_page_cell(b, busy[i].rate);
        ngx_ws_chat_page_text(b, "</tr>");
    }

    ngx_ws_chat_page_text(b, "</table></div>");
}


static void
ngx_ws_chat_page_fact(wsc_buf_t *b, const char *name, uint64_t value)
{
    ngx_ws_chat_page_text(b, "<div><dt>");
    ngx_ws_chat_page_text(b, name);
    ngx_ws_chat_page_text(b, "</dt><dd>");
    ngx_ws_chat_page_number(b, value);
    ngx_ws_chat_page_text(b, "</dd></div>");
}


static void
ngx_ws_chat_page_cell(wsc_buf_t *b, uint64_t value)
{
    ngx_ws_chat_page_text(b, "<td class=\"n\">");
    ngx_ws_chat_page_number(b, value);
    ngx_ws_chat_page_text(b, "</td>");
}


static void
ngx_ws_chat_page_text(wsc_buf_t *b, const char *s)
{
    wsc_buf_add(b, s, ngx_strlen(s));
}


static void
ngx_ws_chat_page_escape(wsc_buf_t *b, const u_char *p, size_t len)
{
    u_char  *to;

    to = wsc_buf_reserve(b, len + ngx_escape_html(NULL, (u_char *) p, len));

    if (to != NULL) {
        b->len = (u_char *) ngx_escape_html(to, (u_char *) p, len) - b->data;
    }
}


static void
ngx_ws_chat_page_number(wsc_buf_t *b, uint64_t value)
{
    u_char  text[NGX_INT64_LEN + 1];

    wsc_buf_add(b, text, ngx_sprintf(text, "%uL", value) - text);
}
