"""How many mails a second leave this installation, whichever worker sends them.

A bucket of tokens in Redis, which all workers share: as full as one second, and filled at the rate of the settings.
Nobody sleeps for a token. Who finds none is told when to come back, one after another at the rate, and does other
work until then.
"""

from __future__ import annotations

import threading
import time
from typing import Final

import redis

from core.logs import logger
from core.queue import redis_client
from core.settings import settings

LONGEST_SECONDS: Final = 600.0  # until somebody asks again, so that a rate that was raised is felt soon
# Of the rate, for a process that cannot ask the others: ten of them keep it together.
SHARE_ALONE: Final = 0.1
_KEY: Final = "mail:rate"
# Neither is believed further ahead than anybody is sent away for: Redis's clock may have been put back since.
# The generic cell rate algorithm (ITU-T I.371, annex A): `next` is when the bucket would be full again, `back` when
# the last one who found no token was told to come.
_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local interval = 1 / tonumber(ARGV[1])
local spare = math.max(1, tonumber(ARGV[1])) * interval - interval
local function noted(field)
  return tonumber(redis.call('HGET', KEYS[1], field) or '0') or 0
end
local latest = now + math.max(tonumber(ARGV[3]), interval)
local next = math.max(now, noted('next'))
if next > latest then
  next = latest
  redis.call('HSET', KEYS[1], 'next', string.format('%.6f', next))
end
local wait = 0
if ARGV[2] == '1' or next - now <= spare then
  redis.call('HSET', KEYS[1], 'next', string.format('%.6f', next + interval))
else
  local back = math.max(next - spare, noted('back') + interval)
  back = math.min(back, now + tonumber(ARGV[3]))
  redis.call('HSET', KEYS[1], 'back', string.format('%.6f', back))
  wait = math.max(back - now, 0.001)
end
redis.call('EXPIRE', KEYS[1], 2 * ARGV[3])
return string.format('%.6f', wait)
"""

_alone = threading.Lock()
_next_alone = 0.0


def wait_seconds(*, awaited: bool = False) -> float:
    """Take a token for one mail and return 0; without one, return in how many seconds to come back.

    Args:
        awaited: somebody waits for this mail at their mailbox: it goes now, and others the later.
    """
    rate = settings().mail_per_second
    if rate is None:
        return 0.0
    try:
        answer = redis_client().eval(
            _SCRIPT, 1, _KEY, str(rate), "1" if awaited else "0", str(int(LONGEST_SECONDS))
        )
        return float(answer)  # type: ignore[arg-type]  # the client's types allow for a pipeline
    except redis.RedisError as error:
        logger().warning("mail_rate_kept_alone", exc_info=error)
        return _wait_alone(rate * SHARE_ALONE, awaited=awaited)


def _wait_alone(rate: float, *, awaited: bool) -> float:
    """Keep a careful rate in this process alone: Redis is away, and mail goes on."""
    global _next_alone
    with _alone:
        now = time.monotonic()
        if not awaited and _next_alone > now:
            return _next_alone - now
        _next_alone = max(_next_alone, now) + 1 / rate
        return 0.0
