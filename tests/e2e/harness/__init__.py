"""What the end-to-end tests stand on.

nginx   a stock NGINX of one's own, watched from start to end
client  a chat client on the third-party `websockets`
raw     a bare socket, for what a well-behaved library would never send
"""
