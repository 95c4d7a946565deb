/** Order of two positions: epoch first, then seq.
 *  @returns {number} below, equal to or above zero */
export function comparePositions(a, b) {
    return a.epoch - b.epoch || a.seq - b.seq;
}


/** The position of a message. */
export function place({epoch, seq}) {
    return {epoch, seq};
}


/** The last position there can be before this one. */
export function before({epoch, seq}) {
    return {epoch, seq: seq - 1};
}


/** The first position there can be behind this one. */
export function behind({epoch, seq}) {
    return {epoch, seq: seq + 1};
}


/** The later of two positions; null comes before every one. */
export function later(a, b) {
    return a && (!b || comparePositions(a, b) > 0) ? a : b;
}
