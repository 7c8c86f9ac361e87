"""What happens to a job, each as one script that Redis runs whole or not at all.

Between two commands a process can be killed; between the lines of a script it cannot. So a job
never has its state changed without the message that carries it on, nor the other way around.

Every script says again what it said when the same caller runs it twice, because a caller whose
connection broke cannot know whether it ran. `holder` names who works on the job: a worker that was
thought dead and woke up no longer holds it, and its scripts then change nothing.
"""

from __future__ import annotations

from lipstream.runtime.fair_queue import FAIR_QUEUE
from lipstream.wire.job import JOIN
from lipstream.wire.streams import (
    DEFAULT_TENANT,
    open_jobs_set,
    webhook_deliveries,
    webhooks_due,
    webhooks_of,
)

__all__ = [
    "ADVANCE",
    "BEAT",
    "BEGIN",
    "CANCEL",
    "CREATE",
    "EXPIRE",
    "FAIL",
    "PART_DONE",
    "PROMOTE",
    "RELEASE",
    "RETRY",
    "REVIVE",
    "SPLIT",
]

_EVENTS_KEPT = 500
_DEAD_KEPT = 10_000
_WEBHOOKS_OF = webhooks_of(DEFAULT_TENANT).removesuffix(DEFAULT_TENANT)

_NOW = """
local function now_ms()
  local t = redis.call('TIME')
  return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
end
"""

# KEYS[1] is the job's hash and KEYS[2] its stream of events, in each script that uses these.
_JOB = (
    _NOW
    + f"""
local function get(name) return redis.call('HGET', KEYS[1], name) end
local function set(...) redis.call('HSET', KEYS[1], 'updated_ms', now_ms(), ...) end
local function finished()
  local status = get('status')
  return status == 'succeeded' or status == 'failed' or status == 'cancelled'
end
-- What `wire.webhook` reads, for each webhook of the job's tenant.
local function tell_webhooks()
  local f = redis.call('HMGET', KEYS[1], 'id', 'kind', 'status', 'created_ms', 'error', 'tenant')
  for _, hook in ipairs(redis.call('SMEMBERS', '{_WEBHOOKS_OF}' .. (f[6] or '{DEFAULT_TENANT}'))) do
    local id = f[1] .. ':' .. f[4] .. ':' .. hook
    redis.call('HSET', '{webhook_deliveries()}', id, cjson.encode({{webhook = hook, job_id = f[1],
      kind = f[2], status = f[3], created_ms = f[4], error = f[5] or '', at_ms = now_ms(),
      tries = 0}}))
    redis.call('ZADD', '{webhooks_due()}', now_ms(), id)
  end
end
local function publish()
  local f = redis.call('HMGET', KEYS[1], 'id', 'kind', 'status', 'stage', 'progress', 'error')
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', {_EVENTS_KEPT}, '*', 'v', '1', 'job_id', f[1],
    'kind', f[2], 'status', f[3], 'stage', f[4], 'progress', f[5], 'error', f[6] or '',
    'at_ms', now_ms())
  if finished() then tell_webhooks() end
end
-- It has ended: remembered for a while, and nothing of it waits any more.
local function close(ttl_s)
  redis.call('SREM', '{open_jobs_set("")}' .. (get('tenant') or '{DEFAULT_TENANT}'), get('id'))
  redis.call('EXPIRE', KEYS[1], ttl_s)
  redis.call('EXPIRE', KEYS[2], ttl_s)
end
local function drop(stream, group, id)
  redis.call('XACK', stream, group, id)
  redis.call('XDEL', stream, id)
end
-- What a job's hash says of one message of it: `work` is its stage, with '/' and its part if it is
-- for a part of a job that was split.
local function own(work, name)
  local part = string.match(work, '/(.*)')
  return part and name .. ':' .. part or name
end
local function done(work)
  local stage, part = string.match(work, '^([^/]*)/?(.*)$')
  if get('stage') ~= stage then return true end
  if part == '' then return get('parts_left') ~= false end
  if part == '{JOIN}' then return get('parts_left') ~= '0' end
  return get('part:' .. part) ~= '0'
end
-- 'held': the caller works on it. 'over': nobody needs this message. 'lost': another has it.
local function hold(work, holder)
  if redis.call('EXISTS', KEYS[1]) == 0 or finished() or done(work) then return 'over' end
  return get(own(work, 'holder')) == holder and 'held' or 'lost'
end
local function let_go(work) redis.call('HDEL', KEYS[1], own(work, 'holder')) end
local function forget_faults(work)
  redis.call('HDEL', KEYS[1], own(work, 'last_error'), own(work, 'outage_ms'),
    own(work, 'outage_tries'))
end
"""
)

# For a job that has ended.
_WITHDRAW = f"""
-- Takes what waits of it out of the queue before a stream: itself, or its parts if it was split.
local function withdraw(stream)
  local id = get('id')
  dequeue(stream, id)
  local parts = get('parts')
  for _, part in ipairs(parts and cjson.decode(parts) or {{}}) do
    dequeue(stream, id .. '/' .. part)
  end
  dequeue(stream, id .. '/{JOIN}')
end
"""

# In each script, a message is the JSON array of its names and values, and `work` says whose turn it
# is: a stage, or a stage, '/' and a part.

# KEYS: job, events, stream, index, deadlines, open jobs, caps. ARGV: id, created_ms, params, queue
# limit, limit of open jobs, message, cap of tenants without one of their own, job fields...
CREATE = (
    _JOB
    + FAIR_QUEUE
    + """
if redis.call('EXISTS', KEYS[1]) == 1 then
  return get('created_ms') == ARGV[2] and get('params') == ARGV[3] and 'ok' or 'exists'
end
if tonumber(ARGV[4]) > 0 and waits(KEYS[3], ARGV[6]) >= tonumber(ARGV[4]) then return 'full' end
if tonumber(ARGV[5]) > 0 and redis.call('SCARD', KEYS[6]) >= tonumber(ARGV[5]) then
  return 'quota'
end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
redis.call('SADD', KEYS[6], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
local deadline_ms = get('deadline_ms')
if tonumber(deadline_ms) > 0 then redis.call('ZADD', KEYS[5], deadline_ms, ARGV[1]) end
if ARGV[7] == '0' then
  redis.call('HDEL', KEYS[7], '*')
else
  redis.call('HSET', KEYS[7], '*', ARGV[7])
end
publish()
enqueue(KEYS[3], ARGV[6])
return 'ok'
"""
)

# KEYS: job, events, streams of all stages. ARGV: ttl_s.
CANCEL = (
    _JOB
    + FAIR_QUEUE
    + _WITHDRAW
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'missing' end
if finished() then return get('status') end
set('status', 'cancelled')
publish()
close(ARGV[1])
for n = 3, #KEYS do withdraw(KEYS[n]) end
return 'cancelled'
"""
)

# Fails a job whose deadline has passed; running work on it stops within a heartbeat.
# KEYS: job, events, deadlines, streams of all stages. ARGV: ttl_s, id, problem.
EXPIRE = (
    _JOB
    + FAIR_QUEUE
    + _WITHDRAW
    + """
redis.call('ZREM', KEYS[3], ARGV[2])
if redis.call('EXISTS', KEYS[1]) == 0 or finished() then return 'over' end
set('status', 'failed', 'error', ARGV[3])
publish()
close(ARGV[1])
for n = 4, #KEYS do withdraw(KEYS[n]) end
return 'done'
"""
)

# Begins again with the stage at which a job failed or was cancelled.
# KEYS: job, events, stream of that stage, open jobs. ARGV: id, stage, message.
REVIVE = (
    _JOB
    + FAIR_QUEUE
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return 'missing' end
local status = get('status')
if status ~= 'failed' and status ~= 'cancelled' then return status end
if get('stage') ~= ARGV[2] then return 'moved' end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  for _, start in ipairs({'attempts:' .. ARGV[2], 'holder', 'last_error', 'outage', 'part'}) do
    if string.sub(name, 1, #start) == start then redis.call('HDEL', KEYS[1], name) end
  end
end
set('status', 'queued', 'error', '', 'deadline_ms', '0')
redis.call('PERSIST', KEYS[1])
redis.call('PERSIST', KEYS[2])
redis.call('SADD', KEYS[4], ARGV[1])
publish()
enqueue(KEYS[3], ARGV[3])
return 'done'
"""
)

# KEYS: job, events, stream. ARGV: group, message id, work, holder, max tries.
BEGIN = (
    _JOB
    + FAIR_QUEUE
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'over' then drop(KEYS[3], ARGV[1], ARGV[2]) end
feed(KEYS[3])
if state == 'over' then return {'over', 0, {}} end
local attempts = 'attempts:' .. ARGV[3]
if state == 'lost' then
  redis.call('HINCRBY', KEYS[1], attempts, 1)
  set(own(ARGV[3], 'holder'), ARGV[4], 'status', 'running')
  publish()
end
local count = tonumber(get(attempts))
return {count > tonumber(ARGV[5]) and 'exhausted' or 'ok', count, redis.call('HGETALL', KEYS[1])}
"""
)

# KEYS: job, events, stream. ARGV: group, message id, work, holder, consumer, progress.
BEAT = (
    _JOB
    + """
if finished() then return 'ended' end
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
# holder, next stage or '', progress, ttl_s, message, job fields...
ADVANCE = (
    _JOB
    + FAIR_QUEUE
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
if #ARGV > 8 then redis.call('HSET', KEYS[1], unpack(ARGV, 9)) end
let_go(ARGV[3])
forget_faults(ARGV[3])
set('progress', ARGV[6])
if ARGV[5] == '' then
  set('status', 'succeeded')
  publish()
  close(ARGV[7])
else
  set('stage', ARGV[5])
  publish()
  enqueue(KEYS[4], ARGV[8])
end
feed(KEYS[3])
return 'done'
"""
)

# Instead of the work, its parts are queued.
# KEYS: job, events, stream. ARGV: group, message id, work, holder, parts as JSON, messages...
SPLIT = (
    _JOB
    + FAIR_QUEUE
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
let_go(ARGV[3])
local parts = cjson.decode(ARGV[5])
set('parts', ARGV[5], 'parts_left', #parts)
for n, part in ipairs(parts) do
  set('part:' .. part, '0')
  enqueue(KEYS[3], ARGV[5 + n])
end
return 'done'
"""
)

# A part is done; with the last, the message that joins them is queued.
# KEYS: job, events, stream. ARGV: group, message id, work, holder, part, progress, message.
PART_DONE = (
    _JOB
    + FAIR_QUEUE
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
let_go(ARGV[3])
forget_faults(ARGV[3])
set('part:' .. ARGV[5], '1')
if tonumber(ARGV[6]) > tonumber(get('progress')) then
  set('progress', ARGV[6])
  publish()
end
if redis.call('HINCRBY', KEYS[1], 'parts_left', -1) == 0 then enqueue(KEYS[3], ARGV[7]) end
feed(KEYS[3])
return 'done'
"""
)

# Gives the work another try, which an outage does not count.
# KEYS: job, events, stream, delayed set. ARGV: group, message id, work, holder, delay_ms,
# problem, message, '1' in an outage.
RETRY = (
    _JOB
    + FAIR_QUEUE
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
let_go(ARGV[3])
if ARGV[8] == '1' then
  redis.call('HSETNX', KEYS[1], own(ARGV[3], 'outage_ms'), now_ms())
  redis.call('HINCRBY', KEYS[1], own(ARGV[3], 'outage_tries'), 1)
  redis.call('HINCRBY', KEYS[1], 'attempts:' .. ARGV[3], -1)
else
  forget_faults(ARGV[3])
end
set(own(ARGV[3], 'last_error'), ARGV[6])
redis.call('ZADD', KEYS[4], now_ms() + ARGV[5], ARGV[7])
feed(KEYS[3])
return 'done'
"""
)

# Hands untouched work back: it does not count as a try.
# KEYS: job, events, stream. ARGV: group, message id, work, holder, message fields...
RELEASE = (
    _JOB
    + """
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
let_go(ARGV[3])
redis.call('HINCRBY', KEYS[1], 'attempts:' .. ARGV[3], -1)
redis.call('XADD', KEYS[3], '*', unpack(ARGV, 5))
return 'done'
"""
)

# KEYS: job, events, stream, dead stream. ARGV: group, message id, work, holder, ttl_s, problem,
# fields of the dead letter...
FAIL = (
    _JOB
    + FAIR_QUEUE
    + _WITHDRAW
    + f"""
local state = hold(ARGV[3], ARGV[4])
if state == 'lost' then return state end
drop(KEYS[3], ARGV[1], ARGV[2])
if state == 'over' then return state end
let_go(ARGV[3])
set('status', 'failed', 'error', ARGV[6])
publish()
close(ARGV[5])
withdraw(KEYS[3])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', {_DEAD_KEPT}, '*', 'at_ms', now_ms(), unpack(ARGV, 7))
feed(KEYS[3])
return 'done'
"""
)

# Queues messages whose wait is over again, and fills the stream, should a worker have died between
# taking a message and beginning with it.
# KEYS: delayed set, stream. ARGV: how many at most.
PROMOTE = (
    _NOW
    + FAIR_QUEUE
    + """
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
for _, message in ipairs(due) do
  redis.call('ZREM', KEYS[1], message)
  enqueue(KEYS[2], message)
end
feed(KEYS[2])
return #due
"""
)
