/* A wire between browser and server that the test can cut and bend. */

import net from 'node:net';


export class Proxy {
    #server;
    #target;
    #pairs = new Set();
    #refusal = null;
    #isDeaf = false;
    #isMute = false;
    #isHungry = false;

    /** @param {URL} target of the server behind it */
    constructor(target) {
        this.target = target;
        this.#server = net.createServer((client) => this.#onClient(client));
    }

    set target(url) {
        this.#target = {host: url.hostname, port: Number(url.port)};
    }

    /** address of the page behind the wire */
    get url() {
        return `http://127.0.0.1:${this.port}/`;
    }

    /** Opens the wire, on the same port each time. */
    up() {
        return new Promise((resolve, reject) => {
            this.#server.once('error', reject);
            this.#server.listen(this.port ?? 0, '127.0.0.1', () => {
                this.port = this.#server.address().port;
                resolve();
            });
        });
    }

    /** Cuts every connection and takes no new one. */
    async down() {
        const closed = new Promise((resolve) => this.#server.close(resolve));

        this.cut();
        await closed;
        this.#isDeaf = false;
        this.#isMute = false;
        this.#isHungry = false;
    }

    cut() {
        for (const {client, server} of this.#pairs) {
            client.destroy();
            server.destroy();
        }
    }

    /** Nothing of what the server says reaches the browser from here. */
    deafen() {
        this.#isDeaf = true;
    }

    /** Nothing of what the browsers say reaches the server from here. */
    mute() {
        this.#isMute = true;
    }

    /** Answers each request for the chat with this status; null: no more. */
    refuse(status) {
        this.#refusal = status;
    }

    /** No WebSocket gets through from here, as some networks have it. */
    eat() {
        this.#isHungry = true;
        this.cut();
    }

    /** A Close frame with this code, as if from the server. */
    close(code) {
        const frame = Buffer.from([0x88, 2, code >> 8, code & 0xff]);

        for (const pair of this.#pairs) {
            if (pair.isChat) {
                pair.isClosed = true;
                pair.client.write(frame);
            }
        }
    }

    #onClient(client) {
        const server = net.connect(this.#target);
        const pair = {client, server, isChat: false, isClosed: false};
        const end = () => {
            this.#pairs.delete(pair);
            client.destroy();
            server.destroy();
        };

        this.#pairs.add(pair);
        client.on('data', (data) => {
            const isChat = data.subarray(0, 9).toString() === 'GET /chat';

            pair.isChat ||= isChat;

            if (pair.isClosed) {
                end();
                return;
            }

            if (isChat && this.#refusal) {
                client.end(`HTTP/1.1 ${this.#refusal} Refused\r\n`
                           + 'Content-Length: 0\r\n'
                           + 'Retry-After: 30\r\n'
                           + 'Connection: close\r\n\r\n');
                return;
            }

            if (this.#isHungry && isUpgrade(data)) {
                end();
                return;
            }

            if (!this.#isMute) {
                server.write(data);
            }
        });
        server.on('data', (data) => {
            if (!this.#isDeaf && !pair.isClosed) {
                client.write(data);
            }
        });

        for (const socket of [client, server]) {
            socket.on('error', end);
            socket.on('close', end);
        }
    }
}


function isUpgrade(data) {
    return /^GET [^]*\r\nupgrade: websocket\r\n/i.test(data.toString('latin1'));
}
