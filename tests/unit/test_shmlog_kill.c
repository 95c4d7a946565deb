
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * The embedded store in processes that share an area and are killed, again and
 * again, at any instruction of a call.
 */


#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wsc_test.h"
#include "wsc_shmlog.h"
#include "wsc_shmlog_check.h"


#define TEST_KILL_WRITERS  3
#define TEST_KILL_CHATS    4
#define TEST_KILL_DEATHS   120
#define TEST_KILL_US       300       /* until a writer dies, at least */
#define TEST_KILL_SIZE     (64 << 20)


typedef struct {
    uint32_t            owner;       /* process in the lock; 0: free */
    uint64_t            acked[TEST_KILL_WRITERS];
    uint64_t            area[];
} test_kill_shared_t;


static test_kill_shared_t         *shared;
static const wsc_shmlog_limits_t   unlimited;


static void
test_kill_lock(void)
{
    uint32_t  none, self;

    self = getpid();

    do {
        none = 0;
    } while (!__atomic_compare_exchange_n(&shared->owner, &none, self, 0,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
             && sched_yield() == 0);
}


static void
test_kill_unlock(void)
{
    __atomic_store_n(&shared->owner, 0, __ATOMIC_RELEASE);
}


static uint32_t
test_kill_chat(wsc_shmlog_t *l, unsigned k)
{
    char       name[16];
    wsc_str_t  s;

    s.len = sprintf(name, "chat%u", k);
    s.data = (u_char *) name;

    return wsc_shmlog_make(l, &s, 1);
}


/* Message number n of a writer: its length and octets follow from n. */

static void
test_kill_entry(wsc_entry_t *e, char *buf, unsigned writer, uint64_t n)
{
    memset(e, 0, sizeof(*e));

    e->timestamp = n;
    e->sender.data = (u_char *) buf;
    e->sender.len = sprintf(buf, "w%u", writer);
    e->cid.data = e->sender.data + e->sender.len;
    e->cid.len = sprintf((char *) e->cid.data, "%llu",
                         (unsigned long long) n);
    e->message.data.data = e->cid.data + e->cid.len;
    e->message.data.len = n * 37 % 600;
    memset(e->message.data.data, 'a' + n % 26, e->message.data.len);
}


/* Dies if it is in the lock, else tries again soon. */

static void
test_kill_alarm(int signo)
{
    struct itimerval  it;

    if (shared->owner == (uint32_t) getpid()) {
        kill(getpid(), SIGKILL);
    }

    memset(&it, 0, sizeof(it));
    it.it_value.tv_usec = 100 + shared->acked[0] % 97;
    setitimer(ITIMER_REAL, &it, NULL);
}


static void
test_kill_arm(void)
{
    uint32_t          seed;
    struct itimerval  it;

    seed = getpid();

    memset(&it, 0, sizeof(it));
    it.it_value.tv_usec = wsc_test_random(&seed) % TEST_KILL_US + 50;

    signal(SIGALRM, test_kill_alarm);
    setitimer(ITIMER_REAL, &it, NULL);
}


/*
 * A writer: each message is sent until it is acked; the one that was under way
 * when its forerunner died may be there already.
 */
static void
test_kill_write(unsigned writer)
{
    int           first;
    char          buf[1024];
    ssize_t       rc;
    uint32_t      chat;
    uint64_t      n;
    wsc_entry_t   e;
    wsc_shmlog_t  l;

    if (wsc_shmlog_open(&l, shared->area) != WSC_OK) {
        _exit(2);
    }

    first = 1;
    test_kill_arm();

    for ( ;; ) {
        n = shared->acked[writer] + 1;
        test_kill_entry(&e, buf, writer, n);

        test_kill_lock();
        chat = test_kill_chat(&l, n % TEST_KILL_CHATS);
        wsc_shmlog_interest(&l, chat, writer, n / TEST_KILL_CHATS % 2);
        rc = wsc_shmlog_append(&l, chat, &e, &unlimited);
        __atomic_store_n(&shared->acked[writer], n, __ATOMIC_RELEASE);
        test_kill_unlock();

        if (rc != WSC_OK && !(first && rc == WSC_DECLINED)) {
            _exit(3);
        }

        first = 0;
    }
}


static pid_t
test_kill_fork(unsigned writer)
{
    pid_t  pid;

    pid = fork();
    assert_int_not_equal(pid, -1);

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        test_kill_write(writer);
    }

    return pid;
}


static int
test_kill_wait(pid_t pid)
{
    int  status;

    while (waitpid(pid, &status, 0) == -1) {
        assert_int_equal(errno, EINTR);
    }

    return status;
}


/* Each acked message once, in its writer's order; positions without a hole. */

static void
test_kill_verify(wsc_shmlog_t *l)
{
    char         buf[1024];
    u_char       octets[1024];
    size_t       size;
    ssize_t      rc;
    unsigned     k, w;
    uint32_t     chat, at;
    uint64_t     n, last[TEST_KILL_WRITERS], total;
    wsc_pos_t    pos, want;
    wsc_entry_t  e, model;

    wsc_shmlog_check(l);
    total = 0;

    for (k = 0; k < TEST_KILL_CHATS; k++) {
        chat = test_kill_chat(l, k);
        memset(last, 0, sizeof(last));
        want.seq = 0;
        at = 0;

        while (wsc_shmlog_back(l, chat, NULL, &at, &pos, &size) == WSC_OK) {
            /* to the first */
        }

        for (rc = at ? WSC_OK : WSC_DONE; rc == WSC_OK;
             rc = wsc_shmlog_forward(l, &at, &pos, &size))
        {
            assert_true(size <= sizeof(octets));
            wsc_shmlog_copy(l, at, &e, octets);
            assert_true(e.pos.seq == want.seq + 1);
            assert_true(e.prev.seq == want.seq);
            want = e.pos;

            n = e.timestamp;
            w = e.sender.data[1] - '0';
            assert_in_range(w, 0, TEST_KILL_WRITERS - 1);
            test_kill_entry(&model, buf, w, n);
            assert_int_equal(size, model.sender.len + model.cid.len
                                   + model.message.data.len);
            assert_memory_equal(octets, buf, size);

            assert_int_equal(n % TEST_KILL_CHATS, k);
            assert_true(n == (last[w] ? last[w] + TEST_KILL_CHATS
                                      : (k ? k : TEST_KILL_CHATS)));
            last[w] = n;
            total++;
        }

        for (w = 0; w < TEST_KILL_WRITERS; w++) {
            assert_true(last[w] + TEST_KILL_CHATS > shared->acked[w]);
        }
    }

    for (w = 0; w < TEST_KILL_WRITERS; w++) {
        total -= shared->acked[w];
    }

    /* at most one under way of each writer */
    assert_true(total <= TEST_KILL_WRITERS);
}


/* A writer died in the lock, which is ours now. */

static void
test_kill_mourn(wsc_shmlog_t *l, pid_t *pids)
{
    int       status;
    pid_t     pid;
    unsigned  w;

    do {
        pid = waitpid(-1, &status, 0);
    } while (pid == -1 && errno == EINTR);

    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(shared->owner, pid);

    for (w = 0; pids[w] != pid; w++) {
        assert_true(w < TEST_KILL_WRITERS - 1);
    }

    wsc_shmlog_repair(l);
    wsc_shmlog_clear_slot(l, w);
    test_kill_verify(l);

    pids[w] = test_kill_fork(w);
    test_kill_unlock();
}


static void
test_kill(void **state)
{
    int           deaths;
    pid_t         pids[TEST_KILL_WRITERS];
    size_t        size;
    unsigned      w;
    wsc_shmlog_t  l;

    size = sizeof(test_kill_shared_t) + TEST_KILL_SIZE;
    shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    assert_int_equal(wsc_shmlog_init(&l, shared->area, TEST_KILL_SIZE),
                     WSC_OK);

    /* so that no chat is evicted */
    for (w = 0; w < TEST_KILL_CHATS; w++) {
        wsc_shmlog_interest(&l, test_kill_chat(&l, w), 200, 1);
    }

    for (w = 0; w < TEST_KILL_WRITERS; w++) {
        pids[w] = test_kill_fork(w);
    }

    for (deaths = 0; deaths < TEST_KILL_DEATHS; deaths++) {
        test_kill_mourn(&l, pids);
    }

    test_kill_lock();
    test_kill_verify(&l);
    print_message("%d died; %llu messages\n", deaths,
                  (unsigned long long) (shared->acked[0] + shared->acked[1]
                                        + shared->acked[2]));

    for (w = 0; w < TEST_KILL_WRITERS; w++) {
        kill(pids[w], SIGKILL);
        test_kill_wait(pids[w]);
    }

    munmap(shared, size);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_kill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
