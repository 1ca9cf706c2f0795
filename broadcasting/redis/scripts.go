package redis

// The scripts that change several keys at once. They are sent with each call, which costs a
// kilobyte: a script that Redis knows by its hash is forgotten at a failover, and the call
// that finds it missing would come after the ones behind it. Times are in microseconds by
// the clock of Redis.

// common begins each script.
const common = `
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(n) return string.format('%.0f', n) end
local function number(key, least) return math.max(tonumber(redis.call('GET', key) or '0'), tonumber(least)) end
`

// joinScript replaces the lease of a node. While the first lease is younger than a lease
// lasts, others may be on their way back to a Redis that has lost all.
//
//	KEYS leases, orders, since; ARGV id, the name before, lease, orders
const joinScript = common + `
if redis.call('ZCARD', KEYS[1]) == 0 then redis.call('SET', KEYS[3], text(now)) end
redis.call('EXPIRE', KEYS[3], 86400)
local young = now - number(KEYS[3], 0) < tonumber(ARGV[3])
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[1], text(now + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], text(ARGV[3] / 100))
local orders = number(KEYS[2], ARGV[4])
redis.call('SET', KEYS[2], text(orders), 'EX', 86400)
return {text(now), text(orders), redis.call('ZRANGE', KEYS[1], 0, -1), young and 1 or 0}
`

// renewScript renews a lease, ends those that are over, and says both. After the clock has
// jumped nobody is buried: the others must have the time to renew theirs by the new one.
//
//	KEYS leases, orders; ARGV topic, id, n, lease, orders, bury, the time by the clock so far, tolerance, reports
const renewScript = common + `
if not redis.call('ZSCORE', KEYS[1], ARGV[2]) then return {text(now)} end
redis.call('ZADD', KEYS[1], text(now + ARGV[4]), ARGV[2])
redis.call('PEXPIRE', KEYS[1], text(ARGV[4] / 100))
local orders = number(KEYS[2], ARGV[5])
redis.call('SET', KEYS[2], text(orders), 'EX', 86400)
local said, dead = '[{"k":"probe","no":' .. ARGV[5] .. ',"n":' .. ARGV[9] .. '}', {}
if ARGV[6] == '1' and math.abs(now - ARGV[7]) <= tonumber(ARGV[8]) then
	dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(now))
	for _, id in ipairs(dead) do
		redis.call('ZREM', KEYS[1], id)
		said = said .. ',{"k":"dead","node":"' .. id .. '"}'
	end
end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' 0 0\n' .. said .. ']')
return {text(now), text(orders), redis.call('ZRANGE', KEYS[1], 0, -1), dead}
`

// leaveScript ends a lease and says so.
//
//	KEYS leases; ARGV topic, id, n
const leaveScript = `
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' 0 0\n[{"k":"bye"}]')
return 1
`

// orderScript sends an order. One that takes access away gets a number that is above all
// before it, even when Redis has lost them.
//
//	KEYS leases, orders; ARGV topic, id, n, body, takes away, orders
const orderScript = common + `
local before, own = 0, 0
if ARGV[5] == '1' then
	before = number(KEYS[2], ARGV[6])
	own = math.max(before + 1, now)
	redis.call('SET', KEYS[2], text(own), 'EX', 86400)
end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. text(before) .. ' ' .. text(own) .. '\n' .. ARGV[4])
return {text(own), redis.call('ZRANGE', KEYS[1], 0, -1)}
`

// keptParts has functions for the kept events of a partition. An event is stored behind a
// line of its version, its end and its size.
//
//	KEYS last, kept, bytes
const keptParts = `
local function drop(field)
	local old = redis.call('HGET', KEYS[1], field)
	if not old then return end
	redis.call('HDEL', KEYS[1], field)
	redis.call('ZREM', KEYS[2], field)
	redis.call('DECRBY', KEYS[3], string.match(old, '^%d+ %d+ (%d+)'))
end
`

// keepScript makes an event the last one of its channel, and sends it with a version that
// is above all before it.
//
//	KEYS last, kept, bytes, version; ARGV topic, id, n, body, field, event, size, ttl, limit
const keepScript = common + keptParts + `
local version = math.max(number(KEYS[4], 0) + 1, now)
redis.call('SET', KEYS[4], text(version), 'EX', 604800)
drop(ARGV[5])
if tonumber(ARGV[7]) <= tonumber(ARGV[9]) then
	redis.call('HSET', KEYS[1], ARGV[5], text(version) .. ' ' .. text(now + ARGV[8]) .. ' ' .. ARGV[7] .. '\n' .. ARGV[6])
	redis.call('ZADD', KEYS[2], text(version), ARGV[5])
	redis.call('INCRBY', KEYS[3], ARGV[7])
	local stay = math.ceil(ARGV[8] / 1000) + 60000
	for i = 1, 3 do
		if redis.call('PTTL', KEYS[i]) < stay then redis.call('PEXPIRE', KEYS[i], text(stay)) end
	end
end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' 0 ' .. text(version) .. '\n' .. ARGV[4])
return text(version)
`

// oldestScript lists the oldest events of a partition: the bytes of all, the time, and for
// each event its field, version, end and size.
//
//	KEYS last, kept, bytes; ARGV how many
const oldestScript = common + `
local list = {redis.call('GET', KEYS[3]) or '0', text(now)}
for _, field in ipairs(redis.call('ZRANGE', KEYS[2], 0, ARGV[1] - 1)) do
	local version, ends, size = string.match(redis.call('HGET', KEYS[1], field) or '0 0 0', '^(%d+) (%d+) (%d+)')
	for _, v in ipairs({field, version, ends, size}) do table.insert(list, v) end
end
return list
`

// dropScript drops events that are still of the given versions.
//
//	KEYS last, kept, bytes; ARGV field, version, …
const dropScript = keptParts + `
for i = 1, #ARGV, 2 do
	local old = redis.call('HGET', KEYS[1], ARGV[i])
	if old and string.match(old, '^%d+') == ARGV[i + 1] then drop(ARGV[i]) end
	if not old then redis.call('ZREM', KEYS[2], ARGV[i]) end
end
return 1
`

// removeScript drops the events of an app.
//
//	KEYS last, kept, bytes; ARGV the beginning of the fields
const removeScript = keptParts + `
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
	if string.sub(field, 1, #ARGV[1]) == ARGV[1] then drop(field) end
end
return 1
`
