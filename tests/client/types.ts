/* Compiled, never run: what an application writes must have a type, and what
   makes no sense must have none. */

import {WsChat, WsChatError, Backoff, Room, closePolicy,
        comparePositions} from 'ws-chat';
import type {Message, Options, Position, User} from 'ws-chat';

interface Text {
    text: string;
}

const options: Options = {
    token: async ({refused}) => refused ? null : 'a.b.c',
    sse: '/sse', receipts: true, backoff: {base: 100}, WebSocket,
};

export async function everything(): Promise<void> {
    const chat = new WsChat('/chat', options);
    const room: Room = await chat.join('lobby', {history: 50});
    const off: () => void = chat.on('message', (m: Message) => m.sender);

    chat.once('state', ({state, error, retryAt}) => {
        if (state === 'closed' && error instanceof WsChatError) {
            const code: string = error.code;
            const when: number | null = retryAt;
            console.log(code, when);
        }
    });
    chat.on('presence', (ev) => ev.room.presence.count.toFixed());
    chat.on('something new', (ev) => ev.whatever);
    off();

    const sent = chat.send<Text>('lobby', {text: 'hello'});
    const {seq}: Position = await sent.position;

    (await sent.acked).message.text.trim();
    await chat.edit('lobby', {epoch: 1, seq}, {text: 'better'});
    await chat.retract('lobby', room.messages[0]);
    await chat.signal('lobby', 'car', {lat: 1}, {keep: true});
    chat.typing('lobby');
    chat.mark('lobby', {read: room.position ?? undefined});

    const page = await chat.history('lobby', {before: room.messages[0]});
    const people: User[] = (await chat.presence('lobby')).users;
    const readers: string[] = room.receipts(page.messages[0]).read;
    const kept: number | undefined = room.signals.get('car')?.data.lat;

    for await (const m of chat.messages<Text>('lobby')) {
        console.log(m.message.text.length, m.prev?.seq, people, readers, kept);
    }

    const policy: 'stop' | 'hard' | 'slow' | 'retry' = closePolicy(4001);

    new Backoff({base: 1}).after(policy).toFixed();
    comparePositions({epoch: 1, seq: 1}, room.messages[0]).toFixed();

    // @ts-expect-error a chat has a name
    await chat.join();
    // @ts-expect-error no such option
    new WsChat('/chat', {usr: 'ada'});
    // @ts-expect-error rooms are made by join()
    new Room('lobby');
    // @ts-expect-error a state that does not exist
    if (chat.state === 'gone') {
        chat.close();
    }
    // @ts-expect-error the application does not set it
    chat.user = 'eve';
    // @ts-expect-error a position has two parts
    chat.mark('lobby', {read: {seq: 1}});
}
