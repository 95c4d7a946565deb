/* Bubbles stand together by sender and day. */

const GROUP_MS = 5 * 60 * 1000;     /* a longer silence begins a new group */

const weekday = new Intl.DateTimeFormat(undefined, {
    weekday: 'long', day: 'numeric', month: 'long'});


/** Sets what depends on the neighbours of a bubble; notes have nothing. */
export function group(li) {
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


function dayName(time) {
    const midnight = new Date().setHours(0, 0, 0, 0);

    if (time >= midnight) {
        return 'Today';
    }

    return time >= midnight - 24 * 3600 * 1000 ? 'Yesterday'
                                               : weekday.format(time);
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
