"""Everything dies now and then, and nobody misses or gets anything twice."""

import asyncio
import os
import time

import pytest

from harness import member
from harness.nginx import PATIENCE
from harness.seed import SEED, seeded
from farm import Farm
from kinds import KINDS
import report

COUNT = int(os.environ.get('COUNT') or 20)


@pytest.mark.parametrize('kind', KINDS)
async def test_fault(kind):
    fault, bound, workers = KINDS[kind]
    farm = Farm(kind, workers)
    times = []
    try:
        async with farm:
            rng = seeded(kind, 'faults')
            for n in range(COUNT):
                await asyncio.sleep(rng.uniform(0.5, 3))
                if rng.random() < 0.3 and kind != 'promotion':
                    farm.hush()
                start = await fault(farm, rng)
                await farm.healed(3 * bound * PATIENCE)
                times.append(time.monotonic() - start)
                await asyncio.to_thread(farm.settle)
                farm.talking.set()
            await asyncio.sleep(1)
            await farm.healed(bound * PATIENCE)
            farm.check(COUNT)
            report.rows.append(report.row(farm, kind, bound, times))
    except BaseException:
        print('SEED=%d COUNT=%d FAULT=%s, after %d faults: %s' % (
            SEED, COUNT, kind, len(times), [round(t, 2) for t in times]))
        print(farm.report())
        farm.close()
        raise
    await member.stop_all()
    await asyncio.to_thread(farm.stop)
    late = [round(t, 2) for t in times if t > bound * PATIENCE]
    assert not late, 'live again later than %d s: %s' % (bound, late)
