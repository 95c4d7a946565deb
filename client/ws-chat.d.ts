/** Types of ws-chat.js, the client of the chat.v1.json protocol. */

/** Where a message stands in its chat; epochs are compared first. */
export interface Position {
    epoch: number;
    seq: number;
}

/** A message as the server tells it. `Body` is what the application sends. */
export interface Message<Body = any> extends Position {
    chat_id: string;
    /** position of the chat's message before it; null: there is none */
    prev?: Position | null;
    cid?: string;
    sender: string;
    /** of the sender's token, with the first message of a sender */
    info?: unknown;
    /** absent once it was retracted */
    message: Body;
    /** "base64" where a msgpack client sent bytes */
    enc?: 'base64';
    /** the server's clock, ms since 1970 */
    timestamp: number;
    edited?: boolean;
    retracted?: boolean;
}

export interface User {
    user: string;
    /** connections when it was asked; many tabs are one user */
    conns?: number;
    /** the claim `info` of the user's token */
    info?: unknown;
}

export interface Mark {
    delivered: Position | null;
    read: Position | null;
}

export interface Signal {
    sender: string;
    data: any;
}

export type State = 'connecting' | 'online' | 'stale' | 'offline' | 'closed';

export type ErrorCode =
    | 'bad_request' | 'unknown_op' | 'forbidden' | 'not_joined'
    | 'too_many_chats' | 'not_found' | 'rate_limited' | 'overloaded'
    | 'unavailable' | 'unknown' | 'internal'
    | 'offline' | 'timeout' | 'closed' | 'too_big' | 'expired'
    | 'unauthorized' | 'bad_frame';

export class WsChatError extends Error {
    constructor(code: ErrorCode | string, message?: string, more?: {
        temporary?: boolean; retryMs?: number; status?: number;
    });
    readonly code: ErrorCode | string;
    /** may the same succeed later? */
    readonly temporary: boolean;
    /** when, in ms, if the server said */
    readonly retryMs?: number;
    /** HTTP status or close code behind it */
    readonly status?: number;
}

/** A message on its way. */
export class Sent<Body = any> {
    private constructor();
    readonly chatId: string;
    readonly message: Body;
    readonly cid: string;
    readonly state: 'queued' | 'sent' | 'acked' | 'failed';
    readonly error: WsChatError | null;
    readonly createdAt: number;
    readonly attempts: number;
    readonly waiting: boolean;
    /** it is stored, as the chat's delivery promises */
    readonly acked: Promise<Sent<Body>>;
    /** where it is stored */
    readonly position: Promise<Position>;
}

/** A joined chat. */
export class Room {
    private constructor();
    readonly chatId: string;
    readonly history: number;
    /** ascending, without repeats */
    readonly messages: readonly Message[];
    /** the last position seen */
    readonly position: Position | null;
    /** is it joined on the present connection? */
    readonly joined: boolean;
    /** settled by the first join */
    readonly ready: Promise<Room>;
    /** why it ended: left, kicked or refused */
    readonly ended: Promise<WsChatError>;
    /** who is here; `users` as far as they are known, `count` of all */
    readonly presence: {readonly count: number;
                        readonly users: ReadonlyMap<string, User>};
    /** who types, without oneself */
    readonly typing: readonly string[];
    /** how far everybody has come */
    readonly marks: ReadonlyMap<string, Mark>;
    /** the latest signals by name; after a join those sent with `keep` */
    readonly signals: ReadonlyMap<string, Signal>;
    /** messages of others behind one's own read mark */
    readonly unread: number;
    /** may there be messages before the first one of `messages`? */
    readonly hasOlder: boolean;
    /** loads messages before the first one */
    older(limit?: number): Promise<Message[]>;
    /** whom a message has reached, and who has read it, without its sender */
    receipts(message: Position & {sender?: string}):
        {delivered: string[]; read: string[]};
    /** everything up to the last message has been read */
    markRead(): void;
    mark(marks: {delivered?: Position; read?: Position}): void;
    /** call it with each key; the others see it for six seconds */
    type(on?: boolean): void;
}

export interface Welcome {
    ev: 'welcome';
    proto: number;
    user: string;
    session?: string;
    node?: string;
    ping_ms?: number;
    limits?: {max_message?: number; max_chats?: number; rate?: number;
              burst?: number};
    retention?: {messages?: number; seconds?: number};
    server_time?: number;
}

export interface PresencePage {
    count: number;
    users: User[];
    more: boolean;
}

export interface HistoryPage {
    messages: Message[];
    more: boolean;
    /** up to here the history is provably complete */
    complete_to?: Position;
}

/** What `on` tells, by the name of the event. */
export interface Events {
    state: {state: State; error: WsChatError | null; retryAt: number | null};
    joined: {chat_id: string; room: Room; recovered: boolean};
    message: Message;
    delivery: Sent;
    gap: {chat_id: string; room: Room; reason: string; after: Position;
          before: Position};
    reset: {chat_id: string; room: Room; reason: string};
    left: {chat_id: string; error: WsChatError};
    /** from a server to this user, or to everybody, outside of chats */
    notice: {sender: string; message: any; timestamp: number};
    error: WsChatError;
    presence: {chat_id: string; room: Room; join?: Array<User | string>;
               leave?: Array<User | string>; count: number};
    typing: {chat_id: string; room: Room; sender: string; on: boolean};
    mark: {chat_id: string; room: Room; sender: string; delivered?: Position;
           read?: Position};
    signal: {chat_id: string; room: Room; sender: string; name: string;
             data: any};
    update: {chat_id: string; room: Room; epoch: number; seq: number;
             message?: any; retracted?: boolean};
}

export interface Clock {
    now(): number;
    setTimeout(fn: () => void, ms: number): any;
    clearTimeout(timer: any): void;
}

/** The part of a WebSocket class that is used: browsers' own, that of Node
 *  from 22 on, and the package `ws`. */
export interface WebSocketClass {
    new (url: string, protocols?: string | string[]): {
        onopen: any; onmessage: any; onerror: any; onclose: any;
        send(data: string): void;
        close(code?: number): void;
    };
}

export interface Options {
    /** name, where the server takes `?user=` */
    user?: string;
    /** asked for a JWT before each connection, and before the one in use
     *  ends; refused: the server did not take the last one */
    token?: (why: {refused: boolean}) => Promise<string | null>;
    /** address of the server's SSE location, for networks where WebSockets
     *  deliver nothing */
    sse?: string;
    /** tell that messages were delivered (false) */
    receipts?: boolean;
    /** subprotocols to offer */
    protocols?: string[] | (() => string[]);
    /** ms (500, 30000) */
    backoff?: {base?: number; max?: number};
    /** ms until a send is repeated (5000) */
    ackTimeout?: number;
    /** ms until the welcome (10000) */
    connectTimeout?: number;
    /** ms for the answer to a ping (5000) */
    slack?: number;
    /** messages kept per room (1000) */
    keep?: number;
    /** class to use in place of the global one, which Node has from 22 on */
    WebSocket?: WebSocketClass | null;
    /** asks why a handshake was refused; null: do not ask */
    fetch?: typeof fetch | null;
    /** of these requests and of SSE: 'include' for cookies to another origin,
     *  which the server has to name in ws_chat_origins ('same-origin') */
    credentials?: 'omit' | 'same-origin' | 'include';
    random?: () => number;
    clock?: Clock;
}

/** The connection to a chat endpoint, its rooms and its outbox. */
export class WsChat {
    /** Connects at once.
     *  @param url ws(s), http(s), or relative to the page */
    constructor(url: string, options?: Options);
    readonly url: string;
    readonly state: State;
    /** when the next try comes, in the state `offline` */
    readonly retryAt: number | null;
    /** why the state is `closed` */
    readonly error: WsChatError | null;
    readonly welcome: Welcome | null;
    readonly transport: 'websocket' | 'sse' | null;
    /** the name the server knows this client by */
    readonly user: string | undefined;
    /** what is not stored yet, oldest first */
    readonly outbox: Sent[];
    room(chatId: string): Room | null;
    /** @returns stops listening */
    on<E extends keyof Events>(event: E, fn: (value: Events[E]) => void):
        () => void;
    on(event: string, fn: (value: any) => void): () => void;
    once<E extends keyof Events>(event: E, fn: (value: Events[E]) => void):
        () => void;
    once(event: string, fn: (value: any) => void): () => void;
    off(event: string, fn: (value: any) => void): void;
    /** connects now, instead of waiting for the next try or after a close */
    connect(): void;
    /** ends the connection for good */
    close(): void;
    /** asks for a sign of life */
    check(): void;
    /** joins a chat and stays joined over reconnects */
    join(chatId: string, options?: {history?: number}): Promise<Room>;
    leave(chatId: string): Promise<void>;
    /** the messages of the join, if it is not joined yet, then each new one;
     *  ends with leave() or close(), throws when the server ends it */
    messages<Body = any>(chatId: string, options?: {history?: number}):
        AsyncGenerator<Message<Body>, void, void>;
    /** sends any JSON value, now or when the connection allows it */
    send<Body = any>(chatId: string, message: Body,
                     options?: {cid?: string; retry?: boolean}): Sent<Body>;
    /** tries a failed message again, under its own cid */
    resend(sent: Sent): void;
    /** call it with each key */
    typing(chatId: string, on?: boolean): void;
    mark(chatId: string, marks: {delivered?: Position; read?: Position}): void;
    signal(chatId: string, name: string, data: any,
           options?: {keep?: boolean}): Promise<object>;
    presence(chatId: string, options?: {offset?: number; limit?: number}):
        Promise<PresencePage>;
    history(chatId: string, options?: {before?: Position; after?: Position;
                                       limit?: number}): Promise<HistoryPage>;
    edit(chatId: string, position: Position, message: any): Promise<object>;
    retract(chatId: string, position: Position): Promise<object>;
    /** sends any command and waits for its one reply */
    request(command: {op: string; [field: string]: any}): Promise<any>;
}

/** Exponential back-off with full jitter. */
export class Backoff {
    constructor(limits?: {base?: number; max?: number},
                random?: () => number);
    next(): number;
    after(policy: ReturnType<typeof closePolicy>): number;
    reset(): void;
}

/** What a close code asks for. */
export function closePolicy(code: number): 'stop' | 'hard' | 'slow' | 'retry';

/** Order of two positions: below, equal to or above zero. */
export function comparePositions(a: Position, b: Position): number;
