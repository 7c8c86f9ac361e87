"""Whose work is next at a stage: part of the scripts in `job_scripts`, after their clock.

A stage's stream holds only the few messages that workers are about to take; the others wait in
queues of their own, one for each flow, which is a priority and a tenant. Whenever the stream has
room, the flow that is furthest behind gives its oldest message. How far a flow is, is told by a
virtual time: each message moves its flow on by 1 / weight, and a flow that was idle begins at the
time of the message that was served last (self-clocked fair queueing, Golestani 1994). So a flow of
weight 8 gets eight messages through for each of a flow of weight 1, no flow ever starves, and a
thousand messages of one tenant delay another tenant's first by one.

A tenant may have a cap: so much of its work, ready or with a worker, may be in a stage's stream at
once. What is in the stream is counted anew each time, so no count can go wrong when a worker dies.
Flows of a tenant that is at its cap are passed over and lose no message; afterwards they go on as
if they had been idle, so what they were denied is not made up for at the cost of others.

Everything is found from the name of the stream: `:waiting` (hash, message by its job's id and
part), `:flow:` and a flow (list of such ids), `:flows` (sorted set, flow by the virtual time of its
oldest message) and `:clock`. All have the stream's hash tag.
"""

from __future__ import annotations

from lipstream.wire.job import Priority
from lipstream.wire.streams import GROUP, caps_hash

__all__ = ["FAIR_QUEUE", "HELD_BACK"]

_WEIGHTS = {Priority.INTERACTIVE: 8, Priority.BATCH: 1}
_READY = 2
"""Messages that lie ready in a stream. Their order is fixed, so they are few."""

_TABLE = ", ".join(f"{priority.value} = {weight}" for priority, weight in _WEIGHTS.items())

FAIR_QUEUE = f"""
local weights = {{{_TABLE}}}
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
-- Messages of each tenant in the stream; nothing where no tenant has a cap.
local function in_stream(stream)
  if redis.call('HLEN', '{caps_hash()}') == 0 then return nil end
  local counts = {{}}
  for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+')) do
    local whose = tenant(field(entry[2], 'flow'))
    counts[whose] = (counts[whose] or 0) + 1
  end
  return counts
end
local function at_cap(flow, counts)
  local whose = tenant(flow)
  local cap = redis.call('HGET', '{caps_hash()}', whose) or redis.call('HGET', '{caps_hash()}', '*')
  return cap and tonumber(cap) > 0 and (counts[whose] or 0) >= tonumber(cap)
end
-- The flow that is furthest behind of those that may go on, and its virtual time.
local function next_flow(stream, counts)
  local flows = redis.call('ZRANGE', stream .. ':flows', 0, counts and -1 or 0, 'WITHSCORES')
  if #flows == 0 then redis.call('DEL', stream .. ':clock') end
  for n = 1, #flows, 2 do
    if not (counts and at_cap(flows[n], counts)) then return flows[n], tonumber(flows[n + 1]) end
  end
end
-- Moves messages into the stream while it has room.
local function feed(stream)
  local room = {_READY} - ready(stream)
  local counts = room > 0 and in_stream(stream) or nil
  while room > 0 do
    local flow, time = next_flow(stream, counts)
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
      if counts then counts[tenant(flow)] = (counts[tenant(flow)] or 0) + 1 end
    end
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
"""

# How many messages wait because their tenant is at its cap.
# KEYS: stream. ARGV: a tenant, or nothing for all.
HELD_BACK = (
    FAIR_QUEUE
    + """
local counts = in_stream(KEYS[1])
local held = 0
for _, flow in ipairs(counts and redis.call('ZRANGE', KEYS[1] .. ':flows', 0, -1) or {}) do
  if (ARGV[1] == '' or tenant(flow) == ARGV[1]) and at_cap(flow, counts) then
    held = held + redis.call('LLEN', KEYS[1] .. ':flow:' .. flow)
  end
end
return held
"""
)
