/* Who is here, and who types. */

import {avatar, several} from './names.js';

const FACES = 3;
const MOST_LISTED = 100;

const {compare} = new Intl.Collator(undefined, {numeric: true});


/** The button with the faces, the panel behind it, and the typing line. */
export class People {
    #parts;
    #room = null;

    /** @param parts elements: button, faces, count, panel, list, more,
     *  typing */
    constructor(parts) {
        this.#parts = parts;
        parts.button.addEventListener('click', () => this.#toggle());
        parts.panel.addEventListener('keydown', (ev) => {
            if (ev.key === 'Escape') {
                this.close();
                parts.button.focus();
            }
        });
        document.addEventListener('pointerdown', (ev) => {
            if (!parts.panel.contains(ev.target)
                && !parts.button.contains(ev.target))
            {
                this.close();
            }
        });
        /** one's own name */
        this.me = '';
    }

    /** @param {?Room} room whose state is shown from now on */
    show(room) {
        this.#room = room;
        this.update();
    }

    /** The room's state has changed. */
    update() {
        const {button, count, faces, panel, typing} = this.#parts;
        const {presence, typing: writers} = this.#room
              ?? {presence: {count: 0, users: new Map()}, typing: []};
        const names = this.#names(presence);

        button.classList.toggle('shown', presence.count > 0);
        setText(count, String(presence.count));

        if (faces.dataset.names !== names.slice(0, FACES).join('\n')) {
            faces.dataset.names = names.slice(0, FACES).join('\n');
            faces.replaceChildren(...names.slice(0, FACES).map(avatar));
        }

        setText(typing, writers.length === 0 ? ''
                : `${several(writers)} ${writers.length > 1 ? 'are'
                                                            : 'is'} typing…`);

        if (!panel.hidden) {
            this.#list(names, presence, writers);
        }
    }

    close() {
        this.#parts.panel.hidden = true;
        this.#parts.button.ariaExpanded = 'false';
    }

    #toggle() {
        const {button, panel} = this.#parts;
        const isOpen = panel.hidden;

        panel.hidden = !isOpen;
        button.ariaExpanded = String(isOpen);

        if (isOpen) {
            this.update();
            panel.focus();
        }
    }

    /* Oneself last: the others are why one looks. */
    #names({users}) {
        const others = [...users.keys()].filter((name) => name !== this.me)
                                        .sort(compare);

        return users.has(this.me) ? [...others, this.me] : others;
    }

    #list(names, {count}, writers) {
        const {list, more} = this.#parts;
        const shown = names.slice(0, MOST_LISTED);

        list.replaceChildren(...shown.map((name) => {
            const li = document.createElement('li');
            const label = document.createElement('span');
            const note = document.createElement('span');

            label.className = 'name';
            label.textContent = name;
            note.className = 'what';
            note.textContent = this.#what(name, writers);
            li.append(avatar(name), label, note);
            return li;
        }));
        more.hidden = count <= shown.length;
        setText(more, `and ${count - shown.length} more`);
    }

    #what(name, writers) {
        if (name === this.me) {
            return 'you';
        }

        return writers.includes(name) ? 'typing…' : '';
    }
}


/* Only a change is written: what is the same is not announced again. */
function setText(element, text) {
    if (element.textContent !== text) {
        element.textContent = text;
    }
}
