"""Random numbers that can be had again: SEED=n in the environment.

A test that fails shows the seed.
"""

import os
import random

SEED = int(os.environ.get('SEED') or random.SystemRandom().randrange(10 ** 6))


def seeded(*names):
    """A Random for one purpose; what others draw does not change it."""
    return random.Random('/'.join([str(SEED), *names]))
