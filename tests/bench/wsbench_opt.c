
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The arguments of wsbench.
 */


#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netdb.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "wsbench_opt.h"
#include "wsbench_help.h"
#include "wsbench_tpl.h"


#define WB_SPARE_FDS  32
#define WB_LONG       256             /* an option without a letter */


typedef enum {
    WB_FLAG = 0,
    WB_NUMBER,
    WB_REAL,
    WB_TEXT,
    WB_LIST,
    WB_URL,
    WB_FILE,
    WB_HELP,
    WB_PRINT_VERSION
} wb_kind_e;


typedef struct {
    const char   *name;
    int           letter;
    wb_kind_e     kind;
    size_t        offset;
    double        min;
    double        max;
} wb_option_t;


static void wb_opt_defaults(wb_opt_t *opt);
static void wb_opt_table(struct option *options, char *letters);
static void wb_opt_one(wb_opt_t *opt, const wb_option_t *o,
    const char *value);
static void wb_opt_lines(wb_lines_t *lines, const char *name);
static void wb_opt_list(wb_list_t *list, const char *name, const char *value);
static uint32_t wb_opt_number(const char *name, const char *value,
    uint32_t min, uint32_t max);
static double wb_opt_real(const char *name, const char *value, double min,
    double max);
static void wb_opt_url(wb_urls_t *urls, const char *name, const char *value);
static void wb_opt_resolve(wb_url_t *url, const char *host, const char *port);
static void wb_opt_check(wb_opt_t *opt);
static void wb_opt_sources(wb_opt_t *opt);
static void wb_opt_descriptors(const wb_opt_t *opt);


#define wb_at(field)  offsetof(wb_opt_t, field)


static const wb_option_t  wb_options[] = {
    { "url", 'u', WB_URL, wb_at(urls), 0, 0 },
    { "post", WB_LONG, WB_URL, wb_at(posts), 0, 0 },
    { "posters", WB_LONG, WB_NUMBER, wb_at(posters), 1, 60000 },
    { "connections", 'c', WB_NUMBER, wb_at(connections), 1, 1e7 },
    { "rooms", 'r', WB_NUMBER, wb_at(rooms), 1, 1e7 },
    { "publishers", 'p', WB_NUMBER, wb_at(publishers), 1, 1e6 },
    { "rate", 'm', WB_REAL, wb_at(rate), 0, 1e7 },
    { "size", 's', WB_NUMBER, wb_at(size), 0, 1e6 },
    { "duration", 'd', WB_REAL, wb_at(duration), 0, 1e5 },
    { "warmup", 'w', WB_REAL, wb_at(warmup), 0, 1e5 },
    { "drain", WB_LONG, WB_REAL, wb_at(drain), 0, 1e5 },
    { "hold", WB_LONG, WB_REAL, wb_at(hold), 0, 1e7 },
    { "ramp", 'R', WB_REAL, wb_at(ramp), 1, 1e7 },
    { "half", WB_LONG, WB_REAL, wb_at(half), 0, 1e5 },
    { "timeout", WB_LONG, WB_REAL, wb_at(timeout), 0.001, 1e5 },
    { "sources", WB_LONG, WB_NUMBER, wb_at(sources), 0, 60000 },
    { "processes", 'P', WB_NUMBER, wb_at(processes), 1, WB_MAX_PROCESSES },
    { "init", 'i', WB_LIST, wb_at(init), 0, 0 },
    { "init-reply", WB_LONG, WB_TEXT, wb_at(init_reply), 0, 0 },
    { "publish", WB_LONG, WB_TEXT, wb_at(publish), 0, 0 },
    { "lines", WB_LONG, WB_FILE, wb_at(lines), 0, 0 },
    { "marker", WB_LONG, WB_TEXT, wb_at(marker), 0, 0 },
    { "ack", WB_LONG, WB_TEXT, wb_at(ack), 0, 0 },
    { "count", WB_LONG, WB_LIST, wb_at(counts), 0, 0 },
    { "header", WB_LONG, WB_LIST, wb_at(headers), 0, 0 },
    { "subprotocol", WB_LONG, WB_TEXT, wb_at(subprotocol), 0, 0 },
    { "binary", WB_LONG, WB_FLAG, wb_at(binary), 0, 0 },
    { "deflate", WB_LONG, WB_FLAG, wb_at(deflate), 0, 0 },
    { "spin", WB_LONG, WB_FLAG, wb_at(spin), 0, 0 },
    { "step", WB_LONG, WB_FLAG, wb_at(step), 0, 0 },
    { "json", WB_LONG, WB_FLAG, wb_at(json), 0, 0 },
    { "quiet", 'q', WB_FLAG, wb_at(quiet), 0, 0 },
    { "help", 'h', WB_HELP, 0, 0, 0 },
    { "version", 'V', WB_PRINT_VERSION, 0, 0, 0 }
};


#define WB_OPTIONS  (sizeof(wb_options) / sizeof(wb_option_t))


void
wb_opt_parse(wb_opt_t *opt, int argc, char **argv)
{
    int            which, i;
    char           letters[2 * WB_OPTIONS + 1];
    struct option  options[WB_OPTIONS + 1];

    wb_opt_defaults(opt);
    wb_opt_table(options, letters);

    for ( ;; ) {
        which = getopt_long(argc, argv, letters, options, NULL);

        if (which == -1) {
            break;
        }

        for (i = 0; i < (int) WB_OPTIONS; i++) {
            if (which == options[i].val) {
                wb_opt_one(opt, &wb_options[i], optarg);
                break;
            }
        }

        if (i == (int) WB_OPTIONS) {
            wb_die(WB_EXIT_USAGE, "see wsbench --help");
        }
    }

    if (optind < argc) {
        wb_die(WB_EXIT_USAGE, "unexpected argument \"%s\"", argv[optind]);
    }

    wb_opt_check(opt);
    wb_opt_sources(opt);
    wb_opt_descriptors(opt);
}


void
wb_die(int status, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    fputs("wsbench: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);

    exit(status);
}


static void
wb_opt_defaults(wb_opt_t *opt)
{
    memset(opt, 0, sizeof(wb_opt_t));

    opt->publish = "{tag}{pad}";
    opt->marker = "wsb@";
    opt->connections = 1;
    opt->rooms = 1;
    opt->publishers = 1;
    opt->posters = 32;
    opt->size = 100;
    opt->processes = 1;
    opt->sources = UINT32_MAX;
    opt->ramp = 1000;
    opt->half = -1;
    opt->duration = 10;
    opt->warmup = 2;
    opt->drain = 5;
    opt->timeout = 10;

    if (getrandom(&opt->run, sizeof(opt->run), 0) == -1) {
        wb_die(WB_EXIT_SYSTEM, "getrandom(): %s", strerror(errno));
    }
}


/* The table in the two forms that getopt_long() wants. */

static void
wb_opt_table(struct option *options, char *letters)
{
    int                 argument;
    unsigned            i;
    const wb_option_t  *o;

    memset(options, 0, (WB_OPTIONS + 1) * sizeof(struct option));

    for (i = 0; i < WB_OPTIONS; i++) {
        o = &wb_options[i];
        argument = (o->kind >= WB_NUMBER && o->kind <= WB_FILE);

        options[i].name = o->name;
        options[i].has_arg = argument ? required_argument : no_argument;
        options[i].val = o->letter;

        if (o->letter == WB_LONG) {
            options[i].val += i;
            continue;
        }

        *letters++ = (char) o->letter;

        if (argument) {
            *letters++ = ':';
        }
    }

    *letters = '\0';
}


static void
wb_opt_one(wb_opt_t *opt, const wb_option_t *o, const char *value)
{
    char  *field;

    field = (char *) opt + o->offset;

    switch (o->kind) {

    case WB_FLAG:
        *(int *) field = 1;
        break;

    case WB_NUMBER:
        *(uint32_t *) field = wb_opt_number(o->name, value,
                                            (uint32_t) o->min,
                                            (uint32_t) o->max);
        break;

    case WB_REAL:
        *(double *) field = wb_opt_real(o->name, value, o->min, o->max);
        break;

    case WB_TEXT:
        *(const char **) field = value;
        break;

    case WB_LIST:
        wb_opt_list((wb_list_t *) field, o->name, value);
        break;

    case WB_URL:
        wb_opt_url((wb_urls_t *) field, o->name, value);
        break;

    case WB_FILE:
        wb_opt_lines((wb_lines_t *) field, value);
        break;

    case WB_HELP:
        fputs(wb_help, stdout);
        exit(WB_EXIT_OK);

    case WB_PRINT_VERSION:
        puts("wsbench " WB_VERSION);
        exit(WB_EXIT_OK);
    }
}


static void
wb_opt_lines(wb_lines_t *lines, const char *name)
{
    char     *line;
    FILE     *file;
    size_t    size;
    ssize_t   n;

    file = fopen(name, "r");

    if (file == NULL) {
        wb_die(WB_EXIT_USAGE, "--lines \"%s\": %s", name, strerror(errno));
    }

    for ( ;; ) {
        line = NULL;
        size = 0;
        n = getline(&line, &size, file);

        if (n == -1) {
            free(line);
            break;
        }

        line[strcspn(line, "\n")] = '\0';

        lines->values = realloc(lines->values,
                                (lines->n + 1) * sizeof(char *));
        if (lines->values == NULL) {
            wb_die(WB_EXIT_SYSTEM, "no memory");
        }

        lines->values[lines->n++] = line;
    }

    fclose(file);

    if (lines->n == 0) {
        wb_die(WB_EXIT_USAGE, "--lines \"%s\": no line in it", name);
    }
}


static void
wb_opt_list(wb_list_t *list, const char *name, const char *value)
{
    if (*value == '\0') {
        wb_die(WB_EXIT_USAGE, "--%s is empty", name);
    }

    if (list->n == WB_MAX_LIST) {
        wb_die(WB_EXIT_USAGE, "--%s can be given %d times", name, WB_MAX_LIST);
    }

    list->values[list->n++] = value;
}


static uint32_t
wb_opt_number(const char *name, const char *value, uint32_t min, uint32_t max)
{
    char                *end;
    unsigned long long   n;

    errno = 0;
    n = strtoull(value, &end, 10);

    if (*value < '0' || *value > '9' || *end || errno || n < min || n > max) {
        wb_die(WB_EXIT_USAGE, "--%s \"%s\" is no number from %u to %u", name,
               value, min, max);
    }

    return (uint32_t) n;
}


static double
wb_opt_real(const char *name, const char *value, double min, double max)
{
    char    *end;
    double   n;

    n = strtod(value, &end);

    if (end == value || *end || !isfinite(n) || n < min || n > max) {
        wb_die(WB_EXIT_USAGE, "--%s \"%s\" is no number from %g to %g", name,
               value, min, max);
    }

    return n;
}


/* ws://host[:port][/path], wss://, or http:// for posts */

static void
wb_opt_url(wb_urls_t *urls, const char *name, const char *value)
{
    char        *host, *port;
    size_t       n;
    wb_url_t    *url;
    const char  *scheme;

    scheme = (strcmp(name, "post") == 0) ? "http://" : "ws://";

    if (*scheme == 'w' && strncmp(value, "wss://", 6) == 0) {
        scheme = "wss://";
    }

    if (strncmp(value, scheme, strlen(scheme)) != 0) {
        wb_die(WB_EXIT_USAGE, "\"%s\" does not begin with %s", value, scheme);
    }

    if (urls->n == WB_MAX_LIST) {
        wb_die(WB_EXIT_USAGE, "--%s can be given %d times", name, WB_MAX_LIST);
    }

    url = &urls->values[urls->n++];
    url->tls = (strcmp(scheme, "wss://") == 0);
    value += strlen(scheme);
    n = strcspn(value, "/?");

    url->host = strndup(value, n);
    host = strndup(value, n);

    if (url->host == NULL || host == NULL) {
        wb_die(WB_EXIT_SYSTEM, "no memory");
    }

    url->path = value[n] ? value + n : "/";

    if (*url->path != '/') {
        wb_die(WB_EXIT_USAGE, "\"%s\": a \"/\" has to follow the host", value);
    }

    port = strchr(host, ':');

    if (port) {
        *port++ = '\0';
    }

    wb_opt_resolve(url, host, port ? port : url->tls ? "443" : "80");
    free(host);
}


static void
wb_opt_resolve(wb_url_t *url, const char *host, const char *port)
{
    int               rc;
    struct addrinfo   hints, *res;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;

    wb_opt_number("url: port", port, 1, 65535);

    rc = getaddrinfo(host, port, &hints, &res);

    if (rc != 0) {
        wb_die(WB_EXIT_USAGE, "host \"%s\": %s", host, gai_strerror(rc));
    }

    memcpy(&url->addr, res->ai_addr, sizeof(url->addr));
    freeaddrinfo(res);
}


static void
wb_opt_check(wb_opt_t *opt)
{
    size_t  tag;

    if (opt->urls.n == 0) {
        wb_die(WB_EXIT_USAGE, "no -u URL; see wsbench --help");
    }

    if (opt->connections < opt->processes) {
        wb_die(WB_EXIT_USAGE, "more processes than connections");
    }

    if (opt->connections / opt->rooms < opt->publishers) {
        wb_die(WB_EXIT_USAGE, "%u connections in %u rooms are too few for "
               "%u publishers in each", opt->connections, opt->rooms,
               opt->publishers);
    }

    if ((uint64_t) opt->connections * opt->publishers > 1 << 28) {
        wb_die(WB_EXIT_USAGE, "connections times publishers is over 2^28");
    }

    if (*opt->marker == '\0') {
        wb_die(WB_EXIT_USAGE, "the marker is empty");
    }

    if (opt->init_reply && *opt->init_reply == '\0') {
        wb_die(WB_EXIT_USAGE, "--init-reply is empty");
    }

    if (opt->ack && *opt->ack == '\0') {
        wb_die(WB_EXIT_USAGE, "--ack is empty");
    }

    if (opt->lines.n == 0 && strstr(opt->publish, "{line}")) {
        wb_die(WB_EXIT_USAGE, "{line} needs --lines FILE");
    }

    if (opt->rate == 0) {
        return;
    }

    if (strstr(opt->publish, "{tag}") == NULL) {
        wb_die(WB_EXIT_USAGE, "the publish template has no {tag}: deliveries "
               "could not be told");
    }

    tag = strlen(opt->marker) + WB_TAG_LEN;

    if (opt->size && opt->size < tag) {
        wb_die(WB_EXIT_USAGE, "-s %u is less than the %zu octets of {tag}",
               opt->size, tag);
    }
}


/* A source address has about 28,000 ports for one address to connect to. */

static void
wb_opt_sources(wb_opt_t *opt)
{
    int       loopback;
    unsigned  i;

    loopback = 1;

    for (i = 0; i < opt->urls.n; i++) {
        if (ntohl(opt->urls.values[i].addr.sin_addr.s_addr) >> 24 != 127) {
            loopback = 0;
        }
    }

    if (opt->sources == UINT32_MAX) {
        opt->sources = loopback ? opt->connections / 5000 + 1 : 0;
    }

    if (opt->sources && !loopback) {
        wb_die(WB_EXIT_USAGE, "--sources is for servers on 127.0.0.0/8");
    }
}


static void
wb_opt_descriptors(const wb_opt_t *opt)
{
    rlim_t         need;
    struct rlimit  limit;

    need = opt->connections / opt->processes + 1 + WB_SPARE_FDS
           + (opt->posts.n ? opt->posters : 0);

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        wb_die(WB_EXIT_SYSTEM, "getrlimit(): %s", strerror(errno));
    }

    if (limit.rlim_max < need) {
        wb_die(WB_EXIT_SYSTEM, "each process needs %llu descriptors and may "
               "have %llu: use more processes (-P %u)",
               (unsigned long long) need, (unsigned long long) limit.rlim_max,
               (unsigned) (opt->connections / (limit.rlim_max > 64
                                               ? limit.rlim_max - 64 : 1)
                           + 1));
    }

    limit.rlim_cur = limit.rlim_max;

    if (setrlimit(RLIMIT_NOFILE, &limit) == -1) {
        wb_die(WB_EXIT_SYSTEM, "setrlimit(): %s", strerror(errno));
    }
}
