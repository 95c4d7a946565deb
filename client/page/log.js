/* The list of messages on the page: some of the chat's, one after the other,
   the latest ones or those from before that somebody looks at. */

import {group} from './groups.js';
import {hue, initials, several} from './names.js';
import {comparePositions} from './ws-chat.js';

const MOST = 400;                   /* bubbles in the list */
const TRIMMED = 300;                /* left when there are more at its end */
const NOTES = 50;                   /* lines between them, the last ones */
const NEAR = 48;                    /* px from the end that count as there */
const RECEIPTS = 40;                /* of one's own messages, the last ones */
const SURE_MS = 4000;               /* to press "Delete" a second time */
const LABELS = {sending: 'Sending', stored: 'Sent', failed: 'Not sent',
                delivered: 'Delivered', read: 'Read'};

const clock = new Intl.DateTimeFormat(undefined, {timeStyle: 'short'});
const full = new Intl.DateTimeFormat(undefined, {dateStyle: 'full',
                                                 timeStyle: 'short'});


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


export class MessageLog {
    #scroller;
    #list;
    #template;
    #on;
    #pending = new Map();           /* in the list while that is live */
    #notes = [];                    /* to be shown when it is live again */
    #unread = 0;
    #atEnd = true;
    #top = 0;                       /* to where it was scrolled last */
    #current = null;
    #live = true;
    #hasOlder = false;

    /**
     * @param {HTMLElement} scroller holds the list
     * @param {HTMLOListElement} list
     * @param {HTMLTemplateElement} template of one message
     * @param {{resend, unread, edit, retract, ends, newer, latest}} on
     *   resend(sent): the button of a failed one; unread(n): messages came
     *   while scrolled up; edit(m), retract(m): of one's own messages;
     *   ends(): hasOlder or isLive may have changed; newer(): scrolled to
     *   where addNewer() goes on; latest(): show() is to be called
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

    /** Does the chat have messages before the first one here? */
    get hasOlder() {
        return this.#hasOlder;
    }

    /** Is the chat's latest message here, and does the next one go there? */
    get isLive() {
        return this.#live;
    }

    /** How many messages came while scrolled up? */
    get unread() {
        return this.#unread;
    }

    /** @returns {?object} the first message that is stored */
    get first() {
        return [...this.#list.children].find(isStored)?.info.m ?? null;
    }

    /** @returns {?object} the last one */
    get last() {
        return [...this.#list.children].findLast(isStored)?.info.m ?? null;
    }

    /** Is the last message in view? */
    get isAtEnd() {
        return this.#atEnd;
    }

    clear() {
        this.#pending.clear();
        this.#notes = [];
        this.#current = null;
        this.show([], false);
    }

    /** Shows the latest messages in place of all but the unsent ones.
     *  @param {boolean} hasOlder are there any before these? */
    show(messages, hasOlder) {
        for (const {cid} of messages) {
            this.#pending.delete(cid);
        }

        this.#list.replaceChildren(
            ...messages.slice(-MOST).map((m) => this.#item(m)));
        this.#hasOlder = hasOlder || messages.length > MOST;
        this.#goLive();
        [...this.#list.children].forEach(group);
        this.#setCurrent();
        this.#on.ends();
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

        if (this.#live && !this.#atEnd
            && this.#list.childElementCount >= MOST)
        {
            this.#goBack();
            this.#on.ends();
        }

        if (own) {
            this.#pending.delete(m.cid);
        }

        if (this.#live) {
            this.#addLive(m, own);
        }

        if (!own && !this.#atEnd) {
            this.#setUnread(this.#unread + 1);
        }
    }

    #addLive(m, own) {
        const li = own || this.#item(m);
        const next = this.#firstPending(li);

        if (own) {
            this.#stamp(li, m.timestamp);
            this.#own(li, m);
        }

        if (!own || li.nextElementSibling !== next) {
            this.#list.insertBefore(li, next);
        }

        this.#relate(li);

        if (this.#list.childElementCount > MOST) {
            this.#keep(li, 'top', () => this.#trimStart(TRIMMED));
        }

        this.#setCurrent();
    }

    /** Messages from before the first one; what is in view stays there.
     *  @param {boolean} more are there any before them? */
    addOlder(messages, more) {
        const first = this.#list.firstElementChild;
        const items = messages.map((m) => this.#item(m));

        this.#keep(first, 'bottom', () => {
            this.#hasOlder = more;
            this.#list.prepend(...items);
            [...items, first].forEach(group);
            this.#trimEnd();
            this.#on.ends();
        });
        this.#setCurrent();
    }

    /** Messages from behind the last one, likewise.
     *  @param {boolean} more does the chat have any behind them? */
    addNewer(messages, more) {
        const last = this.#list.lastElementChild;
        const items = messages.map((m) => this.#item(m));

        this.#keep(last, 'top', () => {
            this.#list.append(...items);

            if (!more) {
                this.#goLive();
            }

            [last, ...items].forEach(group);
            this.#trimStart(MOST);
            this.#on.ends();
        });
        this.#setCurrent();
        this.#onScroll();
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
            this.#append(li);
        }

        const failure = li.querySelector('.failure');

        if (li.info.hasFailed && sent.state !== 'failed') {
            const after = li.nextElementSibling;

            this.#pending.delete(sent.cid);
            this.#pending.set(sent.cid, li);
            this.#append(li);
            group(after);
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

    /** A message was changed or deleted.
     *  @param {object} ev the event of that */
    update(ev) {
        const li = this.#find(ev);

        if (li) {
            const m = {...li.info.m, ...changed(ev)};

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

    /** @returns {?object} one's own last message, where that can be seen */
    get lastOwn() {
        return this.#live ? this.#mine(RECEIPTS).find(
            (li) => this.#isMine(li.info.m))?.info.m ?? null : null;
    }

    /** A line between the messages; those before the last ones go. */
    note(text) {
        const li = noteItem(text);

        if (!this.#live) {
            this.#notes = [...this.#notes, li].slice(-NOTES);
            return;
        }

        this.#list.insertBefore(li, this.#firstPending());
        this.#keep(li, 'top', () => {
            [...this.#list.querySelectorAll('.note')].slice(0, -NOTES)
                .forEach((one) => this.#drop(one));
        });
    }

    /** To the latest message. */
    toEnd() {
        if (!this.#live) {
            this.#on.latest();
        }

        this.#scroll(this.#scroller.scrollHeight);
        this.#atEnd = this.#live;
        this.#setUnread(0);
    }

    #onScroll() {
        const {scrollHeight, scrollTop, clientHeight} = this.#scroller;
        const left = scrollHeight - scrollTop - clientHeight;
        const stays = this.#atEnd && scrollTop === this.#top;

        // what came since then is not in view yet

        this.#atEnd = this.#live && (left < NEAR || stays);
        this.#top = scrollTop;

        if (this.#atEnd) {
            this.#setUnread(0);
        }

        if (!this.#live && left < clientHeight) {
            this.#on.newer();
        }
    }

    /* Behind the messages here comes what is on its way, and what was told. */
    #goLive() {
        this.#live = true;
        this.#list.append(...this.#notes.splice(0), ...this.#pending.values());
    }

    /* The latest messages are not here any more. */
    #goBack() {
        this.#live = false;
        this.#atEnd = false;

        for (const li of this.#pending.values()) {
            this.#drop(li);
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

    /* One's own message, behind all others. */
    #append(li) {
        if (this.#live) {
            this.#list.append(li);
            this.#relate(li);
            this.toEnd();
        }
    }

    /* Sets what depends on the neighbours, for one and those around it. */
    #relate(li) {
        group(li.previousElementSibling);
        group(li);
        group(li.nextElementSibling);
    }

    /* Changes the list around a bubble, whose edge stays where it is. */
    #keep(li, edge, change) {
        const y = li.getBoundingClientRect()[edge];

        change();
        this.#scroll(this.#scroller.scrollTop
                     + li.getBoundingClientRect()[edge] - y);
    }

    #scroll(top) {
        this.#scroller.scrollTop = top;
        this.#top = this.#scroller.scrollTop;
    }

    /* The first ones go; what is unsent goes to the end. */
    #trimStart(most) {
        const all = [...this.#list.children];

        for (const li of all.slice(0, Math.max(0, all.length - most))) {
            this.#drop(li);

            if (this.#pending.has(li.info?.cid)) {
                this.#list.append(li);
            }

            this.#hasOlder = true;
        }

        group(this.#list.firstElementChild);
        this.#on.ends();
    }

    #trimEnd() {
        if (this.#list.childElementCount > MOST) {
            this.#goBack();
            [...this.#list.children].slice(MOST)
                                    .forEach((li) => this.#drop(li));
        }
    }

    /* Who was at one of its buttons is in the list then. */
    #drop(li) {
        if (li.contains(document.activeElement)) {
            this.#scroller.focus({preventScroll: true});
        }

        li.remove();
    }
}


function isStored(li) {
    return li.info?.m.epoch !== undefined;
}


/* What an event changes in a message. */
function changed({retracted, message}) {
    return retracted ? {retracted, message: undefined}
                     : {edited: true, message};
}


function noteItem(text) {
    const li = document.createElement('li');
    const span = document.createElement('span');

    li.className = 'note';
    span.textContent = text;
    li.append(span);
    return li;
}
