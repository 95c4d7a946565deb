// Rooms on the ws package, as its README broadcasts: node ws.js PORT
'use strict';

const { WebSocketServer } = require('ws');

const rooms = new Map();
const server = new WebSocketServer({
    host: '127.0.0.1',
    port: Number(process.argv[2]),
    backlog: 8192,
});

server.on('connection', (socket, request) => {
    let room = rooms.get(request.url);

    if (room === undefined) {
        room = new Set();
        rooms.set(request.url, room);
    }

    room.add(socket);

    socket.on('message', (data, binary) => {
        for (const member of room) {
            if (member.readyState === 1) {
                member.send(data, { binary });
            }
        }
    });

    socket.on('close', () => {
        room.delete(socket);

        if (room.size === 0) {
            rooms.delete(request.url);
        }
    });

    socket.on('error', () => socket.terminate());
});
