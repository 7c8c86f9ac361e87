"""Whose work is next at a stage: part of the scripts in `job_scripts`, after their clock.

A stage's stream holds only the few messages that workers are about to take; the others wait in
queues of their own, one for each flow, which is a priority and a tenant. Whenever the stream has
room, the flow that is furthest behind gives its oldest message. How far a flow is, is told by a
virtual time: each message moves its flow on by 1 / weight, and a flow that was idle begins at the
time of the message that was served last (self-clocked fair queueing, Golestani 1994). So a flow of
weight 8 gets eight messages through for each of a flow of weight 1, no flow ever starves, and a
thousand messages of one tenant delay another tenant's first by one.

A tenant may have a cap: so many of its jobs, ready or with a worker, may be in the streams of all
stages at once. A job that was split is one, however many of its parts there are: the parts of a job
that is in a stream already go on. What is in the streams is counted anew each time, so no count can
go wrong when a worker dies; none of it waits for what is held back, so it always ends. Flows of a
tenant that is at its cap are passed over and lose no message; afterwards they go on as if they had
been idle, so what they were denied is not made up for at the cost of others.

Everything is found from the name of the stream: `:waiting` (hash, message by its job's id and
part), `:flow:` and a flow (list of such ids), `:flows` (sorted set, flow by the virtual time of its
oldest message) and `:clock`. All have the stream's hash tag.
"""

from __future__ import annotations

from lipstream.pipeline import STAGES
from lipstream.wire.job import Priority
from lipstream.wire.streams import GROUP, caps_hash

__all__ = ["FAIR_QUEUE", "HELD_BACK"]

_WEIGHTS = {Priority.INTERACTIVE: 8, Priority.BATCH: 1}
_READY = 2
"""Messages that lie ready in a stream. Their order is fixed, so they are few."""

_STREAMS = ", ".join(f"'{stage.stream}'" for stage in reversed(STAGES))
"""What is furthest goes first."""

_TABLE = ", ".join(f"{priority.value} = {weight}" for priority, weight in _WEIGHTS.items())

FAIR_QUEUE = f"""
local weights = {{{_TABLE}}}
local streams = {{{_STREAMS}}}
local function step(flow) return 1 / (weights[string.match(flow, '^[^:]*')] or 1) end
local function field(fields, name)
  for n = 1, #fields, 2 do
    if fields[n] == name then return fields[n + 1] end
  end
  return ''
end
-- Messages that no worker has had yet: those after the last that was handed out.
local function ready(stream)
  local after = '-'
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, group in ipairs(groups.err and {{}} or groups) do
    if field(group, 'name') == '{GROUP}' then after = '(' .. field(group, 'last-delivered-id') end
  end
  return #redis.call('XRANGE', stream, after, '+', 'COUNT', {_READY})
end
-- How many wait of the priority of `message`, with what is ready in the stream if there are any.
local function waits(stream, message)
  local priority = string.match(field(cjson.decode(message), 'flow'), '^[^:]*:')
  local count = 0
  for _, flow in ipairs(redis.call('ZRANGE', stream .. ':flows', 0, -1)) do
    if string.sub(flow, 1, #priority) == priority then
      count = count + redis.call('LLEN', stream .. ':flow:' .. flow)
    end
  end
  return count > 0 and count + ready(stream) or 0
end
local function tenant(flow) return string.match(flow, ':(.*)') or '' end
local function note(running, flow, job)
  local whose = tenant(flow)
  running[whose] = running[whose] or {{count = 0, jobs = {{}}}}
  local theirs = running[whose]
  if not theirs.jobs[job] then
    theirs.jobs[job] = true
    theirs.count = theirs.count + 1
  end
end
-- Jobs of each tenant in the streams of all stages; nothing where no tenant has a cap.
local function all_running()
  if redis.call('HLEN', '{caps_hash()}') == 0 then return nil end
  local running = {{}}
  for _, stream in ipairs(streams) do
    for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
      note(running, field(entry[2], 'flow'), field(entry[2], 'job_id'))
    end
  end
  return running
end
-- Whether the message that is first in a flow has to wait for the end of a job of its tenant.
local function at_cap(stream, flow, running)
  local theirs = running[tenant(flow)]
  if not theirs then return false end
  local cap = redis.call('HGET', '{caps_hash()}', tenant(flow))
    or redis.call('HGET', '{caps_hash()}', '*')
  if not cap or tonumber(cap) == 0 or theirs.count < tonumber(cap) then return false end
  local first = redis.call('LINDEX', stream .. ':flow:' .. flow, 0) or ''
  return not theirs.jobs[string.match(first, '^[^/]*')]
end
-- The flow that is furthest behind of those that may go on, and its virtual time.
local function next_flow(stream, running)
  local flows = redis.call('ZRANGE', stream .. ':flows', 0, running and -1 or 0, 'WITHSCORES')
  if #flows == 0 then redis.call('DEL', stream .. ':clock') end
  for n = 1, #flows, 2 do
    if not (running and at_cap(stream, flows[n], running)) then
      return flows[n], tonumber(flows[n + 1])
    end
  end
end
-- Moves messages into the stream while it has room.
local function fill(stream, running)
  local room = {_READY} - ready(stream)
  while room > 0 do
    local flow, time = next_flow(stream, running)
    if not flow then return end
    time = math.max(time, tonumber(redis.call('GET', stream .. ':clock') or 0))
    local name = redis.call('LPOP', stream .. ':flow:' .. flow)
    redis.call('SET', stream .. ':clock', time)
    if redis.call('EXISTS', stream .. ':flow:' .. flow) == 1 then
      redis.call('ZADD', stream .. ':flows', time + step(flow), flow)
    else
      redis.call('ZREM', stream .. ':flows', flow)
    end
    local message = name and redis.call('HGET', stream .. ':waiting', name)
    if message then
      redis.call('HDEL', stream .. ':waiting', name)
      redis.call('XADD', stream, '*', unpack(cjson.decode(message)))
      room = room - 1
      if running then note(running, flow, string.match(name, '^[^/]*')) end
    end
  end
end
-- What ended at one stage may let a job of the same tenant go on at another.
local function feed(stream)
  local running = all_running()
  fill(stream, running)
  for _, other in ipairs(running and streams or {{}}) do
    if other ~= stream then fill(other, running) end
  end
end
-- `message`: its fields as a JSON array of names and values.
local function enqueue(stream, message)
  local fields = cjson.decode(message)
  local name, part = field(fields, 'job_id'), field(fields, 'part')
  local flow = field(fields, 'flow')
  if part ~= '' then name = name .. '/' .. part end
  -- For those who ask how long it waited.
  message = string.sub(message, 1, -2) .. ',"queued_ms","' .. now_ms() .. '"]'
  if redis.call('HSET', stream .. ':waiting', name, message) == 1
    and redis.call('RPUSH', stream .. ':flow:' .. flow, name) == 1 then
    local clock = tonumber(redis.call('GET', stream .. ':clock') or 0)
    redis.call('ZADD', stream .. ':flows', clock + step(flow), flow)
  end
  feed(stream)
end
-- Takes out a message that waits, if it does.
local function dequeue(stream, name)
  local message = redis.call('HGET', stream .. ':waiting', name)
  if not message then return end
  redis.call('HDEL', stream .. ':waiting', name)
  redis.call('LREM', stream .. ':flow:' .. field(cjson.decode(message), 'flow'), 1, name)
end
"""

# How many messages wait because their tenant is at its cap.
# KEYS: stream. ARGV: a tenant, or nothing for all.
HELD_BACK = (
    FAIR_QUEUE
    + """
local running = all_running()
local held = 0
for _, flow in ipairs(running and redis.call('ZRANGE', KEYS[1] .. ':flows', 0, -1) or {}) do
  if (ARGV[1] == '' or tenant(flow) == ARGV[1]) and at_cap(KEYS[1], flow, running) then
    held = held + redis.call('LLEN', KEYS[1] .. ':flow:' .. flow)
  end
end
return held
"""
)
