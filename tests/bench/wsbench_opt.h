
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#ifndef _WSBENCH_OPT_H_INCLUDED_
#define _WSBENCH_OPT_H_INCLUDED_


#include <netinet/in.h>
#include <stdint.h>


#define WB_VERSION        "0.1.0"

#define WB_MAX_LIST       16
#define WB_MAX_PROCESSES  64

#define WB_EXIT_OK        0
#define WB_EXIT_LOSS      1       /* something failed or is missing */
#define WB_EXIT_USAGE     2
#define WB_EXIT_SYSTEM    3


typedef struct {
    const char         *values[WB_MAX_LIST];
    unsigned            n;
} wb_list_t;


typedef struct {
    struct sockaddr_in  addr;
    char               *host;     /* with the port, as in the URL */
    const char         *path;     /* a template */
    int                 tls;
} wb_url_t;


typedef struct {
    wb_url_t            values[WB_MAX_LIST];
    unsigned            n;
} wb_urls_t;


/* What {line} stands for, message by message. */

typedef struct {
    char              **values;
    uint32_t            n;
} wb_lines_t;


typedef struct {
    wb_urls_t           urls;
    wb_urls_t           posts;
    wb_list_t           init;     /* templates */
    wb_list_t           headers;  /* templates */
    wb_list_t           counts;
    const char         *init_reply;
    const char         *publish;  /* a template */
    const char         *marker;
    const char         *ack;
    const char         *subprotocol;
    wb_lines_t          lines;

    uint32_t            connections;
    uint32_t            rooms;
    uint32_t            publishers;   /* in each room */
    uint32_t            posters;      /* connections for posts, in each
                                         process */
    uint32_t            size;         /* of tag and padding */
    uint32_t            processes;
    uint32_t            sources;      /* addresses to connect from */
    uint32_t            run;          /* random */

    double              rate;         /* messages a second in each room */
    double              ramp;         /* connections a second */
    double              duration;     /* all of these in seconds */
    double              warmup;
    double              drain;
    double              half;         /* negative: whole requests */
    double              hold;
    double              timeout;

    int                 binary;
    int                 deflate;
    int                 spin;
    int                 step;
    int                 json;
    int                 quiet;
} wb_opt_t;


/* Ends the program with a clear message if the arguments make no sense. */
void wb_opt_parse(wb_opt_t *opt, int argc, char **argv);

/* Prints "wsbench: ..." and ends the program. */
void wb_die(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));


#endif /* _WSBENCH_OPT_H_INCLUDED_ */
