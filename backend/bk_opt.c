
/*
 * Copyright (C) ngx_ws_chat contributors
 */


#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bk_opt.h"


#define BK_VERSION    "0.1.0"

#define BK_OPT_LINE   4096
#define BK_OPT_NAME   64
#define BK_OPT_USAGE  2          /* exit code */


typedef enum {
    BK_FROM_DEFAULT = 0,
    BK_FROM_FILE,
    BK_FROM_ENVIRONMENT,
    BK_FROM_ARGUMENTS
} bk_opt_from_e;


typedef void (*bk_opt_each_pt)(const bk_opt_t *o);


static const char *bk_opt_file_name(int argc, char **argv);
static void bk_opt_default(const bk_opt_t *o);
static void bk_opt_file(const char *name);
static void bk_opt_line(const char *file, unsigned n, char *line);
static void bk_opt_environment(const bk_opt_t *o);
static void bk_opt_arguments(int argc, char **argv);
static void bk_opt_given(const bk_opt_t *o);
static const bk_opt_t *bk_opt_find(const char *name, size_t len);
static void bk_opt_set(const bk_opt_t *o, const char *value,
    bk_opt_from_e from);
static void bk_opt_int(const bk_opt_t *o, const char *value);
static void bk_opt_choice(const bk_opt_t *o, const char *value);
static void bk_opt_list(const bk_opt_t *o, const char *value,
    bk_opt_from_e from);
static void bk_opt_each(bk_opt_each_pt each);
static void bk_opt_help(const char *about);
static void bk_opt_help_one(const bk_opt_t *o);
static void bk_opt_fail(const char *format, ...)
    __attribute__ ((format(printf, 1, 2), noreturn));


static const char             *bk_opt_program;
static const bk_opt_t *const  *bk_opt_tables;


void
bk_opt_parse(int argc, char **argv, const char *about,
    const bk_opt_t *const *tables)
{
    int          i;
    const char  *file;

    bk_opt_program = strrchr(argv[0], '/');
    bk_opt_program = bk_opt_program ? bk_opt_program + 1 : argv[0];
    bk_opt_tables = tables;

    for (i = 1; i < argc; i++) {

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            bk_opt_help(about);
            exit(0);
        }

        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
            printf("%s %s\n", bk_opt_program, BK_VERSION);
            exit(0);
        }
    }

    bk_opt_each(bk_opt_default);

    file = bk_opt_file_name(argc, argv);
    if (file) {
        bk_opt_file(file);
    }

    bk_opt_each(bk_opt_environment);
    bk_opt_arguments(argc, argv);
    bk_opt_each(bk_opt_given);
}


static const char *
bk_opt_file_name(int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc; i++) {

        if (strncmp(argv[i], "--config=", 9) == 0) {
            return argv[i] + 9;
        }

        if (strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) {
            if (i + 1 == argc) {
                bk_opt_fail("%s needs a file", argv[i]);
            }

            return argv[i + 1];
        }
    }

    return getenv("WS_CHAT_CONFIG");
}


static void
bk_opt_default(const bk_opt_t *o)
{
    if (o->kind == BK_OPT_LIST) {
        ((bk_list_t *) o->value)->n = 0;

    } else if (o->initial && o->initial[0]) {
        bk_opt_set(o, o->initial, BK_FROM_DEFAULT);

    } else if (o->kind == BK_OPT_TEXT) {
        *(const char **) o->value = NULL;
    }
}


static void
bk_opt_file(const char *name)
{
    char       line[BK_OPT_LINE];
    FILE      *f;
    unsigned   n;

    f = fopen(name, "r");
    if (f == NULL) {
        bk_opt_fail("%s: %s", name, strerror(errno));
    }

    for (n = 1; fgets(line, sizeof(line), f); n++) {

        if (strchr(line, '\n') == NULL && !feof(f)) {
            bk_opt_fail("%s:%u: the line is too long", name, n);
        }

        bk_opt_line(name, n, line);
    }

    if (ferror(f)) {
        bk_opt_fail("%s: %s", name, strerror(errno));
    }

    fclose(f);
}


static void
bk_opt_line(const char *file, unsigned n, char *line)
{
    char            *p, *end, *value;
    size_t           len;
    const bk_opt_t  *o;

    p = line + strspn(line, " \t\r\n");

    if (*p == '\0' || *p == '#') {
        return;
    }

    end = p + strlen(p);

    while (end > p && isspace((unsigned char) end[-1])) {
        *--end = '\0';
    }

    len = strcspn(p, " \t");
    o = bk_opt_find(p, len);

    if (o == NULL) {
        bk_opt_fail("%s:%u: unknown option \"%.*s\"", file, n, (int) len, p);
    }

    value = strdup(p + len + strspn(p + len, " \t"));

    if (value == NULL || *value == '\0') {
        bk_opt_fail("%s:%u: \"%s\" needs a value", file, n, o->name);
    }

    bk_opt_set(o, value, BK_FROM_FILE);
}


static void
bk_opt_environment(const bk_opt_t *o)
{
    char         name[BK_OPT_NAME], *p;
    const char  *value;

    snprintf(name, sizeof(name), "WS_CHAT_%s", o->name);

    for (p = name; *p; p++) {
        *p = (*p == '-') ? '_' : toupper((unsigned char) *p);
    }

    value = getenv(name);

    if (value && *value) {
        bk_opt_set(o, value, BK_FROM_ENVIRONMENT);
    }
}


static void
bk_opt_arguments(int argc, char **argv)
{
    int              i;
    size_t           len;
    const char      *arg;
    const bk_opt_t  *o;

    for (i = 1; i < argc; i++) {
        arg = argv[i];

        if (strcmp(arg, "-c") == 0 || strcmp(arg, "--config") == 0) {
            i++;
            continue;
        }

        if (strncmp(arg, "--config=", 9) == 0) {
            continue;
        }

        if (strncmp(arg, "--", 2) != 0) {
            bk_opt_fail("unexpected argument \"%s\"", arg);
        }

        arg += 2;
        len = strcspn(arg, "=");
        o = bk_opt_find(arg, len);

        if (o == NULL) {
            bk_opt_fail("unknown option \"--%.*s\"", (int) len, arg);
        }

        if (arg[len] == '=') {
            bk_opt_set(o, arg + len + 1, BK_FROM_ARGUMENTS);
            continue;
        }

        if (++i == argc) {
            bk_opt_fail("\"%s\" needs a value", o->name);
        }

        bk_opt_set(o, argv[i], BK_FROM_ARGUMENTS);
    }
}


static void
bk_opt_given(const bk_opt_t *o)
{
    if (o->kind == BK_OPT_TEXT && o->initial && o->initial[0] == '\0'
        && *(const char **) o->value == NULL)
    {
        bk_opt_fail("\"%s\" must be given", o->name);
    }

    if (o->kind == BK_OPT_INT && o->initial && o->initial[0] == '\0'
        && *(int64_t *) o->value < o->min)
    {
        bk_opt_fail("\"%s\" must be given", o->name);
    }
}


static const bk_opt_t *
bk_opt_find(const char *name, size_t len)
{
    const bk_opt_t         *o;
    const bk_opt_t *const  *table;

    for (table = bk_opt_tables; *table; table++) {
        for (o = *table; o->name; o++) {
            if (strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
                return o;
            }
        }
    }

    return NULL;
}


static void
bk_opt_set(const bk_opt_t *o, const char *value, bk_opt_from_e from)
{
    switch (o->kind) {

    case BK_OPT_TEXT:
        *(const char **) o->value = value;
        return;

    case BK_OPT_INT:
        bk_opt_int(o, value);
        return;

    case BK_OPT_CHOICE:
        bk_opt_choice(o, value);
        return;

    case BK_OPT_LIST:
        bk_opt_list(o, value, from);
        return;
    }
}


static void
bk_opt_int(const bk_opt_t *o, const char *value)
{
    char       *end;
    long long   v;

    errno = 0;
    v = strtoll(value, &end, 10);

    if (end == value || *end || errno || v < o->min || v > o->max) {
        if (o->max == BK_OPT_NUMBER) {
            bk_opt_fail("\"%s\" must be a number of at least %lld, not "
                        "\"%s\"", o->name, (long long) o->min, value);
        }

        bk_opt_fail("\"%s\" must be a number from %lld to %lld, not \"%s\"",
                    o->name, (long long) o->min, (long long) o->max, value);
    }

    *(int64_t *) o->value = v;
}


static void
bk_opt_choice(const bk_opt_t *o, const char *value)
{
    size_t       len;
    int64_t      i;
    const char  *p;

    for (p = o->choices, i = 0; *p; i++) {
        len = strcspn(p, "|");

        if (strlen(value) == len && strncmp(value, p, len) == 0) {
            *(int64_t *) o->value = i;
            return;
        }

        p += len + (p[len] == '|');
    }

    bk_opt_fail("\"%s\" must be one of %s, not \"%s\"", o->name, o->choices,
                value);
}


/* What is given at one place replaces what was given at a lower one. */

static void
bk_opt_list(const bk_opt_t *o, const char *value, bk_opt_from_e from)
{
    bk_list_t  *list;

    list = o->value;

    if (list->from != from) {
        list->n = 0;
        list->from = from;
    }

    if (list->n == BK_OPT_LISTED) {
        bk_opt_fail("\"%s\" is given more than %d times", o->name,
                    BK_OPT_LISTED);
    }

    list->values[list->n++] = value;
}


static void
bk_opt_each(bk_opt_each_pt each)
{
    const bk_opt_t         *o;
    const bk_opt_t *const  *table;

    for (table = bk_opt_tables; *table; table++) {
        for (o = *table; o->name; o++) {
            each(o);
        }
    }
}


static void
bk_opt_help(const char *about)
{
    printf("%s %s: %s\n\n"
           "usage: %s [-c FILE] [--option value]...\n\n",
           bk_opt_program, BK_VERSION, about, bk_opt_program);

    bk_opt_each(bk_opt_help_one);

    printf("  -c, --config FILE\n"
           "        lines of \"option value\"; # begins a comment line\n"
           "  -h, --help\n"
           "  -V, --version\n\n"
           "An option may stand in the environment too: --http as "
           "WS_CHAT_HTTP.\n"
           "The command line wins over the environment, that over the "
           "file.\n"
           "SIGTERM and SIGINT end it in order; exit codes: 0 told to stop, "
           "1 it\ncannot go on, 2 bad options.\n");
}


static void
bk_opt_help_one(const bk_opt_t *o)
{
    printf("  --%s %s\n        %s", o->name,
           o->kind == BK_OPT_CHOICE ? o->choices
           : o->kind == BK_OPT_INT ? "N" : "VALUE", o->help);

    if (o->initial && o->initial[0]) {
        printf(" (%s)", o->initial);

    } else if (o->initial) {
        printf(" (must be given)");
    }

    if (o->kind == BK_OPT_LIST) {
        printf("; may be repeated");
    }

    putchar('\n');
}


static void
bk_opt_fail(const char *format, ...)
{
    va_list  args;

    fprintf(stderr, "%s: ", bk_opt_program);

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);

    fprintf(stderr, "\n%s --help tells all options\n", bk_opt_program);

    exit(BK_OPT_USAGE);
}
