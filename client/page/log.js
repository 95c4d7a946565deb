/* The list of messages on the page: bubbles grouped by sender and day. */

const GROUP_MS = 5 * 60 * 1000;     /* a longer silence begins a new group */
const MOST = 1500;                  /* bubbles kept; beyond, a third goes */
const NEAR = 48;                    /* px from the end that count as there */
const HUES = [212, 262, 305, 345, 18, 42, 140, 178];
const LABELS = {sending: 'Sending', stored: 'Stored', failed: 'Not sent'};

const clock = new Intl.DateTimeFormat(undefined, {timeStyle: 'short'});
const full = new Intl.DateTimeFormat(undefined, {dateStyle: 'full',
                                                 timeStyle: 'short'});
const weekday = new Intl.DateTimeFormat(undefined, {
    weekday: 'long', day: 'numeric', month: 'long'});


/** What a bubble shows of a message, which may be any JSON value. */
function words(message) {
    if (typeof message === 'string') {
        return message;
    }

    return typeof message?.text === 'string' ? message.text
                                             : JSON.stringify(message);
}


function hue(name) {
    let sum = 0;

    for (const char of name) {
        sum = (sum * 31 + char.codePointAt(0)) % 9973;
    }

    return HUES[sum % HUES.length];
}


function initials(name) {
    const parts = name.split(/[\s._@-]+/).filter(Boolean);
    const letters = parts.length > 1 ? [parts[0], parts.at(-1)]
                                     : [parts[0] ?? '?'];

    return letters.map((part) => Array.from(part)[0]).join('').toUpperCase();
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
    #onResend;
    #onUnread;
    #pending = new Map();
    #unread = 0;
    #atEnd = true;

    /**
     * @param {HTMLElement} scroller holds the list
     * @param {HTMLOListElement} list
     * @param {HTMLTemplateElement} template of one message
     * @param {{resend, unread}} on resend(sent): the button of a failed one;
     *   unread(n): messages came while scrolled up
     */
    constructor(scroller, list, template, {resend, unread}) {
        this.#scroller = scroller;
        this.#list = list;
        this.#template = template;
        this.#onResend = resend;
        this.#onUnread = unread;
        /** name whose messages stand on the right */
        this.me = '';

        scroller.addEventListener('scroll', () => this.#onScroll(),
                                  {passive: true});

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

    clear() {
        this.#pending.clear();
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
        this.toEnd();
    }

    /** A new message; one's own takes the place of its unsent bubble. */
    add(m) {
        const own = m.sender === this.me && this.#pending.get(m.cid);
        const li = own || this.#item(m);
        const next = this.#firstPending(li);

        if (own) {
            this.#pending.delete(m.cid);
            this.#stamp(li, m.timestamp);
            this.#mark(li, 'stored');
        }

        if (!own || li.nextElementSibling !== next) {
            this.#list.insertBefore(li, next);
        }

        this.#relate(li);
        this.#trim();

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
            failure.lastElementChild.onclick = () => this.#onResend(sent);
        }
    }

    /** A line between the messages. */
    note(text) {
        const li = document.createElement('li');
        const span = document.createElement('span');

        li.className = 'note';
        span.textContent = text;
        li.append(span);
        this.#list.insertBefore(li, this.#firstPending());
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
            this.#onUnread(count);
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

    #item({sender, message, timestamp, cid}) {
        const li = this.#template.content.firstElementChild.cloneNode(true);
        const name = sender || 'unknown';

        li.info = {sender, cid};
        li.classList.toggle('own', sender === this.me);
        li.style.setProperty('--hue', hue(name));
        li.querySelector('.avatar').textContent = initials(name);
        li.querySelector('.who').textContent = name;
        li.querySelector('.text').textContent = words(message);
        this.#stamp(li, timestamp);

        if (sender === this.me) {
            this.#mark(li, 'stored');
        }

        return li;
    }

    #stamp(li, timestamp) {
        const time = li.querySelector('time');

        li.info.timestamp = timestamp;
        time.dateTime = new Date(timestamp).toISOString();
        time.textContent = clock.format(timestamp);
        time.title = full.format(timestamp);
    }

    #mark(li, state) {
        const icon = li.querySelector('.state');

        icon.hidden = false;
        icon.dataset.state = state;
        icon.ariaLabel = LABELS[state];
        icon.title = LABELS[state];
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
