"""Everything dies now and then, and nobody misses or gets anything twice."""

import asyncio
import itertools
import time

import pytest

from harness import member
from harness.nginx import PATIENCE
from harness.seed import SEED, seeded
from durable import DurableFarm, MockFarm
from durable_kinds import DURABLE, FAR, MOCK, NEAR
from farm import Farm
from kinds import COUNT, LIVE, WANTED, moment
import report

KINDS = {**LIVE, **DURABLE}


def plan():
    """A farm for each kind; a short run has one for all durable ones."""
    near, far = chosen(NEAR), chosen(FAR)
    farms = [(Farm, name, [[name]] * COUNT) for name in chosen(LIVE)]
    if COUNT == 1:
        farms.append((DurableFarm, 'durable', [
            [name for name in pair if name]
            for pair in itertools.zip_longest(near, far)]))
    else:
        farms += [(DurableFarm, name, [[name]] * COUNT)
                  for name in near + far]
    if COUNT > 1 or WANTED:
        # one of it is in the end-to-end tests
        farms += [(MockFarm, name, [[name]] * COUNT) for name in chosen(MOCK)]
    return [pytest.param(*one, id=one[1], marks=pytest.mark.timeout(
                             120 + 90 * len(one[2])))
            for one in farms if one[2]]


def chosen(kinds):
    return [name for name in kinds if not WANTED or name in WANTED]


@pytest.mark.parametrize('kind_of_farm, name, rounds', plan())
async def test_fault(kind_of_farm, name, rounds):
    kinds = {one: KINDS[one] for names in rounds for one in names}
    bound = max(one.bound for one in kinds.values())
    times = {kind: [] for kind in kinds}
    late = []
    farm = kind_of_farm(name, max(one.workers for one in kinds.values()))
    try:
        async with farm:
            await befall(farm, rounds, times, late)
            await asyncio.sleep(1)
            await farm.healed(bound * PATIENCE)
            farm.check(sum(map(len, rounds)))
            report.add(farm, name, bound, times)
        assert not late, 'too late live again: %s' % late
    except BaseException:
        print('SEED=%d COUNT=%d FAULT=%s: %s' % (SEED, COUNT, name, {
            kind: [round(t, 2) for t in times[kind]] for kind in times}))
        print(farm.report())
        farm.close()
        raise
    await member.stop_all()
    await asyncio.to_thread(farm.stop)


async def befall(farm, rounds, times, late):
    """What is in a round at once; times: how long each is felt; late: what
    was felt for too long, and what that was waited for."""
    rngs = {name: seeded(name, 'faults') for name in times}
    for names in rounds:
        rng = rngs[names[0]]
        kinds = [KINDS[name] for name in names]
        await asyncio.sleep(moment(rng, 0.5, 3))
        if rng.random() < 0.3 and all(kind.hush for kind in kinds):
            farm.hush()
        starts = await asyncio.gather(*(
            kind.fault(farm, rngs[name]) for name, kind in zip(names, kinds)))
        await farm.healed(3 * PATIENCE * max(kind.bound for kind in kinds))
        for name, start in zip(names, starts):
            times[name].append(time.monotonic() - start)
            if times[name][-1] > KINDS[name].bound * PATIENCE:
                late.append((name, times[name][-1], farm.waits))
        await asyncio.to_thread(farm.settle)
        farm.talking.set()
