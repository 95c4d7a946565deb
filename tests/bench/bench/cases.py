"""What is measured, in the order of the tables."""

from .deflate import Deflate1k, DeflateChat
from .fan import Chats200, Fan50, Fan1000, Fan3000, Redis200
from .growth import Growth
from .handshakes import Handshakes
from .idle import Idle, Rooms, Storm, Tls
from .slow import Slow20

CASES = {case.name: case for case in (
    Fan50, Fan1000, Fan3000, Chats200, Redis200, Slow20, Deflate1k,
    DeflateChat, Handshakes, Idle, Storm, Tls, Rooms, Growth)}
