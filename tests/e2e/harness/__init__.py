"""What the end-to-end tests stand on.

nginx   a stock NGINX of one's own, watched from start to end
redis   a Redis of one's own, and a proxy that makes trouble
haproxy the HAProxy front, from its configuration
client  a chat client on the third-party `websockets`
raw     a bare socket, for what a well-behaved library would never send
"""
