/* How people look on the page: a colour and initials. */

const HUES = [212, 262, 305, 345, 18, 42, 140, 178];


export function hue(name) {
    let sum = 0;

    for (const char of name) {
        sum = (sum * 31 + char.codePointAt(0)) % 9973;
    }

    return HUES[sum % HUES.length];
}


export function initials(name) {
    const parts = name.split(/[\s._@-]+/).filter(Boolean);
    const letters = parts.length > 1 ? [parts[0], parts.at(-1)]
                                     : [parts[0] ?? '?'];

    return letters.map((part) => Array.from(part)[0]).join('').toUpperCase();
}


/** A round picture of somebody; what it says is said beside it, too. */
export function avatar(name) {
    const span = document.createElement('span');

    span.className = 'avatar';
    span.ariaHidden = 'true';
    span.style.setProperty('--hue', hue(name));
    span.textContent = initials(name);
    return span;
}


/** "Ada", "Ada and Bob", "Ada, Bob and 3 others" */
export function several(names, most = 3) {
    const shown = names.length > most ? names.slice(0, most - 1) : names;
    const rest = names.length - shown.length;
    const all = rest > 0 ? [...shown, `${rest} others`] : shown;

    return all.length < 2 ? all.join('')
                          : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
