
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Options of a daemon.  "--kafka-brokers X" on the command line wins over
 * WS_CHAT_KAFKA_BROKERS in the environment, that over "kafka-brokers X" in
 * the configuration file, and that over the default.  In the file # begins
 * a comment line.
 */


#ifndef _BK_OPT_H_INCLUDED_
#define _BK_OPT_H_INCLUDED_


#include <stdint.h>


#define BK_OPT_LISTED  32        /* values of a list, at most */
#define BK_OPT_NUMBER  INT64_MAX /* no upper bound */


typedef enum {
    BK_OPT_TEXT = 0,             /* const char * */
    BK_OPT_INT,                  /* int64_t within min .. max */
    BK_OPT_CHOICE,               /* int64_t: index of "a|b|c" in choices */
    BK_OPT_LIST                  /* bk_list_t: may be given several times */
} bk_opt_kind_e;


typedef struct {
    const char       *values[BK_OPT_LISTED];
    unsigned          n;
    unsigned          from;      /* which place gave them */
} bk_list_t;


typedef struct {
    const char       *name;      /* NULL: behind the last one */
    bk_opt_kind_e     kind;
    void             *value;
    const char       *initial;   /* NULL: nothing; "": it must be given */
    const char       *help;
    int64_t           min;
    int64_t           max;
    const char       *choices;
} bk_opt_t;


/*
 * Sets the values from everywhere; the tables end with NULL.  Prints help or
 * version and exits 0; prints what is wrong, by name, and exits 2.
 */
void bk_opt_parse(int argc, char **argv, const char *about,
    const bk_opt_t *const *tables);


#endif /* _BK_OPT_H_INCLUDED_ */
