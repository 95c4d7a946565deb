
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * Commands in both encodings.  A command is shown as one line, so that the
 * tables say what is expected:  op id=7 chat=a cid=c msg=... after=1:2
 */


#include <stdarg.h>
#include <stdio.h>
#include <jansson.h>

#include "wsc_test.h"
#include "wsc_cmd.h"
#include "wsc_msgpack.h"


#define TEST_REASON_CHAT_ID                                                   \
    "\"chat_id\" must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -"
#define TEST_REASON_CID  "\"cid\" must be 1 to 64 printable ASCII characters"
#define TEST_REASON_ID                                                        \
    "\"id\" must be an integer or a string of up to 64 octets"
#define TEST_REASON_AFTER                                                     \
    "\"after\" must be {epoch, seq}, integers from 0 to 2^53 - 1"
#define TEST_REASON_BEFORE                                                    \
    "\"before\" must be {epoch, seq}, integers from 0 to 2^53 - 1"
#define TEST_REASON_HISTORY  "\"history\" must be an integer from 0 to 500"
#define TEST_REASON_USER                                                      \
    "\"user\" must be a string of 1 to 128 octets without control characters"
#define TEST_REASON_SECONDS                                                   \
    "\"seconds\" must be an integer from 0 to 315360000"
#define TEST_REASON_TOKEN  "\"token\" must be a string"
#define TEST_REASON_MARKS  "\"delivered\" and \"read\", one at least, must" \
    " be {epoch, seq}, integers from 0 to 2^53 - 1"
#define TEST_REASON_OFFSET  "\"offset\" must be an integer from 0 to 2^31 - 1"
#define TEST_REASON_PLACE                                                     \
    "\"epoch\" and \"seq\" must be integers from 0 to 2^53 - 1"
#define TEST_REASON_NAME                                                      \
    "\"name\" must be a string of 1 to 64 octets without control characters"
#define TEST_REASON_LIMIT    "\"limit\" must be an integer from 1 to 500"


typedef struct {
    const char  *in;
    const char  *out;
} test_cmd_t;


static void test_commands_json(void **state);
static void test_commands_msgpack(void **state);
static void test_json_escaped(void **state);
static void test_json_plain(void **state);
static void test_json_only(void **state);
static void test_msgpack_only(void **state);
static void test_message_bytes(void **state);
static void test_message_depth(void **state);
static void test_lengths(void **state);
static void test_batches(void **state);
static void test_batch_sizes(void **state);
static void test_no_batch(void **state);
static void test_prefixes(void **state);
static void test_memory(void **state);
static void test_large(void **state);


/* Both encodings give the same. */

static const test_cmd_t  commands[] = {

    /* join */

    { "{'op':'join','id':1,'chat_id':'a'}", "join id=1 chat=a" },
    { "{'chat_id':'A.b_c:d@e-9','op':'join'}", "join chat=A.b_c:d@e-9" },
    { "{'op':'join','chat_id':'a','history':0}", "join chat=a limit=0" },
    { "{'op':'join','chat_id':'a','history':500}", "join chat=a limit=500" },
    { "{'op':'join','chat_id':'a','history':501}",
      "bad_request chat=a " TEST_REASON_HISTORY },
    { "{'op':'join','chat_id':'a','history':-1}",
      "bad_request chat=a " TEST_REASON_HISTORY },
    { "{'op':'join','chat_id':'a','history':1.5}",
      "bad_request chat=a " TEST_REASON_HISTORY },
    { "{'op':'join','chat_id':'a','history':'5'}",
      "bad_request chat=a " TEST_REASON_HISTORY },
    { "{'op':'join','chat_id':'a','history':null}",
      "bad_request chat=a " TEST_REASON_HISTORY },
    { "{'op':'join','chat_id':'a','after':{'epoch':5,'seq':7}}",
      "join chat=a after=5:7" },
    { "{'op':'join','chat_id':'a','after':{'x':[1],'seq':0,'epoch':0}}",
      "join chat=a after=0:0" },
    { "{'op':'join','chat_id':'a','after':"
      "{'epoch':9007199254740991,'seq':9007199254740991}}",
      "join chat=a after=9007199254740991:9007199254740991" },
    { "{'op':'join','chat_id':'a','after':"
      "{'epoch':9007199254740992,'seq':1}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':{'epoch':1,'seq':-1}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':{'epoch':1}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':{'seq':1}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':{'epoch':'1','seq':1}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':{'epoch':1,'seq':1.5}}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':[1,2]}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','after':null}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'join','chat_id':'a','history':5,'after':{'epoch':5,'seq':7}}",
      "join chat=a after=5:7 limit=5" },
    { "{'op':'join'}", "bad_request " TEST_REASON_CHAT_ID },
    { "{'op':'join','chat_id':''}", "bad_request " TEST_REASON_CHAT_ID },
    { "{'op':'join','chat_id':'a/b','id':3}",
      "bad_request id=3 " TEST_REASON_CHAT_ID },
    { "{'op':'join','chat_id':5}", "bad_request " TEST_REASON_CHAT_ID },
    { "{'op':'join','chat_id':['a']}", "bad_request " TEST_REASON_CHAT_ID },

    /* leave, ping */

    { "{'op':'leave','id':'x','chat_id':'a'}", "leave id='x' chat=a" },
    { "{'op':'leave','id':'x'}", "bad_request id='x' " TEST_REASON_CHAT_ID },
    { "{'op':'ping'}", "ping" },
    { "{'op':'ping','id':0}", "ping id=0" },
    { "{'op':'ping','chat_id':'/','cid':7,'after':1,'message':[],'new':{}}",
      "ping" },

    /* send */

    { "{'op':'send','chat_id':'a','cid':'c','message':1}",
      "send chat=a cid=c msg=1" },
    { "{'op':'send','chat_id':'a','cid':'c','message':null}",
      "send chat=a cid=c msg=null" },
    { "{'op':'send','chat_id':'a','cid':' ~','message':{'a':[1,2.5,'x']}}",
      "send chat=a cid= ~ msg={'a':[1,2.5,'x']}" },
    { "{'message':'text','cid':'c','retry':true,'chat_id':'a','op':'send'}",
      "send chat=a cid=c msg='text' retry" },
    { "{'op':'send','chat_id':'a','cid':'c','message':1,'retry':false}",
      "send chat=a cid=c msg=1" },
    { "{'op':'send','chat_id':'a','cid':'c','message':1,'retry':1}",
      "bad_request chat=a cid=c \"retry\" must be true or false" },
    { "{'op':'send','id':9,'chat_id':'a','cid':'c'}",
      "bad_request id=9 chat=a cid=c \"message\" is missing" },
    { "{'op':'send','id':9,'chat_id':'a','message':1}",
      "bad_request id=9 chat=a " TEST_REASON_CID },
    { "{'op':'send','id':9,'chat_id':'a','cid':'','message':1}",
      "bad_request id=9 chat=a " TEST_REASON_CID },
    { "{'op':'send','id':9,'chat_id':'a','cid':7,'message':1}",
      "bad_request id=9 chat=a " TEST_REASON_CID },
    { "{'op':'send','id':9,'cid':'c','message':1}",
      "bad_request id=9 cid=c " TEST_REASON_CHAT_ID },

    /* presence */

    { "{'op':'presence','id':1,'chat_id':'a'}",
      "presence id=1 chat=a limit=50" },
    { "{'op':'presence','chat_id':'a','offset':7,'limit':500}",
      "presence chat=a limit=500 offset=7" },
    { "{'op':'presence','chat_id':'a','offset':-1}",
      "bad_request chat=a " TEST_REASON_OFFSET },
    { "{'op':'presence','chat_id':'a','offset':2147483648}",
      "bad_request chat=a " TEST_REASON_OFFSET },
    { "{'op':'presence','chat_id':'a','limit':0}",
      "bad_request chat=a " TEST_REASON_LIMIT },

    /* typing */

    { "{'op':'typing','id':3,'chat_id':'a','on':true}",
      "typing id=3 chat=a on" },
    { "{'op':'typing','chat_id':'a','on':false}", "typing chat=a" },
    { "{'op':'typing','chat_id':'a'}",
      "bad_request chat=a \"on\" must be true or false" },
    { "{'op':'typing','chat_id':'a','on':1}",
      "bad_request chat=a \"on\" must be true or false" },

    /* mark */

    { "{'op':'mark','id':3,'chat_id':'a','read':{'epoch':5,'seq':7}}",
      "mark id=3 chat=a read=5:7" },
    { "{'op':'mark','chat_id':'a','delivered':{'epoch':5,'seq':7},"
      "'read':{'epoch':4,'seq':9}}",
      "mark chat=a delivered=5:7 read=4:9" },
    { "{'op':'mark','chat_id':'a','delivered':{'epoch':5,'seq':0}}",
      "mark chat=a" },
    { "{'op':'mark','chat_id':'a'}", "bad_request chat=a " TEST_REASON_MARKS },
    { "{'op':'mark','chat_id':'a','read':7}",
      "bad_request chat=a " TEST_REASON_MARKS },
    { "{'op':'mark','chat_id':'a','read':{'epoch':5}}",
      "bad_request chat=a " TEST_REASON_MARKS },
    { "{'op':'mark','chat_id':'a','read':{'epoch':5,'seq':7},'delivered':[]}",
      "bad_request chat=a " TEST_REASON_MARKS },
    { "{'op':'mark','read':{'epoch':5,'seq':7}}",
      "bad_request " TEST_REASON_CHAT_ID },

    /* refresh */

    { "{'op':'refresh','id':1,'token':'a.b.c'}", "refresh id=1 token=a.b.c" },
    { "{'op':'refresh','token':''}", "refresh token=" },
    { "{'op':'refresh','id':1}", "bad_request id=1 " TEST_REASON_TOKEN },
    { "{'op':'refresh','token':7}", "bad_request " TEST_REASON_TOKEN },

    /* signal */

    { "{'op':'signal','id':3,'chat_id':'a','name':'pos','data':{'x':[1.5]}}",
      "signal id=3 chat=a name=pos msg={'x':[1.5]}" },
    { "{'op':'signal','chat_id':'a','name':'p','data':null,'keep':true,"
      "'message':1}", "signal chat=a name=p msg=null keep" },
    { "{'message':[1],'data':'d','op':'signal','chat_id':'a','name':'p',"
      "'keep':false}", "signal chat=a name=p msg='d'" },
    { "{'op':'send','chat_id':'a','cid':'c','data':[2],'message':[1]}",
      "send chat=a cid=c msg=[1]" },
    { "{'op':'signal','chat_id':'a','data':1}",
      "bad_request chat=a " TEST_REASON_NAME },
    { "{'op':'signal','chat_id':'a','name':'','data':1}",
      "bad_request chat=a " TEST_REASON_NAME },
    { "{'op':'signal','chat_id':'a','name':7,'data':1}",
      "bad_request chat=a " TEST_REASON_NAME },
    { "{'op':'signal','chat_id':'a','name':'p'}",
      "bad_request chat=a \"data\" is missing" },
    { "{'op':'signal','chat_id':'a','name':'p','data':1,'keep':1}",
      "bad_request chat=a \"keep\" must be true or false" },

    /* kick, block */

    { "{'op':'kick','id':3,'chat_id':'a','user':'bob'}",
      "kick id=3 chat=a name=bob" },
    { "{'op':'kick','chat_id':'a','user':'bob','seconds':0}",
      "kick chat=a name=bob seconds=0" },
    { "{'op':'block','user':'b b','seconds':315360000}",
      "block name=b b seconds=315360000" },
    { "{'op':'kick','user':'bob'}", "bad_request " TEST_REASON_CHAT_ID },
    { "{'op':'kick','chat_id':'a'}", "bad_request chat=a " TEST_REASON_USER },
    { "{'op':'block','user':''}", "bad_request " TEST_REASON_USER },
    { "{'op':'block','user':1}", "bad_request " TEST_REASON_USER },
    { "{'op':'block','user':'a','seconds':-1}",
      "bad_request " TEST_REASON_SECONDS },
    { "{'op':'block','user':'a','seconds':315360001}",
      "bad_request " TEST_REASON_SECONDS },
    { "{'op':'block','user':'a','seconds':'1'}",
      "bad_request " TEST_REASON_SECONDS },

    /* history */

    { "{'op':'history','chat_id':'a'}", "history chat=a limit=50" },
    { "{'op':'history','chat_id':'a','limit':1}", "history chat=a limit=1" },
    { "{'op':'history','chat_id':'a','limit':500,"
      "'before':{'epoch':1,'seq':2}}",
      "history chat=a before=1:2 limit=500" },
    { "{'op':'history','chat_id':'a','after':{'epoch':1,'seq':2}}",
      "history chat=a after=1:2 limit=50" },
    { "{'op':'history','chat_id':'a','limit':0}",
      "bad_request chat=a " TEST_REASON_LIMIT },
    { "{'op':'history','chat_id':'a','limit':501}",
      "bad_request chat=a " TEST_REASON_LIMIT },
    { "{'op':'history','chat_id':'a','limit':true}",
      "bad_request chat=a " TEST_REASON_LIMIT },
    { "{'op':'history','chat_id':'a','before':7}",
      "bad_request chat=a " TEST_REASON_BEFORE },
    { "{'op':'history','chat_id':'a','after':7}",
      "bad_request chat=a " TEST_REASON_AFTER },
    { "{'op':'history','chat_id':'a','before':{'epoch':1,'seq':2},"
      "'after':{'epoch':1,'seq':1}}",
      "bad_request chat=a either \"before\" or \"after\", not both" },

    /* edit, retract */

    { "{'op':'edit','id':4,'chat_id':'a','epoch':5,'seq':7,'message':[1]}",
      "edit id=4 chat=a msg=[1] pos=5:7" },
    { "{'op':'edit','chat_id':'a','seq':7,'message':null,'epoch':0}",
      "edit chat=a msg=null pos=0:7" },
    { "{'op':'edit','id':4,'chat_id':'a','epoch':5,'seq':7}",
      "bad_request id=4 chat=a \"message\" is missing" },
    { "{'op':'edit','id':4,'epoch':5,'seq':7,'message':1}",
      "bad_request id=4 " TEST_REASON_CHAT_ID },
    { "{'op':'edit','chat_id':'a','epoch':5,'message':1}",
      "bad_request chat=a " TEST_REASON_PLACE },
    { "{'op':'edit','chat_id':'a','epoch':5,'seq':'7','message':1}",
      "bad_request chat=a " TEST_REASON_PLACE },
    { "{'op':'retract','id':4,'chat_id':'a','epoch':5,'seq':7}",
      "retract id=4 chat=a pos=5:7" },
    { "{'op':'retract','chat_id':'a','epoch':9007199254740991,"
      "'seq':9007199254740991}",
      "retract chat=a pos=9007199254740991:9007199254740991" },
    { "{'op':'retract','chat_id':'a','epoch':9007199254740992,'seq':1}",
      "bad_request chat=a " TEST_REASON_PLACE },
    { "{'op':'retract','chat_id':'a','epoch':1,'seq':-1}",
      "bad_request chat=a " TEST_REASON_PLACE },
    { "{'op':'retract','chat_id':'a','epoch':1.5,'seq':1}",
      "bad_request chat=a " TEST_REASON_PLACE },
    { "{'op':'retract','chat_id':'a','pos':{'epoch':1,'seq':1}}",
      "bad_request chat=a " TEST_REASON_PLACE },

    /* id */

    { "{'op':'ping','id':9007199254740991}", "ping id=9007199254740991" },
    { "{'op':'ping','id':-9007199254740991}", "ping id=-9007199254740991" },
    { "{'op':'ping','id':9007199254740992}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':-9007199254740992}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':18446744073709551615}",
      "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':1e300}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':1.5}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':1.0}", "ping id=1" },
    { "{'op':'ping','id':''}", "ping id=''" },
    { "{'op':'ping','id':'\xc3\xa9'}", "ping id='\xc3\xa9'" },
    { "{'op':'ping','id':null}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':true}", "bad_request " TEST_REASON_ID },
    { "{'op':'ping','id':[1]}", "bad_request " TEST_REASON_ID },
    { "{'op':'join','chat_id':'a','id':{}}",
      "bad_request chat=a " TEST_REASON_ID },

    /* op */

    { "{'id':4}", "bad_request id=4 \"op\" must be a string" },
    { "{'op':null,'id':4}", "bad_request id=4 \"op\" must be a string" },
    { "{'op':5,'id':4}", "bad_request id=4 \"op\" must be a string" },
    { "{}", "bad_request \"op\" must be a string" },
    { "{'op':'','id':4}", "unknown_op id=4 there is no such op" },
    { "{'op':'Join','id':4}", "unknown_op id=4 there is no such op" },
    { "{'op':'joi','id':4}", "unknown_op id=4 there is no such op" },
    { "{'op':'mar','chat_id':'a'}", "unknown_op chat=a there is no such op" },
    { "{'op':'edits','id':4,'chat_id':'a','cid':'c','message':1}",
      "unknown_op id=4 chat=a cid=c there is no such op" },
    { "{'op':'upgrade','token':'x'}", "unknown_op there is no such op" },

    /* other fields are ignored, whatever they are */

    { "{'op':'ping','id':1,'big':123456789012345678901234567890,'n':1e300,"
      "'deep':[[[[{'op':'join'}]]]],'Id':5,'ids':6,'i':7}", "ping id=1" },

    /* rules broken in the message do not hide who is asking */

    { "{'op':'send','id':1,'chat_id':'a','cid':'c','message':{'a':1,'a':2}}",
      "bad_request id=1 chat=a cid=c a key is repeated" },
    { "{'op':'ping','id':1,'x':{'a':1,'a':2}}",
      "bad_request id=1 a key is repeated" }
};


static const test_cmd_t  json_only[] = {
    { "1", "bad_request a command must be an object" },
    { "null", "bad_request a command must be an object" },
    { "'ping'", "bad_request a command must be an object" },

    { " \r\n{ 'op' : 'ping' , 'id' : 5 } \t", "ping id=5" },
    { "{'\\u006fp':'pi\\u006eg','i\\u0064':'\\u0041'}", "ping id='A'" },
    { "{'op':'send','chat_id':'a','cid':'c','mess\\u0061ge': [ 1 ] }",
      "send chat=a cid=c msg=[ 1 ]" },
    { "{'op':'send','chat_id':'a','cid':'c','message':1,"
      "'mess\\u0061ge':2,'id':3}",
      "bad_request id=3 chat=a cid=c a key is repeated in an object" },
    { "{'op':'ping','id':1,'id':2}",
      "bad_request id=2 a key is repeated in an object" },
    { "{'op':'send','id':1,'chat_id':'a','cid':'c','message':'\\u0000'}",
      "bad_request id=1 chat=a cid=c \\u0000 in a string" },
    { "{'op':'send','id':1,'chat_id':'a','cid':'c','message':'\\ud800'}",
      "bad_request id=1 chat=a cid=c a lone surrogate in a string" },
    { "{'op':'send','id':1,'chat_id':'a','cid':'c','message':[1e400]}",
      "bad_request id=1 chat=a cid=c a number is out of range" },
    { "{'op':'ping','id':1,'x':1e400}",
      "bad_request id=1 a number is out of range" },
    { "{'\\u006fp':'ping','id':1,'x':1e400}",
      "bad_request a number is out of range" },
    { "{'op':'ping','id':'\\u0000'}", "bad_request \\u0000 in a string" },
    { "{'op':'ping','id':1e0}", "ping id=1" },
    { "{'op':'ping','id':-0}", "ping id=0" },
    { "{'op':'send','chat_id':'a\\u002d','cid':'\\u0063','message':'x'}",
      "send chat=a- cid=c msg='x'" }
};


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_commands_json),
        cmocka_unit_test(test_commands_msgpack),
        cmocka_unit_test(test_json_escaped),
        cmocka_unit_test(test_json_plain),
        cmocka_unit_test(test_json_only),
        cmocka_unit_test(test_msgpack_only),
        cmocka_unit_test(test_message_bytes),
        cmocka_unit_test(test_message_depth),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_batch_sizes),
        cmocka_unit_test(test_no_batch),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_large)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}


/* A string in ' ' for " ". */

static char *
unquote(const char *in)
{
    char  *s, *p;

    s = strdup(in);
    assert_non_null(s);

    for (p = s; *p; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }

    return s;
}


static void
append(char *out, const char *format, ...)
{
    size_t   len;
    va_list  args;

    len = strlen(out);

    va_start(args, format);
    vsnprintf(out + len, 1024 - len, format, args);
    va_end(args);
}


static void
show_names(char *out, const wsc_cmd_t *cmd)
{
    if (cmd->id.type == WSC_ID_INTEGER) {
        append(out, " id=%lld", (long long) cmd->id.integer);

    } else if (cmd->id.type == WSC_ID_STRING) {
        append(out, " id='%.*s'", (int) cmd->id.string.len,
               cmd->id.string.data);
    }

    if (cmd->chat_id.len) {
        append(out, " chat=%.*s", (int) cmd->chat_id.len, cmd->chat_id.data);
    }

    if (cmd->cid.len) {
        append(out, " cid=%.*s", (int) cmd->cid.len, cmd->cid.data);
    }
}


static void show_fields(char *out, const wsc_cmd_t *cmd);


static void
show(char *out, ssize_t rc, const wsc_cmd_t *cmd, wsc_err_e err,
    const char *reason)
{
    char  *p;

    static const char  *ops[] = {
        "none", "join", "leave", "send", "edit", "retract", "history",
        "signal", "typing", "mark", "presence", "kick", "block", "refresh",
        "ping"
    };

    if (rc == WSC_OK) {
        assert_int_equal(err, WSC_ERR_NONE);
        append(out, "%s", ops[cmd->op]);

    } else {
        assert_int_equal(rc, WSC_DECLINED);
        append(out, "%s", (err == WSC_ERR_UNKNOWN_OP) ? "unknown_op"
                                                      : "bad_request");
    }

    show_names(out, cmd);

    if (rc != WSC_OK) {
        append(out, " %s", reason);
        return;
    }

    show_fields(out, cmd);

    for (p = out; *p; p++) {
        if (*p == '"') {
            *p = '\'';
        }
    }
}


static void
show_numbers(char *out, const wsc_cmd_t *cmd)
{
    if (cmd->has_limit || cmd->limit) {
        append(out, " limit=%u", cmd->limit);
    }

    if (cmd->offset) {
        append(out, " offset=%u", cmd->offset);
    }

    if (cmd->has_seconds) {
        append(out, " seconds=%u", cmd->seconds);
    }

    if (cmd->retry) {
        append(out, " retry");
    }

    if (cmd->on) {
        append(out, " on");
    }

    if (cmd->keep) {
        append(out, " keep");
    }
}


static void
show_fields(char *out, const wsc_cmd_t *cmd)
{
    if (cmd->op == WSC_CMD_REFRESH) {
        append(out, " token=%.*s", (int) cmd->token.len, cmd->token.data);
    }

    if (cmd->name.len) {
        append(out, " name=%.*s", (int) cmd->name.len, cmd->name.data);
    }

    if (cmd->op == WSC_CMD_SEND || cmd->op == WSC_CMD_SIGNAL
        || cmd->op == WSC_CMD_EDIT)
    {
        append(out, cmd->message.binary ? " bin=%.*s" : " msg=%.*s",
               (int) cmd->message.data.len, cmd->message.data.data);
    }

    if (cmd->op == WSC_CMD_EDIT || cmd->op == WSC_CMD_RETRACT) {
        append(out, " pos=%llu:%llu", (long long) cmd->pos.epoch,
               (long long) cmd->pos.seq);
    }

    if (cmd->has_after) {
        append(out, " after=%llu:%llu", (long long) cmd->after.epoch,
               (long long) cmd->after.seq);
    }

    if (cmd->has_before) {
        append(out, " before=%llu:%llu", (long long) cmd->before.epoch,
               (long long) cmd->before.seq);
    }

    if (cmd->delivered.seq) {
        append(out, " delivered=%llu:%llu", (long long) cmd->delivered.epoch,
               (long long) cmd->delivered.seq);
    }

    if (cmd->read.seq) {
        append(out, " read=%llu:%llu", (long long) cmd->read.epoch,
               (long long) cmd->read.seq);
    }

    show_numbers(out, cmd);
}


/* All commands of a message, ";" between them. */

static void
decode(char *out, wsc_enc_e enc, const void *p, size_t len)
{
    ssize_t          rc;
    wsc_cmd_t        cmd;
    wsc_err_e        err;
    wsc_str_t        data;
    const char      *reason;
    wsc_batch_t     *batch;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);

    out[0] = '\0';
    data.data = wsc_test_copy(p, len);
    data.len = len;

    rc = wsc_batch_open(&mem.alloc, enc, &data, &batch, &reason);

    if (rc != WSC_OK) {
        assert_int_equal(rc, WSC_DECLINED);
        append(out, "declined %s", reason);
        free(data.data);
        wsc_test_mem_check(&mem);
        return;
    }

    for ( ;; ) {
        rc = wsc_batch_next(batch, &cmd, &err, &reason);
        if (rc == WSC_DONE) {
            break;
        }

        append(out, out[0] ? "; " : "");
        show(out + strlen(out), rc, &cmd, err, reason);
    }

    wsc_batch_close(batch);
    free(data.data);
    wsc_test_mem_check(&mem);
}


static void
decode_json(char *out, const char *in)
{
    char  *text;

    text = unquote(in);
    decode(out, WSC_ENC_JSON, text, strlen(text));
    free(text);
}


/* The same text as msgpack, by the transcoder, which has its own test. */

static void
decode_msgpack(char *out, const char *in)
{
    char            *text;
    wsc_buf_t        b;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    text = unquote(in);
    assert_int_equal(wsc_json_to_msgpack((u_char *) text, strlen(text), &b),
                     WSC_OK);
    free(text);

    decode(out, WSC_ENC_MSGPACK, b.data, b.len);
    wsc_buf_free(&b);
}


/* Reasons differ at their end: "in an object", "in a map". */

static void
expect(const char *out, const char *expected)
{
    char  text[1024];

    snprintf(text, sizeof(text), "%s", out);

    if (strstr(expected, "a key is repeated") && strlen(expected)
        < strlen(text))
    {
        text[strlen(expected)] = '\0';
    }

    assert_string_equal(text, expected);
}


static void
test_commands_json(void **state)
{
    char    out[1024];
    size_t  i;

    for (i = 0; i < wsc_test_count(commands); i++) {
        decode_json(out, commands[i].in);
        expect(out, commands[i].out);
    }
}


static void
test_commands_msgpack(void **state)
{
    char    out[1024];
    size_t  i;

    for (i = 0; i < wsc_test_count(commands); i++) {
        decode_msgpack(out, commands[i].in);
        expect(out, commands[i].out);
    }
}


/* A name that is escaped makes jansson read what else is read in place. */

static void
test_json_escaped(void **state)
{
    char         in[1024], out[1024];
    size_t       i;
    const char  *p;

    for (i = 0; i < wsc_test_count(commands); i++) {
        p = strstr(commands[i].in, "'op':");

        if (p == NULL) {
            continue;
        }

        snprintf(in, sizeof(in), "%.*s'\\u006fp':%s",
                 (int) (p - commands[i].in), commands[i].in, p + 5);

        decode_json(out, in);
        expect(out, commands[i].out);
    }
}


static void *
no_memory(size_t size)
{
    return NULL;
}


/* What most clients write costs no document. */

static void
test_json_plain(void **state)
{
    char           out[1024];
    size_t         i;
    json_free_t    old_free;
    json_malloc_t  old_malloc;

    static const test_cmd_t  plain[] = {
        { "{'op':'send','id':7,'chat_id':'a','cid':'c','message':{'a':'\\n'},"
          "'retry':true}", "send id=7 chat=a cid=c msg={'a':'\\n'} retry" },
        { "{ 'op' : 'join' , 'history' : 50, 'id':'\xc3\xa9','chat_id':'a',"
          "'other':{'\\n':[1.5]}}", "join id='\xc3\xa9' chat=a limit=50" },
        { "{'op':'ping','id':999999999999999}", "ping id=999999999999999" }
    };

    json_get_alloc_funcs(&old_malloc, &old_free);
    json_set_alloc_funcs(no_memory, old_free);

    for (i = 0; i < wsc_test_count(plain); i++) {
        decode_json(out, plain[i].in);
        assert_string_equal(out, plain[i].out);
    }

    json_set_alloc_funcs(old_malloc, old_free);
}


static void
test_json_only(void **state)
{
    char    out[1024];
    size_t  i;

    for (i = 0; i < wsc_test_count(json_only); i++) {
        decode_json(out, json_only[i].in);
        assert_string_equal(out, json_only[i].out);
    }
}


#define SEND  "\x84\xa2op\xa4send\xa7" "chat_id\xa1" "a\xa3" "cid\xa1" "c"    \
              "\xa7message"
#define PING  "\x82\xa2op\xa4ping\xa2id"


static void
test_msgpack_only(void **state)
{
    char    out[1024];
    size_t  i;

    static const struct {
        const char  *in;
        size_t       len;
        const char  *out;
    } cases[] = {

#define one(in, out)  { in, sizeof(in) - 1, out }

        one("\x01", "bad_request a command must be a map"),
        one("\xc4\x00", "bad_request a command must be a map"),
        one(SEND "\xc4\x02ok", "send chat=a cid=c bin=ok"),
        one(SEND "\xc4\x00", "send chat=a cid=c bin="),
        one(SEND "\xca\x3f\x00\x00\x00", "send chat=a cid=c msg=0.5"),
        one(SEND "\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            "send chat=a cid=c msg=18446744073709551615"),
        one(SEND "\x91\xc4\x02ok", "bad_request chat=a cid=c"
            " bin is only allowed as the whole message"),
        one("\x91" SEND "\xc4\x02ok", "send chat=a cid=c bin=ok"),
        one("\x91" SEND "\x91\xc4\x02ok", "bad_request chat=a cid=c"
            " bin is only allowed as the whole message"),
        one(SEND "\xd4\x01\x01",
            "bad_request chat=a cid=c ext is not allowed"),
        one(SEND "\x81\x01\x01",
            "bad_request chat=a cid=c a key is not a string"),
        one(SEND "\xa1\xff",
            "bad_request chat=a cid=c a string is not UTF-8"),
        one(SEND "\xa1\x00",
            "bad_request chat=a cid=c U+0000 in a string"),
        one(SEND "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
            "bad_request chat=a cid=c NaN and infinity have no JSON form"),
        one(PING "\xcb\x42\x70\x00\x00\x00\x00\x00\x00",
            "ping id=1099511627776"),
        one(PING "\xca\x40\x00\x00\x00", "ping id=2"),
        one(PING "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00",
            "bad_request " TEST_REASON_ID),
        one(PING "\xd3\xff\xff\xff\xff\xff\xff\xff\xfe", "ping id=-2"),
        one(PING "\xc4\x01x", "bad_request " TEST_REASON_ID),
        one(PING "\xa1\x00", "bad_request " TEST_REASON_ID),
        one(PING "\xa1\xff", "bad_request a string is not UTF-8"),
        one("\x82\xc4\x02op\xa4ping\xa2id\x05",
            "bad_request id=5 a key is not a string"),
        one("\x83\xa2op\xa4ping\xa7message\xa1\x00\xa2id\x05", "ping id=5")
    };

    for (i = 0; i < wsc_test_count(cases); i++) {
        decode(out, WSC_ENC_MSGPACK, cases[i].in, cases[i].len);
        assert_string_equal(out, cases[i].out);
    }
}


/* The message is the very octets of the text, without space around. */

static void
test_message_bytes(void **state)
{
    char    in[1024], expected[1024], out[1024];
    size_t  i;

    static const char  *messages[] = {
        "1.50", "-0", "1E+2", "123456789012345678901234567890", "''",
        "'\\u0041\\/'", "'\\uD83D\\uDE00'", "[ 1 ,2,  3 ]", "{ }", "[\n]",
        "{'a' : 1,\t'b':{ 'message' : 2 } }", "true", "'}],'", "'\\\\'",
        "'\xf0\x9f\x98\x80'"
    };

    for (i = 0; i < wsc_test_count(messages); i++) {
        snprintf(expected, sizeof(expected), "send chat=a cid=c msg=%s",
                 messages[i]);

        snprintf(in, sizeof(in), "{'op':'send','chat_id':'a','cid':'c',"
                 "'message':%s}", messages[i]);
        decode_json(out, in);
        assert_string_equal(out, expected);

        snprintf(in, sizeof(in), " [ { 'message' : \r\n%s\t , 'op':'send' , "
                 "'chat_id':'a','cid':'c'} ] ", messages[i]);
        decode_json(out, in);
        assert_string_equal(out, expected);
    }
}


static void
test_message_depth(void **state)
{
    int          batch, n;
    char         in[1024], out[1024], *p;
    const char  *expected;

    for (batch = 0; batch < 2; batch++) {
        for (n = 1; n < 60; n++) {
            p = in + sprintf(in, "%s{'op':'send','id':1,'chat_id':'a',"
                             "'cid':'c','message':", batch ? "[" : "");
            memset(p, '[', n);
            memset(p + n, ']', n);
            sprintf(p + 2 * n, "}%s", batch ? ",{'op':'ping'}]" : "");

            expected = (n <= 32) ? "send id=1 chat=a cid=c msg=["
                : "bad_request id=1 chat=a cid=c nested too deep";

            decode_json(out, in);
            assert_memory_equal(out, expected, strlen(expected));
            assert_true(!batch || strstr(out, "; ping"));

            decode_msgpack(out, in);
            assert_memory_equal(out, expected, strlen(expected));
            assert_true(!batch || strstr(out, "; ping"));
        }
    }
}


static void
test_lengths(void **state)
{
    char    in[1024], out[1024], expected[1024], name[256];
    size_t  i, enc;

    static const struct {
        const char  *format;
        const char  *good;
        const char  *bad;
        int          most;
    } names[] = {
        { "{'op':'leave','chat_id':'%s'}", "leave chat=%s",
          "bad_request " TEST_REASON_CHAT_ID, 128 },
        { "{'op':'send','chat_id':'a','cid':'%s','message':1}",
          "send chat=a cid=%s msg=1", "bad_request chat=a " TEST_REASON_CID,
          64 },
        { "{'op':'ping','id':'%s'}", "ping id='%s'",
          "bad_request " TEST_REASON_ID, 64 }
    };

    for (i = 0; i < wsc_test_count(names); i++) {
        memset(name, 'x', sizeof(name));

        for (enc = 0; enc < 2; enc++) {
            name[names[i].most] = '\0';
            sprintf(in, names[i].format, name);
            sprintf(expected, names[i].good, name);
            enc ? decode_json(out, in) : decode_msgpack(out, in);
            assert_string_equal(out, expected);

            name[names[i].most] = 'x';
            name[names[i].most + 1] = '\0';
            sprintf(in, names[i].format, name);
            enc ? decode_json(out, in) : decode_msgpack(out, in);
            assert_string_equal(out, names[i].bad);
        }
    }
}


static void
test_batches(void **state)
{
    char    out[1024];
    size_t  i;

    static const test_cmd_t  batches[] = {
        { "[{'op':'ping'}]", "ping" },
        { "[{'op':'ping','id':1},{'op':'leave','chat_id':'b'},"
          "{'op':'ping','id':'x'}]", "ping id=1; leave chat=b; ping id='x'" },
        { "[{'op':'ping','id':1},{'op':'join','id':2},{'op':'no','id':3},"
          "{'op':'ping','id':4}]",
          "ping id=1; bad_request id=2 " TEST_REASON_CHAT_ID
          "; unknown_op id=3 there is no such op; ping id=4" },
        { "[{'op':'ping','id':1},{'op':'ping','id':2,'x':[{'a':1,'a':1}]},"
          "{'op':'ping','id':3}]",
          "ping id=1; bad_request id=2 a key is repeated" }
    };

    for (i = 0; i < wsc_test_count(batches); i++) {
        decode_json(out, batches[i].in);
        expect(out, batches[i].out);
        decode_msgpack(out, batches[i].in);
        expect(out, batches[i].out);

        if (i == 3) {
            assert_non_null(strstr(out, "; ping id=3"));
        }
    }

    decode_json(out, "[ 1 , {'op':'ping'},[{'op':'ping'}],null ]");
    assert_string_equal(out, "bad_request a command must be an object; ping; "
                        "bad_request a command must be an object; "
                        "bad_request a command must be an object");

    decode_msgpack(out, "[1,{'op':'ping'},[{'op':'ping'}]]");
    assert_string_equal(out, "bad_request a command must be a map; ping; "
                        "bad_request a command must be a map");

    decode_json(out, "[{'op':'send','id':1,'chat_id':'a','cid':'c',"
                     "'message':'\\u0000'},{'op':'ping','id':2}]");
    assert_string_equal(out, "bad_request id=1 chat=a cid=c "
                        "\\u0000 in a string; ping id=2");
}


static void
test_batch_sizes(void **state)
{
    char     in[2048], out[1024], *p;
    unsigned n, i, found;

    for (n = 63; n < 66; n++) {
        p = in;

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%c{'op':'ping'}", i ? ',' : '[');
        }

        sprintf(p, "]");

        for (i = 0; i < 2; i++) {
            i ? decode_json(out, in) : decode_msgpack(out, in);

            if (n > WSC_MAX_BATCH) {
                assert_string_equal(out, "declined more than 64 commands in"
                                    " one message");
                continue;
            }

            found = 0;

            for (p = strstr(out, "ping"); p; p = strstr(p + 1, "ping")) {
                found++;
            }

            assert_int_equal(found, n);
        }
    }
}


static void
test_no_batch(void **state)
{
    char    out[1024];
    size_t  i;

    static const test_cmd_t  json[] = {
        { "", "declined an empty message" },
        { " ", "declined not JSON" },
        { "[]", "declined an empty array of commands" },
        { "{'op':'ping'", "declined not JSON" },
        { "{'op':'ping'} {'op':'ping'}", "declined not JSON" },
        { "[{'op':'ping'},]", "declined not JSON" },
        { "[{'op':'ping'},x]", "declined not JSON" },
        { "{'op':'\xff'}", "declined not UTF-8" },
        { "\x81\xa2op\xa4ping", "declined not UTF-8" }
    };

    for (i = 0; i < wsc_test_count(json); i++) {
        decode_json(out, json[i].in);
        assert_string_equal(out, json[i].out);
    }

    decode(out, WSC_ENC_MSGPACK, "\x90", 1);
    assert_string_equal(out, "declined an empty array of commands");
    decode(out, WSC_ENC_MSGPACK, "", 0);
    assert_string_equal(out, "declined an empty message");
    decode(out, WSC_ENC_MSGPACK, "{\"op\":\"ping\"}", 13);
    assert_string_equal(out, "declined not msgpack");
    decode(out, WSC_ENC_MSGPACK, "\x80\x80", 2);
    assert_string_equal(out, "declined not msgpack");
}


/* No prefix of a command is one. */

static void
test_prefixes(void **state)
{
    char            *text, out[1024];
    size_t           i, n, len;
    wsc_buf_t        b;
    wsc_test_mem_t   mem;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    for (i = 0; i < wsc_test_count(commands); i++) {
        text = unquote(commands[i].in);
        len = strlen(text);
        b.len = 0;

        assert_int_equal(wsc_json_to_msgpack((u_char *) text, len, &b),
                         WSC_OK);

        for (n = 1; n < len; n++) {
            decode(out, WSC_ENC_JSON, text, n);
            assert_int_equal(strncmp(out, "declined not ", 13), 0);
        }

        for (n = 1; n < b.len; n++) {
            decode(out, WSC_ENC_MSGPACK, b.data, n);
            assert_string_equal(out, "declined not msgpack");
        }

        free(text);
    }

    wsc_buf_free(&b);
}


/* jansson allocates through these for as long as a memory is set. */

static wsc_test_mem_t  *jansson_mem;


static void *
jansson_alloc(size_t size)
{
    return wsc_alloc(&jansson_mem->alloc, size);
}


static void
jansson_free(void *p)
{
    wsc_free(&jansson_mem->alloc, p);
}


static void
check_memory(wsc_test_mem_t *mem, void *data)
{
    int           failed;
    ssize_t       rc;
    wsc_cmd_t     cmd;
    wsc_err_e     err;
    const char   *reason;
    wsc_batch_t  *batch;

    struct {
        wsc_enc_e  enc;
        wsc_str_t  text;
    } *in = data;

    jansson_mem = mem;
    failed = 0;

    rc = wsc_batch_open(&mem->alloc, in->enc, &in->text, &batch, &reason);

    if (rc == WSC_OK) {

        do {
            rc = wsc_batch_next(batch, &cmd, &err, &reason);
            failed |= (rc == WSC_ERROR);
        } while (rc != WSC_DONE);

        wsc_batch_close(batch);

    } else {
        assert_int_equal(rc, WSC_ERROR);
        failed = 1;
    }

    assert_int_equal(failed, mem->fail_at <= mem->calls);
}


static void
test_memory(void **state)
{
    char             *text;
    wsc_buf_t         b;
    wsc_test_mem_t    mem;
    json_malloc_t     old_malloc;
    json_free_t       old_free;

    struct {
        wsc_enc_e  enc;
        wsc_str_t  text;
    } in;

    wsc_test_mem_init(&mem, 0);
    wsc_buf_init(&b, &mem.alloc);

    text = unquote("[{'op':'send','chat_id':'a','cid':'c','message':['x',"
                   "'much longer than the first block of a buffer, which is"
                   " of no more octets than one can write into one line']},"
                   "{'op':'join','id':'x','chat_id':'a','after':{'epoch':1,"
                   "'seq':2}}]");

    assert_int_equal(wsc_json_to_msgpack((u_char *) text, strlen(text), &b),
                     WSC_OK);

    json_get_alloc_funcs(&old_malloc, &old_free);
    json_object_seed(1);
    json_set_alloc_funcs(jansson_alloc, jansson_free);

    in.enc = WSC_ENC_JSON;
    in.text.data = (u_char *) text;
    in.text.len = strlen(text);
    assert_true(wsc_test_mem_fail(check_memory, &in) > 10);

    json_set_alloc_funcs(old_malloc, old_free);

    in.enc = WSC_ENC_MSGPACK;
    in.text.data = b.data;
    in.text.len = b.len;
    assert_true(wsc_test_mem_fail(check_memory, &in) >= 3);

    free(text);
    wsc_buf_free(&b);
}


/* A large message costs one copy of it in msgpack and none in JSON. */

static void
test_large(void **state)
{
    char            *text;
    ssize_t          rc;
    wsc_cmd_t        cmd;
    wsc_err_e        err;
    wsc_str_t        s;
    const char      *reason;
    wsc_batch_t     *batch;
    wsc_test_mem_t   mem;

    static const char  head[] = "{\"op\":\"send\",\"chat_id\":\"a\","
                                "\"cid\":\"c\",\"message\":\"";

    s.len = 1000000;
    text = malloc(s.len);
    assert_non_null(text);

    memset(text, 'x', s.len);
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + s.len - 2, "\"}", 2);
    s.data = (u_char *) text;

    wsc_test_mem_init(&mem, 0);

    assert_int_equal(wsc_batch_open(&mem.alloc, WSC_ENC_JSON, &s, &batch,
                                    &reason), WSC_OK);
    rc = wsc_batch_next(batch, &cmd, &err, &reason);
    assert_int_equal(rc, WSC_OK);
    assert_ptr_equal(cmd.message.data.data, text + sizeof(head) - 2);
    assert_int_equal(cmd.message.data.len, s.len - sizeof(head) + 1);
    wsc_batch_close(batch);

    assert_true(mem.peak < 1024);
    assert_true(mem.calls <= 3);
    wsc_test_mem_check(&mem);

    free(text);
}
