/* The list of messages on the page: bubbles grouped by sender and day. */

import {hue, initials, several} from './names.js';
import {comparePositions} from './ws-chat.js';

const GROUP_MS = 5 * 60 * 1000;     /* a longer silence begins a new group */
const MOST = 1500;                  /* bubbles kept; beyond, a third goes */
const NEAR = 48;                    /* px from the end that count as there */
const RECEIPTS = 40;                /* of one's own messages, the last ones */
const SURE_MS = 4000;               /* to press "Delete" a second time */
const LABELS = {sending: 'Sending', stored: 'Sent', failed: 'Not sent',
                delivered: 'Delivered', read: 'Read'};

const clock = new Intl.DateTimeFormat(undefined, {timeStyle: 'short'});
const full = new Intl.DateTimeFormat(undefined, {dateStyle: 'full',
                                                 timeStyle: 'short'});
const weekday = new Intl.DateTimeFormat(undefined, {
    weekday: 'long', day: 'numeric', month: 'long'});


/** What a bubble shows of a message, which may be any JSON value. */
export function words({message, retracted}) {
    if (retracted) {
        return 'This message was deleted';
    }

    if (typeof message === 'string') {
        return message;
    }

    return typeof message?.text === 'string' ? message.text
                                             : JSON.stringify(message);
}


function dayName(time) {
    const midnight = new Date().setHours(0, 0, 0, 0);

    if (time >= midnight) {
        return 'Today';
    }

    return time >= midnight - 24 * 3600 * 1000 ? 'Yesterday'
                                               : weekday.format(time);
}


export class MessageLog {
    #scroller;
    #list;
    #template;
    #on;
    #pending = new Map();
    #unread = 0;
    #atEnd = true;
    #current = null;

    /**
     * @param {HTMLElement} scroller holds the list
     * @param {HTMLOListElement} list
     * @param {HTMLTemplateElement} template of one message
     * @param {{resend, unread, edit, retract}} on resend(sent): the button
     *   of a failed one; unread(n): messages came while scrolled up; edit(m),
     *   retract(m): of one's own messages
     */
    constructor(scroller, list, template, on) {
        this.#scroller = scroller;
        this.#list = list;
        this.#template = template;
        this.#on = on;
        /** name whose messages stand on the right */
        this.me = '';
        /** can messages be changed? */
        this.canChange = true;

        scroller.addEventListener('scroll', () => this.#onScroll(),
                                  {passive: true});

        list.addEventListener('keydown', (ev) => this.#onKey(ev));

        const observer = new ResizeObserver(() => {
            if (this.#atEnd) {
                this.toEnd();
            }
        });

        observer.observe(scroller);
        observer.observe(list);
    }

    get isEmpty() {
        return this.#list.childElementCount === 0;
    }

    /** Is the last message in view? */
    get isAtEnd() {
        return this.#atEnd;
    }

    clear() {
        this.#pending.clear();
        this.#current = null;
        this.#list.replaceChildren();
        this.toEnd();
    }

    /** Shows these messages in place of all but the unsent ones. */
    show(messages) {
        const waiting = [...this.#pending.values()];

        for (const {cid} of messages) {
            this.#pending.delete(cid);
        }

        this.#list.replaceChildren(
            ...messages.map((m) => this.#item(m)),
            ...waiting.filter((li) => this.#pending.has(li.info.cid)));
        this.#relateAll();
        this.#setCurrent();
        this.toEnd();
    }

    /** A line before the first of these messages: they are new to the user.
     *  @param {?{epoch: number, seq: number}} read the last one that is not */
    divide(read) {
        const first = [...this.#list.children].find(
            (li) => li.info?.m.epoch !== undefined
                    && li.info.sender !== this.me
                    && (!read || comparePositions(li.info.m, read) > 0));

        this.undivide();

        if (first?.previousElementSibling) {
            const line = noteItem('New messages');

            line.classList.add('fresh');
            first.before(line);
        }
    }

    undivide() {
        this.#list.querySelector('.fresh')?.remove();
    }

    /** A new message; one's own takes the place of its unsent bubble. */
    add(m) {
        const own = m.sender === this.me && this.#pending.get(m.cid);
        const li = own || this.#item(m);
        const next = this.#firstPending(li);

        if (own) {
            this.#pending.delete(m.cid);
            this.#stamp(li, m.timestamp);
            this.#own(li, m);
        }

        if (!own || li.nextElementSibling !== next) {
            this.#list.insertBefore(li, next);
        }

        this.#relate(li);
        this.#trim();
        this.#setCurrent();

        if (!own && !this.#atEnd) {
            this.#setUnread(this.#unread + 1);
        }
    }

    /** Messages from before the first one; what is in view stays there. */
    addOlder(messages) {
        const {scrollHeight, scrollTop} = this.#scroller;

        this.#list.prepend(...messages.map((m) => this.#item(m)));
        this.#relateAll();
        this.#scroller.scrollTop =
            scrollTop + this.#scroller.scrollHeight - scrollHeight;
    }

    /** The state of one's own message changed. */
    track(sent) {
        let li = this.#pending.get(sent.cid);

        if (!li && sent.state === 'acked') {
            return;
        }

        if (!li) {
            li = this.#item({...sent, sender: this.me,
                             timestamp: sent.createdAt});
            this.#pending.set(sent.cid, li);
            this.#list.append(li);
            this.#relate(li);
            this.toEnd();
        }

        const failure = li.querySelector('.failure');

        if (li.info.hasFailed && sent.state !== 'failed') {
            const after = li.nextElementSibling;

            this.#pending.delete(sent.cid);
            this.#pending.set(sent.cid, li);
            this.#list.append(li);
            this.#relate(li);
            this.#relateOne(after);
            this.toEnd();
        }

        li.info.hasFailed = sent.state === 'failed';
        failure.hidden = !li.info.hasFailed;
        this.#mark(li, {acked: 'stored', failed: 'failed'}[sent.state]
                       ?? 'sending');

        if (sent.state === 'failed') {
            failure.firstElementChild.textContent =
                `Not sent: ${sent.error.message}.`;
            failure.lastElementChild.onclick = () => this.#on.resend(sent);
        }
    }

    /** A message was changed or deleted. */
    update(m) {
        const li = this.#find(m);

        if (li) {
            li.info.m = m;
            this.#say(li, m);
            li.querySelector('.tools').hidden = !this.#isMine(m);
            this.#setCurrent();
        }
    }

    /** Shows how far one's own messages have come. */
    showReceipts(room) {
        this.#mine(RECEIPTS).forEach((li) => {
            const {delivered, read} = room.receipts(li.info.m);

            if (read.length > 0) {
                this.#mark(li, 'read', `Read by ${several(read)}`);
            } else if (delivered.length > 0) {
                this.#mark(li, 'delivered',
                           `Delivered to ${several(delivered)}`);
            }
        });
    }

    /** @returns {?object} one's own last message */
    get lastOwn() {
        return this.#mine(RECEIPTS).find((li) => this.#isMine(li.info.m))
                                   ?.info.m ?? null;
    }

    /** A line between the messages. */
    note(text) {
        this.#list.insertBefore(noteItem(text), this.#firstPending());
    }

    toEnd() {
        this.#scroller.scrollTop = this.#scroller.scrollHeight;
        this.#atEnd = true;
        this.#setUnread(0);
    }

    #onScroll() {
        const {scrollHeight, scrollTop, clientHeight} = this.#scroller;

        this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR;

        if (this.#atEnd) {
            this.#setUnread(0);
        }
    }

    #setUnread(count) {
        if (this.#unread !== count) {
            this.#unread = count;
            this.#on.unread(count);
        }
    }

    /* Where a new one goes: before what is on its way, behind what failed. */
    #firstPending(except) {
        for (const li of this.#pending.values()) {
            if (li !== except && !li.info.hasFailed) {
                return li;
            }
        }

        return null;
    }

    /* The last stored messages of one's own, the latest first. */
    #mine(most) {
        const all = this.#list.querySelectorAll('.own');

        return [...all].slice(-most).reverse()
                       .filter((li) => li.info.m.epoch !== undefined);
    }

    #find({epoch, seq}) {
        return [...this.#list.children].find(
            (li) => li.info?.m.seq === seq && li.info.m.epoch === epoch);
    }

    #item(m) {
        const {sender, timestamp, cid} = m;
        const li = this.#template.content.firstElementChild.cloneNode(true);
        const name = sender || 'unknown';

        li.info = {sender, cid, m};
        li.classList.toggle('own', sender === this.me);
        li.style.setProperty('--hue', hue(name));
        li.querySelector('.avatar').textContent = initials(name);
        li.querySelector('.who').textContent = name;
        this.#say(li, m);
        this.#stamp(li, timestamp);

        if (sender === this.me) {
            this.#own(li, m);
        }

        return li;
    }

    #say(li, m) {
        li.querySelector('.text').textContent = words(m);
        li.querySelector('.edited').hidden = !m.edited || !!m.retracted;
        li.classList.toggle('gone', !!m.retracted);
    }

    /* One's own message, stored: it can be changed. */
    #own(li, m) {
        const actions = li.querySelector('.tools');
        const [edit, retract] = actions.children;

        li.info.m = m;
        this.#mark(li, 'stored');
        actions.hidden = !this.#isMine(m);
        edit.onclick = () => this.#on.edit(li.info.m);
        retract.onclick = () => this.#onRetract(li, retract);
        li.querySelector('.bubble').onclick = () => {
            li.classList.toggle('picked');
        };
    }

    #isMine(m) {
        return this.canChange && m.epoch !== undefined && !m.retracted;
    }

    #onRetract(li, button) {
        if (button.dataset.sure) {
            this.#on.retract(li.info.m);
            return;
        }

        const forget = () => {
            delete button.dataset.sure;
            button.textContent = 'Delete';
        };

        button.dataset.sure = 'yes';
        button.textContent = 'Really delete?';
        button.onblur = forget;
        setTimeout(forget, SURE_MS);
    }

    /* One stop for the Tab key among all the buttons; arrows go on. */
    #setCurrent(li = this.#mine(RECEIPTS).find((one) => this.#isMine(
        one.info.m)))
    {
        const tabIndex = (one, value) => {
            for (const button of one?.querySelectorAll('.tools button')
                                 ?? [])
            {
                button.tabIndex = value;
            }
        };

        if (li !== this.#current
            && !this.#current?.contains(document.activeElement))
        {
            tabIndex(this.#current, -1);
            tabIndex(li, 0);
            this.#current = li;
        }
    }

    #onKey(ev) {
        const step = {ArrowUp: 1, ArrowDown: -1}[ev.key];
        const li = ev.target.closest('.own');

        if (!step || !li) {
            return;
        }

        const all = this.#mine(Infinity).filter((one) => this.#isMine(
            one.info.m));
        const next = all[all.indexOf(li) + step];

        ev.preventDefault();

        if (next) {
            next.querySelector('.edit').tabIndex = 0;
            next.querySelector('.edit').focus();
            this.#setCurrent(next);
        }
    }

    #stamp(li, timestamp) {
        const time = li.querySelector('time');

        li.info.timestamp = timestamp;
        time.dateTime = new Date(timestamp).toISOString();
        time.textContent = clock.format(timestamp);
        time.title = full.format(timestamp);
    }

    #mark(li, state, label = LABELS[state]) {
        const icon = li.querySelector('.state');

        icon.hidden = false;
        icon.dataset.state = state;
        icon.ariaLabel = label;
        icon.title = label;
    }

    /* Sets what depends on the neighbours, for one and those around it. */
    #relate(li) {
        this.#relateOne(li.previousElementSibling);
        this.#relateOne(li);
        this.#relateOne(li.nextElementSibling);
    }

    #relateAll() {
        for (const li of this.#list.children) {
            this.#relateOne(li);
        }
    }

    #relateOne(li) {
        if (!li?.info) {
            return;
        }

        const before = li.previousElementSibling?.info;
        const after = li.nextElementSibling?.info;
        const day = dayName(li.info.timestamp);
        const isNewDay = day !== dayBefore(li);
        const label = li.querySelector('.day');

        label.hidden = !isNewDay;
        label.firstElementChild.textContent = day;
        li.classList.toggle('first', isNewDay || !together(before, li.info));
        li.classList.toggle('last', !together(li.info, after));
    }

    #trim() {
        if (!this.#atEnd || this.#list.childElementCount <= MOST) {
            return;
        }

        const old = [...this.#list.children].slice(0, MOST / 3);

        old.forEach((li) => li.remove());
        this.#relateOne(this.#list.firstElementChild);
    }
}


function noteItem(text) {
    const li = document.createElement('li');
    const span = document.createElement('span');

    li.className = 'note';
    span.textContent = text;
    li.append(span);
    return li;
}


/* The day of the last message before this one, over notes. */
function dayBefore(li) {
    do {
        li = li.previousElementSibling;
    } while (li && !li.info);

    return li && dayName(li.info.timestamp);
}


/* Do two neighbours belong to one group of bubbles? */
function together(a, b) {
    return !!a && !!b && a.sender === b.sender
           && Math.abs(b.timestamp - a.timestamp) < GROUP_MS
           && dayName(a.timestamp) === dayName(b.timestamp);
}
