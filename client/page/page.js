/* The chat page: a name, a chat, and the conversation. */

import {WsChat, comparePositions} from './ws-chat.js';
import {MessageLog, words} from './log.js';
import {People} from './people.js';

const MOST_BYTES = 128;             /* of a name in UTF-8, or a chat */
const CHAT_ID = /^[A-Za-z0-9._:@-]+$/;
const FIRST_CHAT = 'lobby';
const HISTORY = 50;
const HINT = 'Enter sends, Shift+Enter begins a new line';
const CHANGE_HINT = ', ↑ changes your last message';
const NARROW = matchMedia('(max-width: 30rem)');
const RECEIPTS_MS = 50;
const FIELD_PX = 44;                /* the text field, one line high */

const $ = (id) => document.getElementById(id);

/** What to tell about a refusal, and which field it belongs to. */
const REFUSALS = {
    bad_request: ['chat', 'The server does not take this name or chat.'],
    forbidden: ['chat', 'You may not enter this chat.'],
    too_many_chats: ['chat', 'You are in too many chats already.'],
    unauthorized: [null, 'The server asks for a login that is missing or'
                         + ' has expired.'],
};

/** What the closes say that end a conversation. */
const CLOSES = {
    4001: 'Your login has expired.',
    4003: 'The server does not let you in any more.',
    4009: 'An administrator has disconnected you.',
};

let chat = null;
let receiptsTimer = null;
let chatId = '';
let shown = null;                   /* the room in the list, left or not */
let changing = null;                /* one's own message, being changed */

const log = new MessageLog($('log'), $('messages'), $('message'), {
    resend(sent) {
        chat.connect();
        chat.resend(sent);
    },

    unread(count) {
        showNewer(count);
        markRead();
    },

    edit: beginChange,

    retract(m) {
        change(() => chat.retract(chatId, m));
    },

    ends: showEnds,
    newer: loadNewer,

    latest() {
        log.show(shown.messages, shown.hasOlder);
        log.showReceipts(shown);
    },
});

const people = new People({
    button: $('people'), faces: $('faces'), count: $('people-count'),
    panel: $('panel'), list: $('panel-list'), more: $('panel-more'),
    typing: $('typing'),
});


/* What the browser remembers: for this tab first, then for the next one. */

function remembered(key) {
    try {
        return sessionStorage.getItem(`ws-chat.${key}`)
               ?? localStorage.getItem(`ws-chat.${key}`) ?? '';
    } catch (err) {
        return '';
    }
}


function remember(key, value) {
    try {
        sessionStorage.setItem(`ws-chat.${key}`, value);
        localStorage.setItem(`ws-chat.${key}`, value);
    } catch (err) {
        /* a private window without storage: nothing is remembered */
    }
}


/* Unsent messages outlive a reload of the tab, under their own cid. */

function outboxKey() {
    return `ws-chat.outbox.${chat.user}.${chatId}`;
}


function saveOutbox() {
    const unsent = chat.outbox.map(({cid, message}) => ({cid, message}));

    try {
        sessionStorage.setItem(outboxKey(), JSON.stringify(unsent));
    } catch (err) {
        /* no storage: they live as long as the page */
    }
}


function restoreOutbox() {
    let unsent = [];

    try {
        unsent = JSON.parse(sessionStorage.getItem(outboxKey())) ?? [];
    } catch (err) {
        return;
    }

    for (const {cid, message} of unsent) {
        chat.send(chatId, message, {cid, retry: true});
    }
}


/* The way in */

function hashChat() {
    const args = new URLSearchParams(location.hash.slice(1));

    return args.get('chat') ?? '';
}


function nameProblem(name) {
    if (!name) {
        return 'Please give a name.';
    }

    if (/\p{Cc}/u.test(name)) {
        return 'A name has no control characters.';
    }

    return new TextEncoder().encode(name).length > MOST_BYTES
           ? 'This name is too long.' : '';
}


function chatProblem(id) {
    if (!id) {
        return 'Please give a chat.';
    }

    if (id.length > MOST_BYTES) {
        return 'This chat name is too long.';
    }

    return CHAT_ID.test(id) ? '' : 'Letters, digits and . _ : @ - only.';
}


function showProblem(field, text) {
    $(`${field}-error`).textContent = text;
    $(field).setAttribute('aria-invalid', String(text !== ''));
}


/* Its unsent messages stay in the storage for the next time. */
function closeChat() {
    const old = chat;

    endChange();
    chat = null;
    old?.close();
}


function showStart({name, id, field, refusal = ''}) {
    closeChat();
    document.title = 'Chat';
    $('talk').hidden = true;
    $('start').hidden = false;
    $('name').value = name;
    $('chat').value = id;
    showProblem('name', '');
    showProblem('chat', '');
    $('refusal').textContent = refusal;

    if (field) {
        $(field).setAttribute('aria-invalid', 'true');
    }

    $(field ?? (name ? 'chat' : 'name')).focus();
}


function tryStart(name, id) {
    const problems = [['name', nameProblem(name)], ['chat', chatProblem(id)]];
    const [wrong] = problems.filter(([, text]) => text);

    if (!wrong) {
        enter(name, id);
        return;
    }

    showStart({name, id});
    problems.forEach(([field, text]) => showProblem(field, text));
    $(wrong[0]).focus();
}


/* The conversation */

function enter(name, id) {
    closeChat();
    chatId = id;
    remember('name', name);
    remember('chat', id);
    history.replaceState(null, '', `#chat=${encodeURIComponent(id)}`);

    log.me = name;
    log.canChange = true;
    $('older').dataset.state = 'none';
    log.clear();
    people.me = name;
    people.show(null);
    people.close();
    $('start').hidden = true;
    $('talk').hidden = false;
    $('empty').hidden = true;
    $('problem').hidden = true;
    $('title').textContent = `#${id}`;
    $('log').setAttribute('aria-busy', 'true');
    showTitle();
    $('text').focus();

    const mine = new WsChat('/chat', {user: name, receipts: true,
                                      sse: '/events'});

    chat = mine;
    listen(mine);
    showState();

    mine.join(id, {history: HISTORY}).then(
        (room) => chat === mine && showRoom(room),
        (err) => chat === mine && refuse(name, err));
    restoreOutbox();
}


function refuse(name, err) {
    const [field, text] = REFUSALS[err.code] ?? [null, err.message];
    const detail = err.message === err.code ? '' : ` (${err.message})`;

    showStart({name, id: chatId, field, refusal: text + detail});
}


function listen(mine) {
    const on = (event, fn) => mine.on(event, (value) => {
        if (chat === mine) {
            fn(value);
        }
    });

    on('state', showState);
    on('delivery', (sent) => {
        log.track(sent);
        saveOutbox();
        showHint();
        showEmpty();
    });
    on('message', (m) => {
        log.add(m);
        showEmpty();
        markRead();
        showTitle();
    });
    on('update', (ev) => log.update(ev));
    on('mark', showReceipts);
    on('presence', () => people.update());
    on('typing', () => people.update());
    on('joined', ({room}) => {
        people.show(room);
        log.showReceipts(room);
    });
    on('notice', (ev) => log.note(`${ev.sender}: ${words(ev)}`));
    on('reset', ({room}) => {
        showRoom(room);
        log.note('The server began anew; earlier messages may be missing');
    });
    on('gap', () => log.note('Some messages could not be loaded'));
    on('left', ({error}) => {
        if ($('log').getAttribute('aria-busy') === 'false') {
            showTrouble(`You are no longer in this chat: ${error.message}.`);
        }
    });
}


function showRoom(room) {
    const {unread} = room;

    shown = room;
    log.me = chat.user;
    people.me = chat.user;
    log.show(room.messages, room.hasOlder);
    log.showReceipts(room);
    people.show(room);

    if (unread > 0) {
        log.divide(room.marks.get(chat.user)?.read);
    }

    $('log').setAttribute('aria-busy', 'false');
    showEmpty();
    markRead();
    showTitle();
}


/* Many marks come at once; they are shown together. */
function showReceipts({room}) {
    receiptsTimer ??= setTimeout(() => {
        receiptsTimer = null;

        if (room === chat?.room(chatId)) {
            log.showReceipts(room);
            showTitle();
        }
    }, RECEIPTS_MS);
}


/* What is in view, in a window that somebody looks at, is read. */
function markRead() {
    const room = chat?.room(chatId);

    if (room?.unread > 0 && log.isAtEnd && document.hasFocus()
        && !document.hidden)
    {
        room.markRead();
        showTitle();
    }
}


/* What there is beyond the list. The place of the button at its beginning,
   once taken, stays: nothing moves when the last page came. */
function showEnds() {
    const older = $('older');

    if (log.hasOlder) {
        older.dataset.state = 'more';
    } else if (older.dataset.state === 'more') {
        leaveButton(older);
        older.dataset.state = 'all';
    }

    if (log.isLive) {
        leaveButton($('later'));
    }

    $('later').hidden = log.isLive;
    $('log').ariaLive = log.isLive ? 'polite' : 'off';
    showNewer(log.unread);
}


/* It goes: who is at it is in the list then. */
function leaveButton(button) {
    if (button === document.activeElement) {
        $('log').focus({preventScroll: true});
    }
}


function showNewer(count) {
    $('newer').hidden = count === 0 && log.isLive;
    setText('newer', count === 0 ? 'Latest messages'
                     : count === 1 ? '1 new message'
                     : `${count} new messages`);
}


function showEmpty() {
    const settled = $('log').getAttribute('aria-busy') === 'false';

    $('empty').hidden = !settled || !log.isEmpty;
}


function showTitle() {
    const unread = chat?.room(chatId)?.unread ?? 0;

    document.title = unread > 0 ? `(${unread}) #${chatId}` : `#${chatId}`;
}


function showTrouble(text) {
    $('problem').hidden = false;
    $('problem-text').textContent = text;
}


function showState() {
    const {state, error} = chat;
    const texts = {
        connecting: 'Connecting…',
        online: `Online as ${chat.user}`,
        stale: 'Online, but messages may be late',
        offline: 'Offline',
        closed: 'Disconnected',
    };

    $('status').dataset.state = state;
    $('now').classList.toggle('shown', state === 'offline');
    $('people').classList.toggle('away', state === 'offline');
    setText('status-text', texts[state]);
    showCountdown();
    showHint();
    people.update();

    if (state === 'online') {
        $('problem').hidden = true;
    }

    if (state === 'closed' && error.code !== 'closed') {
        const [, text] = REFUSALS[error.code] ?? [null, error.message];
        showTrouble(CLOSES[error.status] ?? text);
    }
}


function showCountdown() {
    const seconds = chat?.state === 'offline'
                    ? Math.ceil((chat.retryAt - Date.now()) / 1000) : 0;

    setText('countdown', seconds > 0 ? `next try in ${seconds} s` : '');
}


function showHint() {
    const waiting = chat.outbox.length;
    const isAway = chat.state === 'offline' || chat.state === 'connecting';
    const unsent = waiting === 1 ? '1 message waits'
                                 : `${waiting} messages wait`;

    if (changing) {
        setText('hint', 'Enter saves, Escape cancels');
        return;
    }

    setText('hint', isAway && waiting > 0 ? `${unsent} for the connection`
                    : HINT + (NARROW.matches || !log.canChange ? '' : CHANGE_HINT));
}


/* Only a change is written: what is the same is not announced again. */
function setText(id, text) {
    if ($(id).textContent !== text) {
        $(id).textContent = text;
    }
}


function fitField() {
    const field = $('text');

    field.style.height = `${FIELD_PX}px`;
    field.style.height =
        `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}


function send() {
    const text = $('text').value.trim();

    if (changing) {
        const m = changing;

        endChange();

        if (text && text !== words(m)) {
            change(() => chat.edit(chatId, m, withText(m.message, text)));
        }
    } else if (text) {
        $('text').value = '';
        fitField();
        log.undivide();
        log.toEnd();
        chat.send(chatId, text);
    }

    $('text').focus();
}


/* A message may be an object with more than its text. */
function withText(message, text) {
    return typeof message?.text === 'string' ? {...message, text} : text;
}


function beginChange(m) {
    changing = m;
    $('editing').hidden = false;
    $('text').value = words(m);
    fitField();
    $('text').focus();
    $('text').setSelectionRange(-1, -1);
    showHint();
}


function endChange() {
    if (changing) {
        changing = null;
        $('editing').hidden = true;
        $('text').value = '';
        fitField();
        showHint();
    }
}


async function change(request) {
    try {
        await request();
    } catch (err) {
        log.canChange &&= err.code !== 'unknown_op';
        setText('hint', err.code === 'unknown_op'
                        ? 'This server does not change messages'
                        : `It could not be changed: ${err.message}`);
    }
}


function onType() {
    fitField();

    if (!changing) {
        chat.typing(chatId, $('text').value.trim() !== '');
    }
}


function loadOlder() {
    const {first} = log;

    loadPage('older', {before: place(first)}, ({messages, more}) => {
        if (isSame(first, log.first)) {
            log.addOlder(messages, more);
        }
    });
}


function loadNewer() {
    const {last} = log;
    const [first] = shown.messages;

    if (first && comparePositions(first, last) <= 0) {
        // the room has what follows
        const rest = behind(last);

        log.addNewer(rest.slice(0, HISTORY), rest.length > HISTORY);
        log.showReceipts(shown);
        return;
    }

    loadPage('later', {after: place(last)}, ({messages, more}) => {
        if (!log.isLive && isSame(last, log.last)) {
            // and what has come since
            const rest = more ? [] : behind(messages.at(-1) ?? last);

            log.addNewer([...messages, ...rest], more);
        }
    });
}


/* The room's messages behind a position. */
function behind(position) {
    return shown.messages.filter((m) => comparePositions(m, position) > 0);
}


/* A page from beyond the list, unless one is on its way. */
async function loadPage(id, from, add) {
    const mine = chat;
    const button = $(id);

    if (!mine || button.ariaBusy === 'true') {
        return;
    }

    button.ariaBusy = 'true';

    try {
        const page = await mine.history(chatId, {...from, limit: HISTORY});

        if (chat === mine) {
            add(page);
            log.showReceipts(shown);
        }
    } catch (err) {
        setText('hint', `${id === 'older' ? 'Earlier' : 'Later'} messages`
                        + ' could not be loaded');
    }

    button.ariaBusy = 'false';
}


function place({epoch, seq}) {
    return {epoch, seq};
}


function isSame(a, b) {
    return !!b && comparePositions(a, b) === 0;
}


function leave() {
    history.replaceState(null, '', location.pathname + location.search);
    showStart({name: remembered('name'), id: chatId});
}


/* Wiring */

$('join').addEventListener('submit', (ev) => {
    ev.preventDefault();
    tryStart($('name').value.trim(), $('chat').value.trim().replace(/^#/, ''));
});

$('composer').addEventListener('submit', (ev) => {
    ev.preventDefault();
    send();
});

$('text').addEventListener('input', onType);
$('text').addEventListener('keydown', (ev) => {
    if (ev.key === 'Enter' && !ev.shiftKey && !ev.isComposing) {
        ev.preventDefault();
        send();
    } else if (ev.key === 'Escape') {
        endChange();
    } else if (ev.key === 'ArrowUp' && $('text').value === ''
               && log.lastOwn)
    {
        ev.preventDefault();
        beginChange(log.lastOwn);
    }
});

$('keep').addEventListener('click', () => {
    endChange();
    $('text').focus();
});
$('change').addEventListener('click', leave);
$('elsewhere').addEventListener('click', leave);
$('now').addEventListener('click', () => chat.connect());
$('reconnect').addEventListener('click', () => {
    if (chat.room(chatId)) {
        chat.connect();
        return;
    }

    enter(remembered('name'), chatId);
});
$('newer').addEventListener('click', () => {
    log.toEnd();
    $('text').focus();
});

for (const [id, load] of [['older', loadOlder], ['later', loadNewer]]) {
    $(id).addEventListener('click', () => {
        // by keyboard it may be far from what is in view
        $(id).scrollIntoView({block: 'nearest'});
        load();
    });
}

addEventListener('hashchange', () => tryStart(remembered('name'), hashChat()));
addEventListener('online', () => chat?.state === 'offline' && chat.connect());
addEventListener('offline', () => chat?.check());
document.addEventListener('visibilitychange', () => {
    if (document.hidden || !chat) {
        return;
    }

    markRead();
    chat.check();
});
addEventListener('focus', markRead);

setInterval(showCountdown, 250);

if (remembered('name') && hashChat()) {
    tryStart(remembered('name'), hashChat());
} else {
    showStart({name: remembered('name'),
               id: hashChat() || remembered('chat') || FIRST_CHAT});
}
