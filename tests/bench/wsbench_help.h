
/*
 * Copyright (C) ngx_ws_chat contributors
 *
 * What wsbench --help says.
 */


#ifndef _WSBENCH_HELP_H_INCLUDED_
#define _WSBENCH_HELP_H_INCLUDED_


static const char  wb_help[] =
"Usage: wsbench -u URL [option]...\n"
"Many WebSocket clients in chat rooms: latency from the time a message is\n"
"due to each delivery, and whether every member got every message in order.\n"
"\n"
"  -u, --url URL         ws://host[:port]/path or wss:// (its certificate is\n"
"                        not checked); several: the members of a room take\n"
"                        them in turn\n"
"      --post URL        messages are posted to http://host[:port]/path,\n"
"                        {room} in it; the members send nothing; several\n"
"      --posters N       over so many connections of each process (32)\n"
"  -c, --connections N   in all (1)\n"
"  -r, --rooms N         connection i is in room i modulo N (1)\n"
"  -p, --publishers N    in each room, members themselves (1)\n"
"  -m, --rate N          messages a second in each room (0: none)\n"
"  -s, --size N          octets of {tag}{pad} (100; 0: no padding)\n"
"  -d, --duration S      publish and measure so many seconds (10)\n"
"  -w, --warmup S        and so many before, unmeasured (2)\n"
"      --drain S         wait so long for the last deliveries (5)\n"
"      --hold S          stay connected before closing (0)\n"
"  -R, --ramp N          connections a second (1000)\n"
"      --half S          all send half of the request, and the rest after S\n"
"      --timeout S       for connect, handshake and join (10)\n"
"      --sources N       connect from so many addresses of 127.0.0.0/8\n"
"  -P, --processes N     share the connections (1)\n"
"\n"
"Templates; {room} {i} are numbers, also in the URL and headers:\n"
"  -i, --init TEXT       send it after the handshake; several: one by one\n"
"      --init-reply TEXT joined when a message with this text has come\n"
"      --publish TEXT    also {seq} {time} {cid} {tag} {pad} {line}\n"
"                        ({tag}{pad})\n"
"      --lines FILE      its lines are {line}, one message after the other\n"
"      --marker TEXT     what {tag} begins with (wsb@)\n"
"      --ack TEXT        a {tag} in a message with this text is its sender's\n"
"                        acknowledgement: measured apart\n"
"      --count TEXT      count the other messages with this text; several\n"
"      --header TEXT     of the request, as in \"Origin: http://x\"; several\n"
"      --subprotocol X   ask for it, and insist\n"
"      --binary          send binary frames\n"
"      --deflate         offer permessage-deflate, and insist\n"
"\n"
"      --spin            poll without sleep while deliveries are to come: a\n"
"                        server on this machine need not wake the generator\n"
"      --step            say \"ready NAME\" on stdout and wait for a line,\n"
"                        at half, connected, warm, measured, closed\n"
"      --json            the result as JSON\n"
"  -q, --quiet           no progress on stderr\n"
"  -h, --help  -V, --version\n"
"\n"
"Exit status: 0 all well, 1 something failed or is missing,\n"
"2 bad arguments, 3 a system call failed.\n";


#endif /* _WSBENCH_HELP_H_INCLUDED_ */
