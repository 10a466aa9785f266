package redisstore

// Every script writes its key, even if nothing changes: WAIT waits for the last write of its connection,
// and an earlier attempt may not have reached the replicas. It returns 1 if the key then has what it
// should have. Times are in milliseconds, by the clock of Redis unless it says otherwise.
const (
	// login sets the user's one session. Arguments: session, milliseconds.
	login = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('GET', KEYS[1]) == ARGV[1] and 1 or 0`

	// loginAlso adds to the user's sessions. Before that it removes those that have expired, and those
	// that expire first of more than 99. Arguments: session, milliseconds.
	loginAlso = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -100)
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last[2]))
return redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0`

	// revokeAll ends all sessions of the user.
	revokeAll = `
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
return redis.call('PTTL', KEYS[1]) == -2 and 1 or 0`

	// revokeThis ends the session if the user has no other. Argument: session.
	revokeThis = `
local current = redis.call('GET', KEYS[1])
if current and current ~= ARGV[1] then
  redis.call('SET', KEYS[1], current, 'KEEPTTL')
else
  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])
end
return redis.call('GET', KEYS[1]) ~= ARGV[1] and 1 or 0`

	// revokeOneOf ends one of the user's sessions. Argument: session.
	revokeOneOf = `
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZSCORE', KEYS[1], ARGV[1]) and 0 or 1`

	// deny writes a revocation: the latest of the moment, the one that is there and, if it has the fifth
	// argument, the time that is so far ahead of Redis. It keeps it until the tokens expire, by the earlier
	// of the two clocks; for the longest time if they have expired by both, since then a clock is wrong;
	// and as long as one that is there. The second key is the epoch: the script counts the write, and
	// returns 2 if another denylist of the issuer has begun, and not this one. Arguments: moment, the
	// longest time, when the tokens expire, the time of the service, how far ahead or '', the field.
	deny = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local known = redis.call('GET', KEYS[1])
local moment = math.max(ARGV[1], known or 0, tonumber(ARGV[5]) and now + ARGV[5] or 0)
moment = string.format('%.0f', moment)
local keep, left = tonumber(ARGV[2]), ARGV[3] - math.min(now, ARGV[4])
if left > 0 and left < keep then
  keep = left
end
left = redis.call('PTTL', KEYS[1])
if left == -1 then
  redis.call('SET', KEYS[1], moment)
else
  redis.call('SET', KEYS[1], moment, 'PX', string.format('%.0f', math.max(keep, left)))
end
left = redis.call('PTTL', KEYS[1])
if redis.call('GET', KEYS[1]) ~= moment or left ~= -1 and left < keep - 1000 then
  return 0
end
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[2], 'count', 1)
  return 2 - redis.call('HEXISTS', KEYS[2], ARGV[6])
end
return 1`

	// begin begins an epoch, later than the one that is there. The key is a hash. Its field has when the
	// epoch began, in microseconds, and the field 'count' the number of writes. Argument: the field.
	begin = `
local t = redis.call('TIME')
local known = redis.call('HGET', KEYS[1], ARGV[1]) or 0
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', math.max(t[1] * 1000000 + t[2], known + 1)))
return redis.call('HEXISTS', KEYS[1], ARGV[1])`
)
