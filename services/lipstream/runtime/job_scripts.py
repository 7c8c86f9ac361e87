"""What happens to a job, each as one script that Redis runs whole or not at all.

Between two commands a process can be killed; between the lines of a script it cannot. So a job
never has its state changed without the message that carries it on, nor the other way around.

Every script says again what it said when the same caller runs it twice, because a caller whose
connection broke cannot know whether it ran. `holder` names who works on the job: a worker that was
thought dead and woke up no longer holds it, and its scripts then change nothing.
"""

from __future__ import annotations

__all__ = [
    "ADVANCE",
    "BEAT",
    "BEGIN",
    "CANCEL",
    "CREATE",
    "FAIL",
    "FORGET_CONSUMER",
    "PROMOTE",
    "RELEASE",
    "RETRY",
]

_EVENTS_KEPT = 500
_DEAD_KEPT = 10_000

# KEYS[1] is the job's hash and KEYS[2] its stream of events, in each script that uses these.
_JOB = f"""
local function now_ms()
  local t = redis.call('TIME')
  return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
local function get(name) return redis.call('HGET', KEYS[1], name) end
local function set(...) redis.call('HSET', KEYS[1], 'updated_ms', now_ms(), ...) end
local function publish()
  local f = redis.call('HMGET', KEYS[1], 'id', 'kind', 'status', 'stage', 'progress', 'error')
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', {_EVENTS_KEPT}, '*', 'v', '1', 'job_id', f[1],
    'kind', f[2], 'status', f[3], 'stage', f[4], 'progress', f[5], 'error', f[6] or '',
    'at_ms', now_ms())
end
local function finished()
  local status = get('status')
  return status == 'succeeded' or status == 'failed' or status == 'cancelled'
end
local function expire(ttl_s)
  redis.call('EXPIRE', KEYS[1], ttl_s)
  redis.call('EXPIRE', KEYS[2], ttl_s)
end
local function drop(stream, group, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
end
-- 'held': the caller works on it. 'over': nobody needs this message. 'lost': another has it.
local function hold(stage, holder)
  if redis.call('EXISTS', KEYS[1]) == 0 or finished() or get('stage') ~= stage then
    return 'over'
  end
  return get('holder') == holder and 'held' or 'lost'
end
"""

# KEYS: job, events, stream, index. ARGV: id, created_ms, params, queue limit, count of message
# fields, message fields..., job fields...
CREATE = (
    _JOB
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then
  return get('created_ms') == ARGV[2] and get('params') == ARGV[3] and 'ok' or 'exists'
end
if tonumber(ARGV[4]) > 0 and redis.call('XLEN', KEYS[3]) >= tonumber(ARGV[4]) then
  return 'full'
end
local split = 5 + tonumber(ARGV[5])
redis.call('HSET', KEYS[1], unpack(ARGV, split + 1))
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 6, split))
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
publish()
return 'ok'
"""
)

# KEYS: job, events. ARGV: ttl_s.
CANCEL = (
    _JOB
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'missing' end
if finished() then return get('status') end
set('status', 'cancelled')
publish()
expire(ARGV[1])
return 'cancelled'
"""
)

# KEYS: job, events, stream. ARGV: group, message id, stage, holder, max tries.
BEGIN = (
    _JOB
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'over' then
  drop(KEYS[3], ARGV[1], ARGV[2])
  return {'over', 0, {}}
end
local attempts = 'attempts:' .. ARGV[3]
if state == 'lost' then
  redis.call('HINCRBY', KEYS[1], attempts, 1)
  set('holder', ARGV[4], 'status', 'running')
  publish()
end
local count = tonumber(get(attempts))
return {count > tonumber(ARGV[5]) and 'exhausted' or 'ok', count, redis.call('HGETALL', KEYS[1])}
"""
)

# KEYS: job, events, stream. ARGV: group, message id, stage, holder, consumer, progress.
BEAT = (
    _JOB
    + """
if get('status') == 'cancelled' then return 'cancelled' end
if hold(ARGV[3], ARGV[4]) ~= 'held' then return 'lost' end
if #redis.call('XPENDING', KEYS[3], ARGV[1], ARGV[2], ARGV[2], 1, ARGV[5]) == 0 then
  return 'lost'
end
redis.call('XCLAIM', KEYS[3], ARGV[1], ARGV[5], 0, ARGV[2], 'JUSTID')
if tonumber(ARGV[6]) > tonumber(get('progress')) then
  set('progress', ARGV[6])
  publish()
end
return 'ok'
"""
)

# KEYS: job, events, stream, next stage's stream or the same again. ARGV: group, message id, stage,
# holder, next stage or '', progress, ttl_s, count of message fields, message fields...,
# job fields...
ADVANCE = (
    _JOB
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
local split = 8 + tonumber(ARGV[8])
if #ARGV > split then redis.call('HSET', KEYS[1], unpack(ARGV, split + 1)) end
redis.call('HDEL', KEYS[1], 'holder', 'last_error')
set('progress', ARGV[6])
if ARGV[5] == '' then
  set('status', 'succeeded')
  publish()
  expire(ARGV[7])
else
  set('stage', ARGV[5])
  redis.call('XADD', KEYS[4], '*', unpack(ARGV, 9, split))
  publish()
end
return 'done'
"""
)

# KEYS: job, events, stream, delayed set. ARGV: group, message id, stage, holder, delay_ms,
# problem, message as a JSON array of names and values.
RETRY = (
    _JOB
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
redis.call('HDEL', KEYS[1], 'holder')
set('last_error', ARGV[6])
redis.call('ZADD', KEYS[4], now_ms() + ARGV[5], ARGV[7])
return 'done'
"""
)

# Hands untouched work back: it does not count as a try.
# KEYS: job, events, stream. ARGV: group, message id, stage, holder, message fields...
RELEASE = (
    _JOB
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
redis.call('HDEL', KEYS[1], 'holder')
redis.call('HINCRBY', KEYS[1], 'attempts:' .. ARGV[3], -1)
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 5))
return 'done'
"""
)

# KEYS: job, events, stream, dead stream. ARGV: group, message id, stage, holder, ttl_s, problem,
# fields of the dead letter...
FAIL = (
    _JOB
    + f"""
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
redis.call('HDEL', KEYS[1], 'holder')
set('status', 'failed', 'error', ARGV[6])
publish()
expire(ARGV[5])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', {_DEAD_KEPT}, '*', 'at_ms', now_ms(), unpack(ARGV, 7))
return 'done'
"""
)

# Moves messages whose wait is over back into their stream.
# KEYS: delayed set, stream. ARGV: how many at most.
PROMOTE = """
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, message in ipairs(due) do
  redis.call('ZREM', KEYS[1], message)
  redis.call('XADD', KEYS[2], '*', unpack(cjson.decode(message)))
end
return #due
"""

# Removes a consumer that holds nothing; one that holds something must be taken over instead.
# KEYS: stream. ARGV: group, consumer.
FORGET_CONSUMER = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
