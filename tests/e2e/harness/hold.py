"""Stops a worker inside the lock of a zone, where a test kills it."""

import asyncio

from .nginx import PATIENCE

# the steps of a change, as in core/wsc_shmlog_pool.h
ALLOC, RELEASE, LIST, MAKE, EVICT, DROP, INTEREST, APPEND, NOTICE, REPAIR = \
    range(10)


class Hold:
    """Makes a worker stop at a step inside the lock."""

    def __init__(self, nginx, **options):
        self.ng = nginx(start=False, module='test',
                        http='ws_chat_test_hold hold/step;', **options)
        self.path = self.ng.dir / 'hold' / 'step'
        self.path.parent.mkdir()
        self.path.parent.chmod(0o777)
        self.ng.start()

    def set(self, step, times=1):
        new = self.path.with_suffix('.new')
        new.write_text('%d %d' % (step, times))
        new.chmod(0o666)
        new.rename(self.path)

    async def caught(self, timeout=20):
        """The pid of the worker that came there."""
        path = self.path.with_name('step.pid')

        async def wait():
            while not path.exists() or not path.read_text().isdigit():
                await asyncio.sleep(0.01)
            pid = int(path.read_text())
            path.unlink()
            return pid

        return await asyncio.wait_for(wait(), timeout * PATIENCE)

    async def kill(self, pid, wait=True):
        await asyncio.to_thread(self.ng.kill_worker, pid, wait=wait)
