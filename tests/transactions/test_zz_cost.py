import time, uuid, datetime as dt, pytest
from tests.transactions.test_mirror import *
def test_cost(lantern):
    orders=[version(uuid=str(uuid.uuid4())) for _ in range(500)]
    mirror.apply(lantern, orders, at(0))
    for i in range(1,8):
        t=time.perf_counter(); mirror.apply(lantern, orders, at(i)); print("apply unchanged 500", time.perf_counter()-t)
